"""Numbers in words: bytes, and how many of what."""

from __future__ import annotations

__all__ = ["counted", "file_size"]


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
