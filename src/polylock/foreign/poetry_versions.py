"""Version constraints and dependencies of Poetry, as requirements (PEP 508).

``^1.2.3`` allows what has the same leftmost number that is not zero, ``~1.2`` the same
minor version. ``||`` has no equivalent in a specifier.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from polylock.model.markers import (
    Atom,
    Combination,
    InvalidMarker,
    MarkerExpression,
    conjunction,
    parse_marker,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "InvalidConstraint",
    "dependency_text",
    "marker_of",
    "specifier_of",
    "split_extras",
]

_CLAUSE = re.compile(
    r"\s*(\^|~(?!=)|~=|===?|!=|<=|>=|<|>|=)?\s*((?:\d+!)?[^\s,<>=!~^|]+)\s*,?"
)


_GAP = re.compile(r"<\s*([^\s,<>=|]+)\s*\|\|?\s*>\s*\1(?=[\s,|]|$)")
"""A single version that two alternatives leave out."""


class InvalidConstraint(ValueError):
    """A constraint without an equivalent; the message is a clause."""


def specifier_of(constraint: str) -> str:
    """Return a specifier for a constraint, empty for any version.

    Raises InvalidConstraint.
    """
    text = _without_gaps(constraint.strip().strip("()"))
    if "|" in text:
        raise InvalidConstraint(f"{constraint!r} has alternatives, which PEP 508 lacks")
    if text in {"", "*"}:
        return ""
    clauses: list[str] = []
    position = 0
    while position < len(text):
        found = _CLAUSE.match(text, position)
        if found is None or found.end() == position:
            raise InvalidConstraint(f"{constraint!r} is not a version constraint")
        clauses += _clause(found[1] or "", found[2])
        position = found.end()
    specifier = ",".join(dict.fromkeys(clauses))
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier as error:
        raise InvalidConstraint(
            f"{constraint!r} is not a version constraint"
        ) from error
    return specifier


def _without_gaps(text: str) -> str:
    """Return ``>=3.8,!=3.9.7`` for ``>=3.8,<3.9.7 || >3.9.7``."""
    return _GAP.sub(lambda found: f"!={found[1]}", text)


def _clause(operator: str, version: str) -> Iterator[str]:
    if version == "*":
        return
    if operator in {"^", "~"}:
        yield from _range(operator, version)
    elif operator in {"", "="}:
        yield f"=={version}"
    else:
        yield f"{operator}{version}"


def _range(operator: str, text: str) -> Iterator[str]:
    plain = text.removesuffix(".*")
    try:
        version = Version(plain)
    except InvalidVersion as error:
        raise InvalidConstraint(f"{text!r} is not a version") from error
    release = list(version.release)
    if operator == "~":
        kept = release[:1] if len(release) == 1 else release[:2]
    else:
        nonzero = next((n for n, part in enumerate(release) if part), len(release) - 1)
        kept = release[: nonzero + 1]
    kept[-1] += 1
    epoch = f"{version.epoch}!" if version.epoch else ""
    # PEP 440 refuses a local version after >=.
    yield f">={version.public}"
    yield f"<{epoch}{'.'.join(map(str, kept))}"


def dependency_text(name: str, value: Mapping[str, Any], marker: str = "") -> str:
    """Return a dependency as a requirement, with a marker in place of its own.

    Raises InvalidConstraint.
    """
    extras = value.get("extras")
    listed = f"[{','.join(map(str, extras))}]" if isinstance(extras, list) else ""
    specifier = specifier_of(str(value.get("version") or ""))
    ending = f" ; {marker}" if marker else ""
    return f"{name}{listed}{specifier}{ending}"


def marker_of(value: Mapping[str, Any]) -> MarkerExpression | None:
    """Return the condition of a dependency: its marker, Python and platform.

    Raises InvalidConstraint.
    """
    parts: list[MarkerExpression] = []
    try:
        if text := value.get("markers"):
            parts.append(parse_marker(str(text)))
    except InvalidMarker as error:
        raise InvalidConstraint(str(error)) from error
    if python := value.get("python"):
        parts += _python_atoms(specifier_of(str(python)))
    if platform := value.get("platform"):
        parts.append(Atom("sys_platform", "==", str(platform)))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else conjunction(parts)


def _python_atoms(specifier: str) -> Iterator[MarkerExpression]:
    for clause in filter(None, specifier.split(",")):
        found = re.fullmatch(r"(~=|===?|!=|<=|>=|<|>)(.+)", clause)
        if found is None:
            raise InvalidConstraint(f"{clause!r} is not a version constraint")
        operator, version = found[1], found[2]
        parts = version.removesuffix(".*").split(".")
        field = "python_version" if len(parts) <= 2 else "python_full_version"
        if len(parts) == 1 and operator in {"<", ">="}:
            version = f"{version}.0"
        yield Atom(field, operator, version)


def split_extras(
    marker: MarkerExpression | None,
) -> tuple[MarkerExpression | None, list[str], list[str]]:
    """Return a marker without its extras, the extras, and those that it excludes.

    ``extra == 'cuda' and extra != 'cpu'`` is how Poetry 2 tells exclusive extras apart.
    """
    operands: list[MarkerExpression] = (
        list(marker.operands)
        if isinstance(marker, Combination) and marker.operator == "and"
        else [marker]
        if marker is not None
        else []
    )
    kept: list[MarkerExpression] = []
    names: list[str] = []
    excluded: list[str] = []
    for each in operands:
        if isinstance(each, Atom) and each.field == "extra" and each.operator in _EXTRA:
            (names if each.operator == "==" else excluded).append(each.value)
        else:
            kept.append(each)
    if not kept:
        return None, names, excluded
    return (kept[0] if len(kept) == 1 else conjunction(kept)), names, excluded


_EXTRA = ("==", "!=")
