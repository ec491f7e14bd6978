"""A TOML table that knows where it stands, so that each error names its key path."""

from __future__ import annotations

import re
from datetime import date, time
from typing import TYPE_CHECKING, Any

from polylock.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["Table", "closest", "key_path", "suggestion", "toml_type"]

_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),  # before int, of which it is one
    (str, "a string"),
    (int, "an integer"),
    (float, "a float"),
    (list, "an array"),
    (dict, "a table"),
    (date, "a date or time"),
    (time, "a date or time"),
)
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


def closest(wrong: str, known: Collection[str]) -> str | None:
    """Return the name that was probably meant, None where none is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - for a misspelling only

    return next(iter(get_close_matches(wrong, sorted(known), n=1)), None)


def suggestion(wrong: str, known: Collection[str]) -> str:
    """Return advice: the name that was probably meant, else all names."""
    close = closest(wrong, known)
    if close is not None:
        return f"did you mean {close}?"
    return f"there are: {', '.join(known)}" if known else "there are none"


def toml_type(value: object) -> str:
    """Return TOML's word for the type of a value, with its article."""
    for kind, words in _TYPES:
        if isinstance(value, kind):
            return words
    return type(value).__name__


class Table:
    """A table of the project file, read key by key.

    ``path`` is the file as messages name it, ``parts`` the key path of the table.
    Every reading method raises ProjectError where the value has the wrong type.
    """

    def __init__(
        self, values: Mapping[str, Any], *, path: str, parts: tuple[str | int, ...] = ()
    ) -> None:
        self.values = values
        self.path = path
        self.parts = parts

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def error(
        self, problem: str, *inside: str | int, advice: str | None = None
    ) -> ProjectError:
        """Return the error for this table, or for the key path ``inside`` it."""
        return ProjectError(self.path, key_path(*self.parts, *inside), problem, advice)

    def wrong_type(
        self, wanted: str, *inside: str | int, found: object
    ) -> ProjectError:
        """Return the error for a value of another type than ``wanted``."""
        advice = None
        if wanted == "a string" and type(found) in {int, float}:
            advice = f'write "{found}"'
        problem = f"must be {wanted}, not {toml_type(found)}"
        return self.error(problem, *inside, advice=advice)

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raise ProjectError for the first key that is not among the known ones."""
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
        return Table(values, path=self.path, parts=(*self.parts, *parts))
