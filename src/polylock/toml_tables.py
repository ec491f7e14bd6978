"""The TOML reader: parsing within limits, and tables that know their key path.

``tomllib`` alone is not safe for a file that someone else wrote: an integer of 5,000
digits raises ValueError, a key of 16,000 parts takes minutes, and deep nesting parses
but overflows the stack of the code that walks the result.
"""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from polylock.errors import PolylockError, ProjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


__all__ = [
    "DEEPEST_KEY",
    "LARGEST_TOML",
    "InvalidToml",
    "Table",
    "close_names",
    "closest",
    "conflict_marker",
    "key_path",
    "parse_toml",
    "suggestion",
    "toml_type",
]

T = TypeVar("T")

LARGEST_TOML = 1 << 26
"""Most characters of a file; the largest known lock files have 2 ** 24."""

DEEPEST_KEY = 64
"""Most parts of a dotted key: ``tomllib`` takes time quadratic in their number."""

_MOST_LEVELS = 100
_ABOUT_EQUAL = 0.1
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
    (bool, "a boolean"),  # before int, its base class
    (str, "a string"),
    (int, "an integer"),
    (float, "a float"),
    (list, "an array"),
    (dict, "a table"),
    (datetime, "a date-time"),  # before date, its base class
    (date, "a date"),
    (time, "a time"),
)
_TOML_TYPES = (datetime, date, time)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


_CONFLICT_MARKER = re.compile(r"(<{7}|={7}|>{7}|\|{7})( |\r?$)")


class InvalidToml(ValueError):
    """Text that is not TOML or exceeds a limit; the message is a clause.

    ``parts`` is the key path of the fault, empty if the text is not TOML.
    """

    def __init__(self, problem: str, parts: tuple[str | int, ...] = ()) -> None:
        super().__init__(problem)
        self.parts = parts


def conflict_marker(text: str) -> int | None:
    """Return the number of the first line that is a merge conflict marker of git."""
    for number, line in enumerate(text.split("\n"), start=1):
        if _CONFLICT_MARKER.match(line):
            return number
    return None


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML document; raises InvalidToml.

    In the result every integer fits 64 bits, every date-time converts to UTC, and the
    nesting is at most a hundred levels deep.
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
        # Python refuses decimal integers of more than 4,300 digits.
        raise InvalidToml("has an integer of more than 64 bits") from error
    return document


def _refuse_long_keys(text: str) -> None:
    """Raise InvalidToml for a dotted key with too many parts."""
    if all(line.count(".") < DEEPEST_KEY for line in text.split("\n")):
        return
    found = _LONG_KEY.search(_STRING_OR_COMMENT.sub(_placeholder, text))
    if found is not None:
        line = found.string.count("\n", 0, found.start()) + 1
        raise InvalidToml(f"line {line} has a key of more than {DEEPEST_KEY} parts")


def _placeholder(found: re.Match[str]) -> str:
    """Return a placeholder without dots for a string or comment, as many lines long."""
    return ("" if found[0].startswith("#") else "s") + "\n" * found[0].count("\n")


def _check_limits(document: dict[str, Any]) -> None:
    """Raise InvalidToml for a value that is out of bounds or nested too deeply."""
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


def close_names(
    wrong: str, known: Collection[str], *, similarity: float = 0.6
) -> list[str]:
    """Return up to three known names that are about equally similar, the best first."""
    # For a misspelling only.
    from difflib import SequenceMatcher, get_close_matches  # noqa: PLC0415

    found = get_close_matches(wrong, sorted(known), 3, similarity)
    if not found:
        return []
    least = SequenceMatcher(None, found[0], wrong).ratio() - _ABOUT_EQUAL
    return [
        name for name in found if SequenceMatcher(None, name, wrong).ratio() >= least
    ]


def closest(
    wrong: str, known: Collection[str], *, similarity: float = 0.6
) -> str | None:
    """Return the known name that is most similar, None if none is close."""
    return next(iter(close_names(wrong, known, similarity=similarity)), None)


