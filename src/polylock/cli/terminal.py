"""Output for people: colours and folded lines on a terminal, plain text elsewhere.

Without a terminal, styles leave text unchanged, so that a pipe or a file gets the same
bytes everywhere.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable

from polylock.model.visible_text import visible

__all__ = [
    "folded",
    "is_terminal",
    "plain",
    "say",
    "shown",
    "style",
    "wants_color",
    "width_of",
    "write_error",
    "write_lines",
]

_STYLES = {
    "error": "31;1",
    "warning": "33;1",
    "hint": "36",
    "strong": "1",
    "faint": "2",
    "label": "36",
    "added": "32",
    "removed": "31",
    "changed": "33",
}
_ESCAPE = "\x1b["
_OWN = re.compile(f"(\x1b\\[(?:{'|'.join(sorted({*_STYLES.values(), '0'}))})m)")
"""The escape sequences of this module, the only ones that are written."""


def is_terminal(*, error: bool = True) -> bool:
    """Return True if a stream is a terminal that understands escape sequences."""
    stream = sys.stderr if error else sys.stdout
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def wants_color(*, error: bool = True) -> bool:
    """Return True if a stream takes colours.

    ``NO_COLOR`` disables them. Otherwise a terminal has them, and with ``FORCE_COLOR``
    any stream, such as the log of a CI service.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return is_terminal(error=error) or bool(os.environ.get("FORCE_COLOR"))


def style(text: str, name: str, *, error: bool = True) -> str:
    """Return the text in a style, or unchanged if colour is not wanted."""
    if not text or not wants_color(error=error):
        return text
    return f"{_ESCAPE}{_STYLES[name]}m{text}{_ESCAPE}0m"


def shown(line: str, *, error: bool = True) -> str:
    """Return a line with control characters made visible and our styles kept.

    Foreign text may contain our styles, so none is kept if colours are not wanted; with
    colours such text can change a colour and nothing else.
    """
    if _ESCAPE not in line or not wants_color(error=error):
        return visible(line)
    parts = _OWN.split(line)
    return "".join(
        part if position % 2 else visible(part) for position, part in enumerate(parts)
    )


def write_error(text: str) -> None:
    """Write to stderr, which has everything except the result.

    If its reader has exited, as in ``polylock sync 2>&1 | head -1``, the text and all
    that follows is dropped: half an installation because of it helps nobody.
    """
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except BrokenPipeError:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - until the end


def say(line: str) -> None:
    """Write a line to stderr."""
    write_error(shown(line) + "\n")


def write_lines(lines: Iterable[str]) -> None:
    """Write lines to stdout."""
    sys.stdout.write("".join(f"{shown(line, error=False)}\n" for line in lines))


def plain(text: str) -> str:
    """Return a text without its styles."""
    if _ESCAPE not in text:
        return text
    parts = text.split(_ESCAPE)
    return parts[0] + "".join(part.partition("m")[2] for part in parts[1:])


def width_of(text: str) -> int:
    """Return the width of a text in columns of a terminal, without its styles."""
    text = plain(text)
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415 - 1 ms, rare

    wide = sum(east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(combining(letter) > 0 for letter in text)


def folded(line: str) -> str:
    """Return a line of stdout, folded between words to the width of the terminal.

    Continuation lines are indented by two more. Without a terminal the line is
    unchanged.
    """
    if not is_terminal(error=False):
        return line
    import shutil  # noqa: PLC0415 - 2 ms, on a terminal alone

    width = shutil.get_terminal_size().columns
    if width_of(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip(" ")) + 2)
    words = line.lstrip(" ").split(" ")
    lines = [indent[2:] + words[0]]
    for word in words[1:]:
        if width_of(lines[-1]) + 1 + width_of(word) > width:
            lines.append(indent + word)
        else:
            lines[-1] += f" {word}"
    return "\n".join(lines)
