"""TOML tables that know where they stand, so that each error names its key path."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from polylock.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from polylock.errors import PolylockError

__all__ = ["Table", "key_path", "suggestion", "toml_type"]

T = TypeVar("T")

_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),  # before int, of which it is one
    (str, "a string"),
    (int, "an integer"),
    (float, "a float"),
    (list, "an array"),
    (dict, "a table"),
    (datetime, "a date-time"),  # before date, of which it is one
    (date, "a date"),
    (time, "a time"),
)
_TOML_TYPES = (datetime, date, time)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def key_path(*parts: str | int) -> str:
    """Join keys and positions: ``tool.polylock.sources."a.b"[0].index``."""
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
            continue
        bare = _BARE_KEY.fullmatch(part)
        escaped = part.replace("\\", "\\\\").replace('"', '\\"')
        path += ("." if path else "") + (part if bare else f'"{escaped}"')
    return path


def suggestion(wrong: str, known: Collection[str]) -> str:
    """Return advice: the name that was probably meant, else all names."""
    from difflib import get_close_matches  # noqa: PLC0415 - for a misspelling only

    close = get_close_matches(wrong, sorted(known), n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are: {', '.join(known)}" if known else "there are none"


def toml_type(value: object) -> str:
    """Return TOML's word for the type of a value, with its article."""
    for kind, words in _TYPES:
        if isinstance(value, kind):
            return words
    return type(value).__name__


class Table:
    """A table of a file, read key by key or as a whole.

    ``path`` is the file as messages name it, ``parts`` the key path of the table.
    Every reading method raises the file's error where the value has the wrong type:
    ProjectError, unless ``refusal`` makes another of path, key, problem and advice.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        path: str,
        parts: tuple[str | int, ...] = (),
        refusal: Callable[[str, str, str, str | None], PolylockError] = ProjectError,
    ) -> None:
        self.values = values
        self.path = path
        self.parts = parts
        self.refusal = refusal

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def error(
        self, problem: str, *inside: str | int, advice: str | None = None
    ) -> PolylockError:
        """Return the error for this table, or for the key path ``inside`` it."""
        key = key_path(*self.parts, *inside)
        return self.refusal(self.path, key, problem, advice)

    def wrong_type(
        self, wanted: str, *inside: str | int, found: object
    ) -> PolylockError:
        """Return the error for a value of another type than ``wanted``."""
        advice = None
        if wanted == "a string" and type(found) in {int, float}:
            advice = f'write "{found}"'
        problem = f"must be {wanted}, not {toml_type(found)}"
        return self.error(problem, *inside, advice=advice)

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raise the error for the first key that is not among the known ones."""
        for name in self.values:
            if name not in known:
                raise self.error(
                    "is not a known key", name, advice=suggestion(name, known)
                )

    def string(self, name: str) -> str | None:
        """Return a string, None where the key is missing."""
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self.wrong_type("a string", name, found=value)

    def text(self, name: str) -> str:
        """Return a string that must be there."""
        if name not in self.values:
            raise self.error("is missing", name)
        return self.string(name) or ""

    def count(self, name: str) -> int | None:
        """Return an integer that is not negative, None where the key is missing."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong_type("an integer", name, found=value)
        if value < 0:
            raise self.error(f"must not be negative, and is {value}", name)
        return value

    def boolean(self, name: str) -> bool:
        """Return a boolean, false where the key is missing."""
        value = self.values.get(name, False)
        if isinstance(value, bool):
            return value
        raise self.wrong_type("a boolean", name, found=value)

    def array(self, name: str) -> list[Any]:
        """Return an array, empty where the key is missing."""
        value = self.values.get(name, [])
        if isinstance(value, list):
            return value
        raise self.wrong_type("an array", name, found=value)

    def strings(self, name: str) -> tuple[str, ...]:
        """Return an array of strings, empty where the key is missing."""
        values = self.array(name)
        for position, value in enumerate(values):
            if not isinstance(value, str):
                raise self.wrong_type("a string", name, position, found=value)
        return tuple(values)

    def choice(self, name: str, allowed: Collection[str], default: str) -> str:
        """Return one of the allowed strings."""
        value = self.string(name)
        if value is None:
            return default
        if value not in allowed:
            raise self.error(
                f"must be one of {', '.join(allowed)}, not {value!r}",
                name,
                advice=suggestion(value, allowed),
            )
        return value

    def table(self, name: str) -> Table:
        """Return a table, empty where the key is missing."""
        value = self.values.get(name, {})
        if isinstance(value, dict):
            return self.inside(value, name)
        raise self.wrong_type("a table", name, found=value)

    def tables(self, name: str) -> list[Table]:
        """Return an array of tables, empty where the key is missing."""
        found = []
        for position, value in enumerate(self.array(name)):
            if not isinstance(value, dict):
                raise self.wrong_type("a table", name, position, found=value)
            found.append(self.inside(value, name, position))
        return found

    def inside(self, values: Mapping[str, Any], *parts: str | int) -> Table:
        """Return a table that lies at a key path inside this one."""
        return Table(
            values,
            path=self.path,
            parts=(*self.parts, *parts),
            refusal=self.refusal,
        )

    def convert(self, kind: type[T], values: Mapping[str, Any] | None = None) -> T:
        """Return the whole table as a value of a type, unknown keys left out.

        ``values`` are its keys where some of them were read already: such a Struct is
        taken as it is.
        """
        found = self.values if values is None else values
        try:
            return msgspec.convert(found, kind, builtin_types=_TOML_TYPES)
        except msgspec.ValidationError:
            self._refuse(found, kind)

    def _refuse(self, values: Mapping[str, Any], kind: type) -> NoReturn:
        """Raise the error for the first value in the table that is not of the type."""
        # 5 ms, and only for what is refused.
        from polylock.model.toml_mismatch import mismatches  # noqa: PLC0415

        for each in mismatches(values, kind):
            if each.wanted is None:
                raise self.error(each.found, *each.parts)
            raise self.wrong_type(each.wanted, *each.parts, found=each.found)
        raise self.error("has values that do not fit its keys")
