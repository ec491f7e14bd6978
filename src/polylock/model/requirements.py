"""Requirements with separate markers (PEP 508).

``packaging.requirements.Requirement`` rejects variant markers, so the marker is split
off and packaging parses only the rest.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from polylock.model.markers import InvalidMarker, MarkerExpression, parse_marker
from polylock.model.quantities import has_long_number

if TYPE_CHECKING:
    from collections.abc import Collection

    _Parts = tuple[str, Collection[str], str, str | None]

__all__ = [
    "LONGEST_REQUIREMENT",
    "InvalidRequirement",
    "Requirement",
    "is_specifier",
]

LONGEST_REQUIREMENT = 1 << 14
"""Most characters; the longest on public indexes have 1,500, mostly markers."""

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_CLAUSE = r"(?:[~=!<>]=|[<>])[ \t]*[A-Za-z0-9][A-Za-z0-9.!+*_-]*"
_USUAL = re.compile(
    rf"({_NAME})[ \t]*"
    rf"(?:\[[ \t]*({_NAME}(?:[ \t]*,[ \t]*{_NAME})*)[ \t]*\][ \t]*)?"
    rf"({_CLAUSE}(?:[ \t]*,[ \t]*{_CLAUSE})*)?"
)
"""Name, extras and specifiers of the usual form."""


@lru_cache(maxsize=65536)
def is_specifier(text: str) -> bool:
    """Return True if a text is a version specifier set; some on indexes are not."""
    try:
        SpecifierSet(text)
    except ValueError:
        return False
    return not has_long_number(text)


class InvalidRequirement(ValueError):
    """Text that is not a valid requirement."""


class Requirement(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A requirement split into parts, each still text; hashable, and the cached form.

    ``specifier`` is the version specifier set, sorted, empty for any version;
    ``marker`` the marker as written, empty for always. ``name`` is normalized, and
    so are ``extras``, which are sorted.
    """

    name: str
    specifier: str = ""
    extras: tuple[str, ...] = ()
    marker: str = ""
    url: str | None = None

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """Parse PEP 508 text, variant markers allowed; raises InvalidRequirement."""
        if len(text) > LONGEST_REQUIREMENT:
            problem = f"{text[:40]}... has more than {LONGEST_REQUIREMENT} characters"
            raise InvalidRequirement(problem)
        if has_long_number(text):
            raise InvalidRequirement(
                f"{text[:40]}... has a number of 100 digits or more"
            )
        head, marker = _split_marker(text)
        name, extras, specifier, url = _usual_parts(head) or _parts(head)
        if marker:
            try:
                parse_marker(marker)
            except InvalidMarker as error:
                raise InvalidRequirement(str(error)) from error
        return cls(
            name=canonicalize_name(name),
            specifier=specifier,
            extras=tuple(sorted({canonicalize_name(extra) for extra in extras})),
            marker=marker,
            url=url,
        )

    @property
    def normalized_name(self) -> NormalizedName:
        """Return ``name`` as a NormalizedName: ``parse`` normalized it."""
        return cast("NormalizedName", self.name)

    @property
    def marker_expression(self) -> MarkerExpression | None:
        """Return the parsed marker, cached by its text; None for always."""
        return parse_marker(self.marker) if self.marker else None

    def __str__(self) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        where = f" @ {self.url}" if self.url else self.specifier
        separator = " ; " if self.url else "; "
        marker = f"{separator}{self.marker}" if self.marker else ""
        return f"{self.name}{extras}{where}{marker}"


def _usual_parts(text: str) -> _Parts | None:
    """Split a requirement of the usual form, None for any other.

    packaging's parser gives the same result, but takes 8 ms to import.
    """
    match = _USUAL.fullmatch(text)
    if match is None:
        return None
    name, extras, specifier = match.groups("")
    try:
        specifier = str(SpecifierSet(specifier))
    except ValueError:
        return None
    names = [extra.strip() for extra in extras.split(",")] if extras else []
    return name, names, specifier, None


def _parts(text: str) -> _Parts:
    """Split a requirement by packaging's parser; raises InvalidRequirement."""
    from packaging import requirements  # noqa: PLC0415 - as above

    if "\\" in text:  # packaging evaluates it as a Python escape, with warnings
        raise InvalidRequirement("a requirement must not contain a backslash")
    try:
        plain = requirements.Requirement(text)
    except requirements.InvalidRequirement as error:
        raise InvalidRequirement(str(error)) from error
    return plain.name, plain.extras, str(plain.specifier), plain.url


def _split_marker(text: str) -> tuple[str, str]:
    """Split at the semicolon before the marker.

    A URL may contain semicolons, so after ``@`` only one with white space before it
    counts (PEP 508, "URL reference").
    """
    at = text.find("@")
    semicolon = text.find(";")
    if at != -1 and (semicolon == -1 or at < semicolon):
        for separator in (" ;", "\t;"):
            head, found, marker = text.partition(separator)
            if found:
                return head.strip(), marker.strip()
        return text.strip(), ""
    head, _, marker = text.partition(";")
    return head.strip(), marker.strip()
