"""File names of wheels and source distributions, variant labels included.

``packaging.utils.parse_wheel_filename`` rejects variant labels, and it parses the tags
of every file, which costs four times as much as decoding the project page. Here the
name is split and the tags stay text until they are needed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import NormalizedName, canonicalize_name

from polylock.model.visible_text import has_control_character
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = ["InvalidFilename", "SdistFilename", "WheelFilename", "check_file_name"]

_LABEL = re.compile(r"[0-9a-z_.]+")
_OUTSIDE = frozenset("/\\:")
_DIRECTORIES = {"", ".", ".."}
_SDIST_SUFFIXES = (".tar.gz", ".zip")
_LONGEST = 255
"""Most characters of a file name; no file system has longer ones."""


class InvalidFilename(ValueError):
    """A file name that does not follow the binary or source distribution format."""


def check_file_name(filename: str) -> None:
    """Raise InvalidFilename for text that is not a plain file name on every system."""
    if len(filename) > _LONGEST:
        raise InvalidFilename(f"{filename[:40]}... has {len(filename)} characters")
    if (
        has_control_character(filename)
        or filename in _DIRECTORIES
        or not _OUTSIDE.isdisjoint(filename)
    ):
        raise InvalidFilename(f"{filename!r} is not the name of a file")


class WheelFilename(msgspec.Struct, frozen=True, kw_only=True):
    """A wheel's file name in its parts (PEP 427, PEP 825 "Variant label").

    ``version``, ``build`` and the three tag parts are as written, compressed tag
    sets included; ``variant_label`` is None for a non-variant wheel.
    """

    name: NormalizedName
    version: str
    build: str
    python_tags: str
    abi_tags: str
    platform_tags: str
    variant_label: str | None

    @classmethod
    def parse(cls, filename: str) -> WheelFilename:
        """Parse a file name; raises InvalidFilename.

        A part after the version that starts with a digit is the build number, as a
        Python tag must not start with one (PEP 825). So build number and label can
        occur together or alone.
        """
        check_file_name(filename)
        if not filename.endswith(".whl"):
            raise InvalidFilename(f"{filename} does not end in .whl")
        name, *parts = filename[:-4].split("-")
        if len(parts) < 4 or not name or not all(parts):
            raise InvalidFilename(f"{filename} has too few parts for a wheel")
        version, *parts = parts
        build = parts.pop(0) if parts[0][0].isdigit() else ""
        if len(parts) not in {3, 4}:
            raise InvalidFilename(f"{filename} has the wrong number of parts")
        label = parts[3] if len(parts) == 4 else None
        if label is not None and not _LABEL.fullmatch(label):
            raise InvalidFilename(f"{filename} has the invalid variant label {label}")
        return cls(
            name=canonicalize_name(name),
            version=version.replace("_", "+", 1) if "+" not in version else version,
            build=build,
            python_tags=parts[0],
            abi_tags=parts[1],
            platform_tags=parts[2],
            variant_label=label,
        )

    @property
    def tags(self) -> Iterator[str]:
        """Yield every compatibility tag, ``cp312-cp312-win_amd64``, in file order."""
        platforms = self.platform_tags.split(".")
        abis = self.abi_tags.split(".")
        for python in self.python_tags.split("."):
            for abi in abis:
                for platform in platforms:
                    yield f"{python}-{abi}-{platform}"

    @property
    def build_number(self) -> tuple[int, str]:
        """Return the sort key of the build number; the larger is preferred."""
        digits = len(self.build) - len(self.build.lstrip("0123456789"))
        return (int(self.build[:digits]), self.build[digits:]) if digits else (-1, "")


class SdistFilename(Value, frozen=True, kw_only=True):
    """The file name of a source distribution (PEP 625)."""

    name: NormalizedName
    version: str

    @classmethod
    def parse(cls, filename: str) -> SdistFilename:
        """Parse a file name; raises InvalidFilename."""
        check_file_name(filename)
        for suffix in _SDIST_SUFFIXES:
            if filename.endswith(suffix):
                name, hyphen, version = filename[: -len(suffix)].rpartition("-")
                if hyphen and name and version:
                    return cls(name=canonicalize_name(name), version=version)
        raise InvalidFilename(f"{filename} is not a source distribution")
