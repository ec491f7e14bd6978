"""Compatibility tags that no machine has, so that no installer takes the wheel.

packaging's tags (``packaging.tags``) decide what counts, which pip uses and uv follows.
A platform of a kind that is not known here is not judged.
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polylock.model.filenames import WheelFilename

__all__ = ["TagFault", "impossible_tag"]

_NEWEST_MACOS = 40
"""macOS is named after the next year since 26; a later one is a mistake."""

_LAST_GLIBC_MINOR = 50  # packaging's guess for a glibc 2 before a later major version
_MAC_PROCESSORS = frozenset(
    """
    arm64 x86_64 universal2 universal intel fat fat3 fat32 fat64 i386 ppc ppc64
    """.split()  # noqa: SIM905 - as a list of words
)
_MISSPELLED = frozenset({"amd64", "arm64", "x64"})
_WINDOWS = frozenset({"win32", "win_amd64", "win_arm64", "win_ia64", "win_arm32"})

_MACOS = re.compile(r"macosx_([0-9]{1,9})_([0-9]{1,9})_(\w+)")
_LINUX = re.compile(
    r"(?:linux|manylinux1|manylinux2010|manylinux2014"
    r"|manylinux_([0-9]{1,9})_([0-9]{1,9})|musllinux_([0-9]{1,9})_[0-9]{1,9})_(\w+)"
)
_CPYTHON = re.compile(r"cp([0-9]+)")
_CPYTHON_ABI = re.compile(r"cp([0-9]+)[a-z]*")
_ANY_PYTHON = re.compile(r"py[0-9]+")


class TagFault(enum.StrEnum):
    """What makes a tag impossible."""

    PLATFORM = "platform"
    MACOS_VERSION = "macos-version"
    MACOS_MINOR = "macos-minor"
    MACOS_ARM64 = "macos-arm64"
    LIBC = "libc"
    PROCESSOR = "processor"
    ABI = "abi"


def impossible_tag(filename: WheelFilename) -> tuple[str, TagFault] | None:
    """Return the first tag of a wheel and its fault if no machine has any of its tags.

    None if a machine may have one. A name can have thousands of tags, so its parts are
    judged alone.
    """
    faults = [
        _abi_fault(python, abi)
        for python in filename.python_tags.split(".")
        for abi in filename.abi_tags.split(".")
    ]
    fault = faults[0] if all(faults) else None
    if fault is None:
        platforms = map(_platform_fault, filename.platform_tags.split("."))
        found = list(platforms)
        fault = found[0] if all(found) else None
    return None if fault is None else (next(filename.tags), fault)


def _abi_fault(python: str, abi: str) -> TagFault | None:
    if abi == "none":
        return None
    if _ANY_PYTHON.fullmatch(python):
        return TagFault.ABI
    cpython = _CPYTHON.match(python)
    if cpython is None:
        return None
    if cpython.end() != len(python):  # cp313t is an ABI, not a Python
        return TagFault.ABI
    own = _CPYTHON_ABI.fullmatch(abi)
    return TagFault.ABI if own is not None and own[1] != cpython[1] else None


def _platform_fault(platform: str) -> TagFault | None:
    if platform.startswith("macosx"):
        return _macos_fault(platform)
    if platform.startswith("win"):
        return None if platform in _WINDOWS else TagFault.PLATFORM
    if platform.startswith(("linux", "manylinux", "musllinux")):
        return _linux_fault(platform)
    return None


def _macos_fault(platform: str) -> TagFault | None:
    found = _MACOS.fullmatch(platform)
    if found is None:
        return TagFault.PLATFORM
    major, minor, processor = int(found[1]), int(found[2]), found[3]
    if processor not in _MAC_PROCESSORS:
        return TagFault.PROCESSOR
    if not 10 <= major <= _NEWEST_MACOS:
        return TagFault.MACOS_VERSION
    if major > 10 and minor:
        return TagFault.MACOS_MINOR
    # Macs with such processors have macOS 11 or later.
    return TagFault.MACOS_ARM64 if major == 10 and processor == "arm64" else None


def _linux_fault(platform: str) -> TagFault | None:
    found = _LINUX.fullmatch(platform)
    if found is None:
        return TagFault.PLATFORM
    glibc, minor, musl, processor = found.groups()
    if processor in _MISSPELLED:
        return TagFault.PROCESSOR
    if glibc is not None and (int(glibc) != 2 or int(minor) > _LAST_GLIBC_MINOR):
        return TagFault.LIBC
    return TagFault.LIBC if musl is not None and int(musl) != 1 else None
