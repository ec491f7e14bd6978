"""Typed access to a parsed TOML table; an error names its key path."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from polylock.errors import LockFileInvalid
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Table"]

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (str, "a string"),
    (int, "an integer"),
    (float, "a float"),
    (list, "an array"),
    (dict, "a table"),
    (datetime, "a date-time"),
)


class Table(Value, frozen=True):
    """A table of a lock file, with the file's path and the table's own key path.

    Every method raises LockFileInvalid where the value has another type.
    """

    data: Mapping[str, Any]
    path: str
    key: str = ""

    def key_path(self, key: str) -> str:
        """Return the key path of one of the table's keys."""
        return f"{self.key}.{key}" if self.key else key

    def error(self, key: str, problem: str) -> LockFileInvalid:
        """Return the error for one of the table's keys; empty: the table itself."""
        place = self.key_path(key) if key else self.key
        return LockFileInvalid(self.path, place, problem)

    def optional_text(self, key: str) -> str | None:
        """Return a string, None where the key is missing."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, str):
            raise self._wrong_type(key, "a string", value)
        return value

    def text(self, key: str) -> str:
        """Return a string that must be there."""
        value = self.optional_text(key)
        if value is None:
            raise self.error(key, "is missing")
        return value

    def boolean(self, key: str) -> bool | None:
        """Return a boolean, None where the key is missing."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, bool):
            raise self._wrong_type(key, "a boolean", value)
        return value

    def size(self, key: str) -> int | None:
        """Return a number of bytes, None where the key is missing."""
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong_type(key, "an integer", value)
        if value < 0:
            raise self.error(key, f"must not be negative, and is {value}")
        return value

    def moment(self, key: str) -> datetime | None:
        """Return a date-time in UTC, None where the key is missing.

        PEP 751 asks for UTC; a local date-time is read as such, and one with another
        offset is converted.
        """
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, datetime):
            raise self._wrong_type(key, "a date-time", value)
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)

    def optional_texts(self, key: str) -> tuple[str, ...] | None:
        """Return an array of strings, None where the key is missing."""
        values = self._array(key)
        if values is None:
            return None
        for position, value in enumerate(values):
            if not isinstance(value, str):
                raise self._wrong_type(f"{key}[{position}]", "a string", value)
        return tuple(values)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return an array of strings, empty where the key is missing."""
        return self.optional_texts(key) or ()

    def table(self, key: str) -> Table | None:
        """Return a table, None where the key is missing."""
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self._wrong_type(key, "a table", value)
        return Table(value, self.path, self.key_path(key))

    def tables(self, key: str) -> Iterator[Table]:
        """Yield the tables of an array, none where the key is missing."""
        for position, value in enumerate(self._array(key) or ()):
            place = f"{key}[{position}]"
            if not isinstance(value, Mapping):
                raise self._wrong_type(place, "a table", value)
            yield Table(value, self.path, self.key_path(place))

    def documents(self, key: str) -> tuple[Mapping[str, Any], ...] | None:
        """Return the tables of an array as they are, None where the key is missing."""
        if key not in self.data:
            return None
        return tuple(table.data for table in self.tables(key))

    def _array(self, key: str) -> list[Any] | None:
        value = self.data.get(key)
        if value is not None and not isinstance(value, list):
            raise self._wrong_type(key, "an array", value)
        return value

    def _wrong_type(self, key: str, wanted: str, value: object) -> LockFileInvalid:
        found = next(
            (name for kind, name in _KINDS if isinstance(value, kind)),
            f"a {type(value).__name__}",
        )
        return self.error(key, f"must be {wanted}, not {found}")
