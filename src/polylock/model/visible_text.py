"""Escaping of untrusted text, so that it is safe to show on one line.

Text from an index, a lock file, a wheel or a server can contain anything: line feeds
that forge a log line, escape sequences that control a terminal, characters that change
the direction of text, and commands that CI services read from logs.
"""

from __future__ import annotations

import re

__all__ = ["has_control_character", "is_visible", "visible"]

_HIDDEN = (
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters: C0, DEL and C1
    "\xad\u061c\u180e\u200b-\u200f\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible
    "\u2028-\u202e"  # line and paragraph separators, changes of direction
    "\ud800-\udfff"  # lone surrogates, which UTF-8 cannot encode
    "\U000e0000-\U000e007f"  # tag characters, which are invisible
    "]"
)
_CONTROL = r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

_COMMAND = r"(?a)^\s*:(?=:)|#(?=#(?:\[|vso\[|teamcity\[))"
"""GitHub reads ``::name::`` at the start of a line and ``##[name]`` anywhere; others
read ``##vso[`` and ``##teamcity[``. One character is escaped, which makes them text."""


def has_control_character(text: str) -> bool:
    """Return True if the text has a control character or a line separator."""
    return not text.isprintable() and re.search(_CONTROL, text) is not None


def visible(text: str) -> str:
    """Return the text with all invisible and control characters escaped."""
    if ("::" in text or "##" in text) and re.search(_COMMAND, text):
        text = re.sub(_COMMAND, lambda found: _escaped_last(found.group()), text)
    if text.isprintable():
        return text
    return re.sub(_HIDDEN, lambda found: _escaped(found.group()), text)


def is_visible(text: str) -> bool:
    """Return True if the text is safe to show without escapes."""
    return text.isprintable() or re.search(_HIDDEN, text) is None


def _escaped_last(text: str) -> str:
    return text[:-1] + _escaped(text[-1])


def _escaped(letter: str) -> str:
    code = ord(letter)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return _SHORT.get(letter) or (f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}")