def suggestion(wrong: str, known: Collection[str]) -> str:
    """Return advice: the known names that are most similar, or all names."""
    if close := close_names(wrong, known):
        return f"did you mean {' or '.join(close)}?"
    return f"there are: {', '.join(known)}" if known else "there are none"


def toml_type(value: object) -> str:
    """Return TOML's word for the type of a value, with its article."""
    for kind, words in _TYPES:
        if isinstance(value, kind):
            return words
    return type(value).__name__


class Table:
    """A table of a file, read key by key or as a whole.

    ``path`` names the file in messages, ``parts`` is the key path of the table. Every
    reading method raises an error if the value has the wrong type: ProjectError, or
    the one that ``refusal`` makes of path, key, problem and advice.
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
        """Return the error for this table, or for a key path ``inside`` it."""
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
        """Return a string, None if the key is missing."""
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self.wrong_type("a string", name, found=value)

    def text(self, name: str) -> str:
        """Return a required string."""
        if name not in self.values:
            raise self.error("is missing", name)
        return self.string(name) or ""

    def count(self, name: str) -> int | None:
        """Return a non-negative integer, None if the key is missing."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong_type("an integer", name, found=value)
        if value < 0:
            raise self.error(f"must not be negative, and is {value}", name)
        return value

    def boolean(self, name: str) -> bool:
        """Return a boolean, False if the key is missing."""
        value = self.values.get(name, False)
        if isinstance(value, bool):
            return value
        raise self.wrong_type("a boolean", name, found=value)

    def array(self, name: str) -> list[Any]:
        """Return an array, empty if the key is missing."""
        value = self.values.get(name, [])
        if isinstance(value, list):
            return value
        raise self.wrong_type("an array", name, found=value)

    def strings(self, name: str) -> tuple[str, ...]:
        """Return an array of strings, empty if the key is missing."""
        values = self.array(name)
        for position, value in enumerate(values):
            if not isinstance(value, str):
                raise self.wrong_type("a string", name, position, found=value)
        return tuple(values)

    def choice(self, name: str, allowed: Collection[str], default: str) -> str:
        """Return one of the allowed strings, ``default`` if the key is missing."""
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
        """Return a table, empty if the key is missing."""
        value = self.values.get(name, {})
        if isinstance(value, dict):
            return self.inside(value, name)
        raise self.wrong_type("a table", name, found=value)

    def tables(self, name: str) -> list[Table]:
        """Return an array of tables, empty if the key is missing."""
        found = []
        for position, value in enumerate(self.array(name)):
            if not isinstance(value, dict):
                raise self.wrong_type("a table", name, position, found=value)
            found.append(self.inside(value, name, position))
        return found

    def inside(self, values: Mapping[str, Any], *parts: str | int) -> Table:
        """Return the Table for values at a key path inside this one."""
        return Table(
            values,
            path=self.path,
            parts=(*self.parts, *parts),
            refusal=self.refusal,
        )

    def convert(self, kind: type[T], values: Mapping[str, Any] | None = None) -> T:
        """Return the whole table as a value of a type, unknown keys ignored.

        ``values`` replaces the table's own values, if some of them were converted
        already: a Struct among them is kept as it is.
        """
        found = self.values if values is None else values
        try:
            return msgspec.convert(found, kind, builtin_types=_TOML_TYPES)
        except msgspec.ValidationError:
            self._refuse(found, kind)

    def _refuse(self, values: Mapping[str, Any], kind: type) -> NoReturn:
        """Raise the error for the first value that does not fit the type."""
        # 5 ms, only for an error.
        from polylock.model.toml_mismatch import mismatches  # noqa: PLC0415

        for each in mismatches(values, kind):
            if each.wanted is None:
                raise self.error(each.found, *each.parts)
            raise self.wrong_type(each.wanted, *each.parts, found=each.found)
        raise self.error("has values that do not fit its keys")
