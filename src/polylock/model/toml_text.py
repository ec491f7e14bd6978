"""TOML text to tables, in time and memory that grow with its length alone.

``tomllib`` takes a minute for one key of 16,000 dotted parts, since it walks the whole
path for each part; it ends in RecursionError for arrays in arrays, and in a ValueError
of its own kind for a number of more digits than Python reads. What is nested deeply is
read and is too deep for whoever looks at it next.
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from typing import Any

__all__ = ["DEEPEST_KEY", "LARGEST_TOML", "InvalidToml", "parse_toml"]

LARGEST_TOML = 1 << 26
"""Characters of a file; the largest lock files of large projects have 2 ** 24."""

DEEPEST_KEY = 64
"""Parts of a dotted key; that of the deepest table which means anything has six."""

_MOST_LEVELS = 100
_LEAST, _MOST = -(2**63), 2**63
_STRING_OR_COMMENT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+"""|' + r"'''.*?'''"
    r'|"(?:[^"\\\n]|\\[^\n])*+"' + r"|'[^'\n]*'|#[^\n]*",
    re.DOTALL,
)
_LONG_KEY = re.compile(
    rf"(?<![A-Za-z0-9_-])(?:[A-Za-z0-9_-]+[ \t]*\.[ \t]*){{{DEEPEST_KEY}}}"
)


class InvalidToml(ValueError):
    """Text that is not TOML, or not within the limits; the text is a clause.

    ``parts`` is the key path of what is wrong, empty where the text is no TOML at all.
    """

    def __init__(self, problem: str, parts: tuple[str | int, ...] = ()) -> None:
        super().__init__(problem)
        self.parts = parts


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML document; raises InvalidToml.

    Integers have 64 bits, date-times have a time in UTC, and no more than a hundred
    tables and arrays lie inside each other: what follows need not think of it.
    """
    if len(text) > LARGEST_TOML:
        raise InvalidToml(f"has more than {LARGEST_TOML} characters")
    _refuse_long_keys(text)
    try:
        document = tomllib.loads(text)
        _check_limits(document)
    except tomllib.TOMLDecodeError as error:
        raise InvalidToml(f"is not TOML: {error}") from error
    except RecursionError as error:
        raise InvalidToml("is nested too deeply") from error
    except InvalidToml:
        raise
    except ValueError as error:
        # Python reads no decimal integer of more than 4,300 digits.
        raise InvalidToml("has an integer of more than 64 bits") from error
    return document


def _refuse_long_keys(text: str) -> None:
    """Refuse a dotted key with too many parts; a URL in a string is none."""
    if all(line.count(".") < DEEPEST_KEY for line in text.split("\n")):
        return
    found = _LONG_KEY.search(_STRING_OR_COMMENT.sub(_stand_in, text))
    if found is not None:
        line = found.string.count("\n", 0, found.start()) + 1
        raise InvalidToml(f"line {line} has a key of more than {DEEPEST_KEY} parts")


def _stand_in(found: re.Match[str]) -> str:
    """Return what stands for a string or comment: as many lines, and no dot."""
    return ("" if found[0].startswith("#") else "s") + "\n" * found[0].count("\n")


def _check_limits(document: dict[str, Any]) -> None:
    """Look at every value that may be out of bounds; raises InvalidToml."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    while pending:
        parts, holder = pending.pop()
        if len(parts) > _MOST_LEVELS:
            raise InvalidToml("is nested too deeply", parts[:3])
        for key, value in holder.items() if type(holder) is dict else enumerate(holder):
            kind = type(value)
            if kind is dict or kind is list:
                pending.append(((*parts, key), value))
            elif kind is int and not _LEAST <= value < _MOST:
                raise InvalidToml("is an integer of more than 64 bits", (*parts, key))
            elif kind is datetime and not _is_in_range(value):
                raise InvalidToml("is out of range in UTC", (*parts, key))


def _is_in_range(moment: datetime) -> bool:
    if moment.tzinfo is None:
        return True
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return False
    return True
