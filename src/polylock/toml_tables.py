"""TOML as it is read everywhere: text to tables, and tables that know their key path.

``tomllib`` alone is not enough for a file that someone else wrote: an integer of 5,000
digits ends in a ValueError, a key of 16,000 parts takes minutes, and what is nested
deeply is read here and is too deep for whoever looks at it next.
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from polylock.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from polylock.errors import PolylockError

__all__ = [
    "DEEPEST_KEY",
    "LARGEST_TOML",
    "InvalidToml",
    "Table",
    "closest",
    "key_path",
    "parse_toml",
    "suggestion",
    "toml_type",
]

T = TypeVar("T")

LARGEST_TOML = 1 << 26
"""Characters of a file; the largest lock files of large projects have 2 ** 24."""

DEEPEST_KEY = 64
"""Parts of a dotted key; ``tomllib`` takes time by the square of their number."""

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
