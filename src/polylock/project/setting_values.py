"""The definition of a setting, and the conversion of values given for it."""

from __future__ import annotations

import enum
import re
from pathlib import Path
from typing import TYPE_CHECKING, assert_never
from urllib.parse import urlsplit

from packaging.utils import InvalidName, canonicalize_name, is_normalized_name

from polylock.errors import UsageError
from polylock.toml_tables import suggestion, toml_type
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GivenValue", "Kind", "SettingDefinition", "index_url_problem"]

_SCHEMES = ("http", "https", "file")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class Kind(enum.Enum):
    """The type of a setting; its value is a noun phrase for messages."""

    TEXT = "text"
    NAME = "a name"
    URL = "a URL"
    PATH = "a path"
    SWITCH = "true or false"
    NAMES = "names, separated by commas"
    WHOLE = "a whole number"
    SECONDS = "a number of seconds"


_TEXTS = frozenset({Kind.TEXT, Kind.NAME, Kind.URL, Kind.PATH})


class SettingDefinition(Value, frozen=True, kw_only=True):
    """One setting, with its flag, key and environment variable.

    ``name`` is the field of Settings and ``default`` the default in words. If
    ``for_user`` is false, the user's configuration file cannot have it, because one
    value for all projects makes no sense. ``choices`` are the allowed texts,
    ``minimum`` and ``maximum`` the allowed numbers, both included. ``presence`` is a
    variable of other tools that switches the setting on if it is not empty.
    """

    name: str
    kind: Kind
    help: str
    default: str
    flag: str
    for_user: bool = True
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    presence: str | None = None

    @property
    def key(self) -> str | None:
        """Return the key in the user's configuration file, None if it has none."""
        return self.name.replace("_", "-") if self.for_user else None

    @property
    def environment(self) -> str:
        """Return the environment variable, for example ``POLYLOCK_CACHE_DIR``."""
        return f"POLYLOCK_{self.name.upper()}"


class GivenValue(Value, frozen=True):
    """Converts a value given for a setting; ``place`` is named in an error."""

    definition: SettingDefinition
    place: str
    home: str | None
    directory: Path | None = None

    def convert(self, value: object) -> object:
        """Return the value of a flag, which click may have parsed already."""
        match value:
            case str():
                return self.parse(value)
            case Path() if self.definition.kind is Kind.PATH:
                return self.parse(str(value))
            case list() | tuple():
                return self.check(list(value))
            case _:
                return self.check(value)

    def parse(self, text: str) -> object:
        """Return the value of text from the environment or the command line."""
        match self.definition.kind:
            case Kind.SWITCH:
                return self._switch(text)
            case Kind.NAMES:
                return self._names([name.strip() for name in text.split(",")])
            case Kind.WHOLE:
                return self._number(text, int)
            case Kind.SECONDS:
                return self._number(text, float)
            case Kind.TEXT | Kind.NAME | Kind.URL | Kind.PATH:
                return self._text(text)
            case other:
                assert_never(other)

    def check(self, value: object) -> object:
        """Return a value that has a type already, as from TOML."""
        kind = self.definition.kind
        if kind is Kind.NAMES and isinstance(value, list):
            return self._names(value)
        if isinstance(value, str) and kind in _TEXTS:
            return self._text(value)
        if isinstance(value, bool):
            if kind is Kind.SWITCH:
                return value
        elif kind is Kind.WHOLE and isinstance(value, int):
            return self._limited(value)
        elif kind is Kind.SECONDS and isinstance(value, int | float):
            return self._limited(float(value))
        raise self._error(f"must be {kind.value}, not {toml_type(value)}")

    def _text(self, text: str) -> object:
        definition = self.definition
        if not text:
            raise self._error("is empty")
        if definition.choices and text not in definition.choices:
            raise self._error(
                f"must be one of {', '.join(definition.choices)}, not {text!r}",
                suggestion(text, definition.choices),
            )
        if definition.kind is Kind.URL:
            problem = index_url_problem(text)
            if problem is not None:
                raise self._error(problem)
        if definition.kind is Kind.NAME:
            try:
                # Presets are spelled ``linux-x86_64``.
                return canonicalize_name(text, validate=True)
            except InvalidName:
                return text  # no target has it: the message shows what was typed
        if definition.kind is not Kind.PATH:
            return text
        if self.home and (text == "~" or text.startswith(("~/", "~\\"))):
            return Path(self.home, text[2:])
        return self.directory / text if self.directory else Path(text)

    def _switch(self, text: str) -> bool:
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise self._error(f"must be true or false, not {text!r}")

    def _names(self, names: Sequence[object]) -> tuple[str, ...]:
        found = set()
        for name in names:
            if not isinstance(name, str):
                raise self._error(f"must hold names, not {toml_type(name)}")
            if not is_normalized_name(canonicalize_name(name)):
                raise self._error(f"{name!r} is not a valid name")
            found.add(canonicalize_name(name))
        return tuple(sorted(found))

    def _number(self, text: str, number: type[int | float]) -> float:
        try:
            return self._limited(number(text))
        except ValueError as error:
            raise self._error(
                f"must be {self.definition.kind.value}, not {text!r}"
            ) from error

    def _limited(self, value: float) -> float:
        minimum, maximum = self.definition.minimum, self.definition.maximum
        if minimum is None or maximum is None or minimum <= value <= maximum:
            return value
        raise self._error(f"must be from {minimum:g} to {maximum:g}, not {value:g}")

    def _error(self, problem: str, advice: str | None = None) -> UsageError:
        return UsageError(f"{self.place}: {problem}", advice)


def index_url_problem(url: str) -> str | None:
    """Return the problem of the base URL of an index, None if there is none.

    It does not repeat the URL, which may hold a password.
    """
    try:
        parts = urlsplit(url)
        complete = bool(parts.path) if parts.scheme == "file" else bool(parts.hostname)
        _ = parts.port  # raises ValueError where it is no number
    except ValueError:
        return "is not a valid URL"
    if parts.scheme not in _SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
        return f"must begin with one of {known}"
    if not complete or parts.query or parts.fragment or re.search(r"\s", url):
        return "is not the base URL of an index"
    return None
