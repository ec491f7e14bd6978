"""Numbers in words: bytes, and how many of what."""

from __future__ import annotations

import re

__all__ = ["counted", "file_size", "has_long_number"]

_MOST_DIGITS = 100
_LONG_NUMBER = re.compile(rf"(?<![0-9])[0-9]{{{_MOST_DIGITS}}}")


def has_long_number(text: str) -> bool:
    """Return whether a number in a version, specifier or marker has 100 digits.

    Python refuses to read one of more than 4,300, and packaging reads them late: where
    nobody expects an error any more.
    """
    return len(text) >= _MOST_DIGITS and _LONG_NUMBER.search(text) is not None


def file_size(count: int) -> str:
    """Write a number of bytes as people do, in powers of ten: ``1.2 MB``."""
    if count < 1000:
        return f"{count} B"
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:,.1f} TB"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 target``, ``2 targets``."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"
