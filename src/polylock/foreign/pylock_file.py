"""``pylock.toml`` of any tool (PEP 751)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from polylock.foreign.pins import ForeignLock, ForeignPin, Skipped
from polylock.lockfile.read import read_pylock

if TYPE_CHECKING:
    from polylock.lockfile.pylock import Package

__all__ = ["read_pylock_pins"]


def read_pylock_pins(content: str, path: str) -> ForeignLock:
    """Read the text of the file; raises LockFileInvalid."""
    pylock = read_pylock(content, path)
    pins: list[ForeignPin] = []
    skipped: list[Skipped] = []
    for package in pylock.packages:
        if package.version is None or not (package.wheels or package.sdist):
            reason = "it does not come from an index"
            skipped.append(Skipped(name=package.name, reason=reason))
        else:
            pins.append(_pin(package, package.version))
    return ForeignLock(
        path=path, tool=pylock.created_by, pins=tuple(pins), skipped=tuple(skipped)
    )


def _pin(package: Package, version: str) -> ForeignPin:
    files = [*package.wheels, *([package.sdist] if package.sdist else [])]
    return ForeignPin(
        name=package.name,
        version=str(Version(version)),
        markers=() if package.marker is None else (package.marker,),
        requires_python=package.requires_python or "",
        files={
            file.filename: frozenset(
                f"{algorithm}:{value.lower()}"
                for algorithm, value in file.hashes.items()
            )
            for file in files
        },
    )
