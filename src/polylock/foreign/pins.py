"""The pins of another tool's lock file, and the choice of those for a target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidName, NormalizedName, canonicalize_name
from packaging.version import Version

from polylock.lockfile.pylock import last_component
from polylock.model.folding import fold
from polylock.model.markers import (
    Combination,
    InvalidMarker,
    MarkerExpression,
    parse_marker,
)
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from polylock.model.target import Target
    from polylock.toml_tables import Table

__all__ = [
    "ForeignLock",
    "ForeignPin",
    "Skipped",
    "file_hashes",
    "is_hash",
    "normalized_name",
    "parsed_hash",
    "parsed_marker",
    "pins_for",
    "project_name",
    "version_text",
]

_HASH = re.compile(r"[a-z0-9_]+:[0-9a-f]+")


class ForeignPin(Value, frozen=True, kw_only=True):
    """A version of a project, as another tool has locked it.

    It applies where any of the ``markers`` holds, everywhere if there are none.
    ``requires_python`` is empty if the lock file has none. ``files`` maps file names to
    hashes, ``algorithm:value``; ``hashes`` are those without a file name.
    """

    name: NormalizedName
    version: str
    markers: tuple[MarkerExpression, ...] = ()
    requires_python: str = ""
    files: Mapping[str, frozenset[str]] = field(default_factory=dict)
    hashes: frozenset[str] = frozenset()


class Skipped(Value, frozen=True, kw_only=True):
    """An entry that is not a pin; ``reason`` is a clause."""

    name: str
    reason: str


class ForeignLock(Value, frozen=True, kw_only=True):
    """A lock file of another tool; ``path`` names it in messages."""

    path: str
    tool: str
    pins: tuple[ForeignPin, ...]
    skipped: tuple[Skipped, ...] = ()


def pins_for(lock: ForeignLock, target: Target) -> dict[NormalizedName, ForeignPin]:
    """Return the pin of each project for a target.

    Of several, those whose marker certainly holds come first, then the newest. A marker
    is undecided if it depends on extras or on the patch release of Python.
    """
    found: dict[NormalizedName, tuple[tuple[bool, Version], ForeignPin]] = {}
    for pin in lock.pins:
        holds = _is_for(pin, target)
        if holds is False:
            continue
        rank = (holds is True, Version(pin.version))
        if pin.name not in found or rank > found[pin.name][0]:
            found[pin.name] = rank, pin
    return {name: pin for name, (_, pin) in found.items()}


def _is_for(pin: ForeignPin, target: Target) -> bool | None:
    """Return True if a pin applies to a target, None if that is undecided."""
    if pin.requires_python and not _admits(pin.requires_python, target):
        return False
    if not pin.markers:
        return True
    return _joined("or", [_holds(marker, target) for marker in pin.markers])


def _holds(marker: MarkerExpression, target: Target) -> bool | None:
    if isinstance(marker, Combination):
        return _joined(
            marker.operator, [_holds(each, target) for each in marker.operands]
        )
    if marker.field in {"extra", "extras"}:
        return None  # a target does not select extras
    if marker.field == "dependency_groups":
        # A lock file of polylock has the targets as groups.
        return marker.operator == "in" if marker.value == target.name else None
    folded = fold(marker, target)
    return folded if isinstance(folded, bool) else None


def _joined(operator: str, answers: Sequence[bool | None]) -> bool | None:
    absorbing = operator == "or"
    if absorbing in answers:
        return absorbing
    return None if None in answers else not absorbing


def _admits(requires_python: str, target: Target) -> bool:
    """Return True if a Python is allowed; an invalid specifier allows all."""
    try:
        specifiers = SpecifierSet(requires_python)
    except ValueError:
        return True
    return specifiers.contains(target.description.python.newest, prereleases=True)


def project_name(table: Table, key: str = "name") -> NormalizedName:
    """Return the normalized project name of a table; raises LockFileInvalid."""
    return normalized_name(table, table.text(key), key)


def normalized_name(table: Table, text: str, *key: str | int) -> NormalizedName:
    """Return a project name normalized; raises LockFileInvalid."""
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise table.error(f"{text!r} is not a project name", *key) from error


def version_text(table: Table, text: str, key: str = "version") -> str:
    """Return a version normalized by PEP 440; raises LockFileInvalid."""
    try:
        return str(Version(text))
    except ValueError as error:
        raise table.error(f"{text!r} is not a version", key) from error


def parsed_marker(table: Table, text: str, *key: str | int) -> MarkerExpression:
    """Parse a marker; raises LockFileInvalid."""
    try:
        return parse_marker(text)
    except InvalidMarker as error:
        raise table.error(str(error), *key) from error


def is_hash(text: str) -> bool:
    """Return True if a text is a hash, ``algorithm:value`` in lower case."""
    return _HASH.fullmatch(text) is not None


def parsed_hash(table: Table, text: str, *key: str | int) -> str:
    """Return a hash, ``algorithm:value`` in lower case; raises LockFileInvalid."""
    value = text.lower()
    if not is_hash(value):
        raise table.error(f"{text!r} is not ALGORITHM:VALUE", *key)
    return value


def file_hashes(tables: Iterable[Table]) -> dict[str, frozenset[str]]:
    """Return the hashes by file name of tables with a ``hash`` and a name, path or URL.

    Raises LockFileInvalid.
    """
    found: dict[str, frozenset[str]] = {}
    for table in tables:
        value = table.string("hash")
        name = (
            table.string("file")
            or table.string("filename")
            or last_component(table.string("path"), table.string("url"))
        )
        if value is not None and name:
            hashes = frozenset({parsed_hash(table, value, "hash")})
            found[name] = found.get(name, frozenset()) | hashes
    return found
