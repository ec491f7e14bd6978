"""Wheels that may share one entry of the lock file, because they exclude each other.

An installer takes the wheel of an entry that fits best. So that it can only take the
locked one, two wheels share an entry only if no interpreter could install both: they
are for different operating systems, architectures, libcs, or disjoint sets of Pythons.
Where that is not certain, they do not share one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from polylock.values import Value

if TYPE_CHECKING:
    from polylock.model.filenames import WheelFilename

__all__ = ["CompatibilityTags", "exclusive"]

_PYTHON = re.compile(r"(py|cp|pp|[a-z]+)(\d)(\d*)")
_ABI = re.compile(r"cp\d+(t?)")
_MANYLINUX = re.compile(r"manylinux(?:1|2010|2014|_\d+_\d+)_(\w+)")
_MUSLLINUX = re.compile(r"musllinux_\d+_\d+_(\w+)")
_ANY_LINUX = re.compile(r"linux_(\w+)")
_MACOS = re.compile(r"macosx_\d+_\d+_(\w+)")
_MOBILE = re.compile(r"(ios|android)_[\d_]+_(\w+)")
_MAC_ARCHITECTURES = {
    "universal2": {"arm64", "x86_64"},
    "intel": {"i386", "x86_64"},
    "fat": {"i386", "ppc"},
    "fat32": {"i386", "ppc"},
    "fat3": {"i386", "ppc", "x86_64"},
    "fat64": {"ppc64", "x86_64"},
    "universal": {"i386", "ppc", "ppc64", "x86_64"},
}
_NEVER = 1_000


class CompatibilityTags(Value, frozen=True):
    """The three parts of a tag, each of which may be a compressed set (PEP 425)."""

    python: str
    abi: str
    platform: str

    @classmethod
    def of_wheel(cls, filename: WheelFilename) -> CompatibilityTags:
        """Return the tags in the name of a wheel."""
        return cls(filename.python_tags, filename.abi_tags, filename.platform_tags)

    @classmethod
    def of_tag(cls, tag: str) -> CompatibilityTags:
        """Return the parts of one tag, ``cp312-cp312-win_amd64``."""
        python, abi, platform = tag.split("-", 2)
        return cls(python, abi, platform)


class _Machines(Value, frozen=True):
    """The machines that a platform tag is for; None means any."""

    systems: frozenset[str] | None = None
    architectures: frozenset[str] | None = None

    def meets(self, other: _Machines) -> bool:
        return _share(self.systems, other.systems) and _share(
            self.architectures, other.architectures
        )


class _Interpreters(Value, frozen=True):
    """The interpreters that a Python tag and an ABI tag are for.

    ``implementation`` and ``free_threaded`` are None for any; the minor versions go
    from ``lowest`` to ``highest``, both included.
    """

    implementation: str | None
    major: int
    lowest: int
    highest: int
    free_threaded: bool | None

    def meets(self, other: _Interpreters) -> bool:
        return (
            _agree(self.implementation, other.implementation)
            and _agree(self.free_threaded, other.free_threaded)
            and self.major == other.major
            and self.lowest <= other.highest
            and other.lowest <= self.highest
        )


@lru_cache(maxsize=65536)
def exclusive(one: CompatibilityTags, other: CompatibilityTags) -> bool:
    """Return True if no interpreter could install both a wheel of one and the other."""
    platforms = product(_machines(one.platform), _machines(other.platform))
    if not any(left.meets(right) for left, right in platforms):
        return True
    interpreters = product(
        _interpreters(one.python, one.abi), _interpreters(other.python, other.abi)
    )
    return not any(
        left is None or right is None or left.meets(right)
        for left, right in interpreters
    )


def _share(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    return one is None or other is None or not one.isdisjoint(other)


def _agree(one: object, other: object) -> bool:
    return one is None or other is None or one == other


@lru_cache(maxsize=4096)
def _machines(platforms: str) -> tuple[_Machines, ...]:
    return tuple(_machines_of(platform) for platform in platforms.split("."))


def _machines_of(platform: str) -> _Machines:
    for pattern, systems in (
        (_MANYLINUX, {"glibc"}),
        (_MUSLLINUX, {"musl"}),
        (_ANY_LINUX, {"glibc", "musl"}),
    ):
        if match := pattern.fullmatch(platform):
            return _Machines(frozenset(systems), frozenset({match[1]}))
    if match := _MACOS.fullmatch(platform):
        names = _MAC_ARCHITECTURES.get(match[1], {match[1]})
        return _Machines(frozenset({"macos"}), frozenset(names))
    if platform == "win32" or platform.startswith("win_"):
        return _Machines(frozenset({"windows"}), frozenset({platform}))
    if match := _MOBILE.fullmatch(platform):
        return _Machines(frozenset({match[1]}), frozenset({match[2]}))
    return _Machines()


@lru_cache(maxsize=4096)
def _interpreters(pythons: str, abis: str) -> tuple[_Interpreters | None, ...]:
    return tuple(
        _interpreters_of(python, abi)
        for python, abi in product(pythons.split("."), abis.split("."))
    )


def _interpreters_of(python: str, abi: str) -> _Interpreters | None:
    """Return the interpreters that a pair of tags is for, None if that is unknown.

    ``py311`` is for 3.11 and later; ``cp311`` for 3.11 alone, and with ``abi3`` for
    later ones too, except free-threaded ones, whose stable ABI is ``abi3t``.
    """
    match = _PYTHON.fullmatch(python)
    if match is None:
        return None
    implementation, major, minor = match[1], int(match[2]), match[3]
    lowest = int(minor) if minor else 0
    onwards = implementation == "py" or not minor or abi in {"abi3", "abi3t"}
    own = _ABI.fullmatch(abi)
    free_threaded = {"abi3": False}.get(abi) if own is None else own[1] == "t"
    return _Interpreters(
        implementation=None if implementation == "py" else implementation,
        major=major,
        lowest=lowest,
        highest=_NEVER if onwards else lowest,
        free_threaded=free_threaded,
    )
