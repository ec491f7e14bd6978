"""The fields of a distribution's core metadata that the solver needs."""

from __future__ import annotations

import msgspec
from packaging.utils import canonicalize_name

from polylock.model.requirements import InvalidRequirement, Requirement

__all__ = ["LARGEST_FIELDS", "MOST_FIELDS", "CoreMetadata", "InvalidCoreMetadata"]

MOST_FIELDS = 20_000
"""The largest metadata on public indexes has 3,000 lines of requirements."""

LARGEST_FIELDS = 4 * 1024**2
"""Bytes of all fields; the description may follow them, and is not read."""

_LONGEST = 1000
"""Characters of a name, a version or a specifier."""


class InvalidCoreMetadata(ValueError):
    """METADATA or PKG-INFO without a name or version, or with a bad requirement.

    ``line`` is the faulty line, empty if a line is missing.
    """

    def __init__(self, problem: str, line: str = "") -> None:
        """Store the problem and its line."""
        super().__init__(f"{problem}: {line}" if line else problem)
        self.problem = problem
        self.line = line


class CoreMetadata(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """Name, version and requirements of one wheel or source distribution.

    This is also the cached form: requirements are stored in their parts, so that a
    warm run parses no PEP 508 text. ``dynamic`` lists the fields of an
    sdist that its backend may still change (PEP 643), in lower case.
    """

    name: str
    version: str
    requires_python: str | None = None
    requires_dist: tuple[Requirement, ...] = ()
    provides_extra: tuple[str, ...] = ()
    metadata_version: str = ""
    dynamic: tuple[str, ...] = ()

    @classmethod
    def parse(cls, content: bytes) -> CoreMetadata:
        """Parse METADATA or PKG-INFO; raises InvalidCoreMetadata."""
        from email.parser import HeaderParser  # noqa: PLC0415 - 3 ms, for cold runs

        fields = _fields(content)
        if len(fields) > LARGEST_FIELDS:
            raise InvalidCoreMetadata(f"its fields have over {LARGEST_FIELDS} bytes")
        message = HeaderParser().parsestr(fields.decode("utf-8", "replace"))
        name, version = message.get("Name"), message.get("Version")
        if not name or not version:
            raise InvalidCoreMetadata("Name or Version is missing")
        requires_python = message.get("Requires-Python") or None
        if max(len(name), len(version), len(requires_python or "")) > _LONGEST:
            problem = "Name, Version or Requires-Python is too long"
            raise InvalidCoreMetadata(problem)
        if len(message.keys()) > MOST_FIELDS:
            raise InvalidCoreMetadata(f"it has more than {MOST_FIELDS} fields")
        requirements = tuple(
            _requirement(text) for text in message.get_all("Requires-Dist", [])
        )
        return cls(
            name=name,
            version=version.strip(),
            requires_python=requires_python,
            requires_dist=requirements,
            provides_extra=tuple(
                canonicalize_name(extra)
                for extra in message.get_all("Provides-Extra", [])
            ),
            metadata_version=message.get("Metadata-Version", ""),
            dynamic=tuple(f.lower() for f in message.get_all("Dynamic", [])),
        )


def _fields(content: bytes) -> bytes:
    """Return what comes before the first empty line.

    A parser takes 60 times the size of a description of many lines in memory.
    """
    ends = (content.find(end) for end in (b"\n\n", b"\r\n\r\n"))
    return content[: min((end for end in ends if end >= 0), default=len(content))]


def _requirement(text: str) -> Requirement:
    try:
        return Requirement.parse(text)
    except InvalidRequirement as error:
        from polylock.model.specifier_repairs import repaired_requirement  # noqa: PLC0415 - rare

        repaired = repaired_requirement(text)
        if repaired is not None:
            return repaired
        problem = str(error).splitlines()[0]
        line = f"Requires-Dist: {text}"
        raise InvalidCoreMetadata(f"bad Requires-Dist: {problem}", line) from error
