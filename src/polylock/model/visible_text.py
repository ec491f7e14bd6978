"""Foreign text as a person may safely be shown it, on one line.

What an index, a lock file, a wheel or a server says can hold anything: line feeds that
forge a line of a log, escapes that rewrite a terminal, letters that turn the direction
of the rest, and the commands that CI services read from logs.
"""

from __future__ import annotations

import re

__all__ = ["is_visible", "visible"]

_HIDDEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters: C0, DEL and C1
    "\xad\u061c\u180e\u200b-\u200f\u2060-\u206f\ufeff\ufff9-\ufffb"  # without a shape
    "\u2028-\u202e"  # line and paragraph separators, changes of direction
    "\ud800-\udfff"  # lone surrogates, which no encoding can write
    "\U000e0000-\U000e007f"  # tags: letters that no font shows
    "]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

_COMMAND = re.compile(r"^\s*:(?=:)|#(?=#(?:\[|vso\[|teamcity\[))", re.ASCII)
"""``::name::`` at the start of a line and ``##[name]`` anywhere are read by GitHub,
``##vso[`` and ``##teamcity[`` by others. One of their characters is written as its
escape, so that they are text."""


def visible(text: str) -> str:
    """Return the text with every character that hides or acts written as its escape."""
    if ("::" in text or "##" in text) and _COMMAND.search(text):
        text = _COMMAND.sub(lambda found: _escaped_last(found.group()), text)
    if text.isprintable():
        return text
    return _HIDDEN.sub(lambda found: _escaped(found.group()), text)


def is_visible(text: str) -> bool:
    """Return whether the text can be shown as it is."""
    return text.isprintable() or _HIDDEN.search(text) is None


def _escaped_last(text: str) -> str:
    return text[:-1] + _escaped(text[-1])


def _escaped(letter: str) -> str:
    code = ord(letter)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return _SHORT.get(letter) or (f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}")
