"""Numbers in text: a limit on their length, file sizes, counts with a noun."""

from __future__ import annotations

import re

__all__ = ["counted", "file_size", "has_long_number"]

_MOST_DIGITS = 100
_LONG_NUMBER = re.compile(rf"(?<![0-9])[0-9]{{{_MOST_DIGITS}}}")


def has_long_number(text: str) -> bool:
    """Return True if a version, specifier or marker has a number of 100 digits or more.

    Python refuses to parse more than 4,300 digits, and packaging parses numbers late,
    where no error is expected.
    """
    return len(text) >= _MOST_DIGITS and _LONG_NUMBER.search(text) is not None


def file_size(count: int) -> str:
    """Return a number of bytes in decimal units: ``1.2 MB``."""
    if count < 1000:
        return f"{count} B"
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:,.1f} TB"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 target``, ``2 targets``."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"
