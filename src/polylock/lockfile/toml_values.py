"""TOML 1.0 values as text, one spelling for each value.

tomlkit takes 900 ms for a lock file of 300 packages, and tomli-w writes a table inline
or with a header depending on the length of the line, so that a small change can alter
the layout. Here every value has one spelling, on one line.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["array", "inline_table", "key_text", "moment", "string", "value_text"]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SPECIAL = re.compile(r'[\x00-\x1f"\\\x7f]')
_SHORT_ESCAPES = {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}


def string(text: str) -> str:
    """Return a basic string; control characters and DEL are escaped."""
    if _SPECIAL.search(text) is None:
        return f'"{text}"'
    return f'"{_SPECIAL.sub(_escape, text)}"'


def key_text(key: str) -> str:
    """Return a key, without quotes where TOML allows that."""
    return key if _BARE_KEY.fullmatch(key) else string(key)


def moment(value: datetime) -> str:
    """Return a date-time: with an offset in UTC, a local one unchanged."""
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def value_text(value: Any) -> str:  # noqa: ANN401, PLR0911 - any TOML value, a return a kind
    """Return any TOML value on one line; None within tables and arrays is left out.

    Raises TypeError for a type that TOML does not have.
    """
    match value:
        case str():
            return string(value)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)
        case datetime():
            return moment(value)
        case date() | time():
            return value.isoformat()
        case dict():
            return inline_table(value.items())
        case list() | tuple():
            inner = ", ".join(value_text(item) for item in value if item is not None)
            return f"[{inner}]"
        case _:
            raise TypeError(f"TOML has no {type(value).__name__}")


def inline_table(items: Iterable[tuple[str, Any]]) -> str:
    """Return an inline table with the items in this order; None is left out."""
    inner = ", ".join(
        f"{key_text(key)} = {value_text(value)}"
        for key, value in items
        if value is not None
    )
    return f"{{ {inner} }}" if inner else "{}"


def array(key: str, values: Iterable[str]) -> Iterator[str]:
    """Yield the lines of an array, one for each value, given as TOML text."""
    lines = [f"  {value}," for value in values]
    if not lines:
        yield f"{key} = []"
        return
    yield f"{key} = ["
    yield from lines
    yield "]"


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _SHORT_ESCAPES.get(character) or f"\\u{ord(character):04x}"
