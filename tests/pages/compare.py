"""Compares the output in a page with the real output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ELISION", "agrees"]

ELISION = "..."

# Each is written as the second on both sides before they are compared.
_LOOSE = (
    (re.compile(r"\bpolylock \d+\.\d+\.\d+\b"), "polylock VERSION"),
    (re.compile(r"\bPython 3\.(\d+)\.\d+\b"), r"Python 3.\1.PATCH"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|s)\b"), "TIME"),
)


def agrees(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Return True if the lines match; an elision matches any lines, or none."""
    wanted = [_plain(line) for line in shown]
    lines = [_plain(line) for line in printed]
    # Where each prefix of `wanted` may end in `lines`, as a set of places.
    places = {0}
    for line in wanted:
        if line == ELISION:
            places = set(range(min(places), len(lines) + 1)) if places else set()
        else:
            places = {n + 1 for n in places if n < len(lines) and lines[n] == line}
    return len(lines) in places


def _plain(line: str) -> str:
    for pattern, replacement in _LOOSE:
        line = pattern.sub(replacement, line)
    return line.rstrip()
