"""Wheels that nearly fit a target, and changes of the target that would make them fit.

Properties of the hardware do not depend on the system or the Python, so a target that
differs in one of those supports the same properties.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from polylock.model.filenames import WheelFilename
from polylock.model.platforms import compatibility_tags, marker_environment
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    Target,
    TargetDescription,
)
from polylock.resolution.candidate_pool import CandidatePool
from polylock.resolution.versions import positions, satisfies
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from polylock.model.distributions import Release, Releases
    from polylock.model.inputs import Inputs

__all__ = [
    "TargetChange",
    "near",
    "newer_systems",
    "newest_system",
    "other_pythons",
    "pythons_with_files",
    "system_for",
    "tags_of",
]

_OPENED_AT_MOST = 40
_PLATFORM_TAGS = {
    OperatingSystem.LINUX: "linux",
    OperatingSystem.MACOS: "macosx",
    OperatingSystem.WINDOWS: "win",
}
_MACHINE_TAGS = {
    Architecture.X86_64: ("x86_64", "amd64", "universal2"),
    Architecture.AARCH64: ("aarch64", "arm64", "universal2"),
}
_FLOORS = {
    "glibc": r"manylinux_(\d+)_(\d+)_",
    "musl": r"musllinux_(\d+)_(\d+)_",
    "macos": r"macosx_(\d+)_(\d+)_",
    "windows": r"(?!)",
}
_NEWEST = {"glibc": (2, 99), "musl": (1, 99), "macos": (99, 0)}
_PYTHON_MINORS = range(9, 16)
"""The minor versions of CPython that a hint can name: 3.9 to 3.15."""


class TargetChange(Value, frozen=True, kw_only=True):
    """A target that differs in one key, and the change in words (``set KEY = ...``)."""

    target: Target
    words: str


def newer_systems(
    pool: CandidatePool, releases: Releases, mask: int
) -> Iterator[TargetChange]:
    """Yield the target with each libc or macOS that a version has files for.

    ``mask`` holds the versions, of which the newest comes first; opens at most forty.
    """
    for release, position in _without_files(pool, releases, mask):
        for change in _with_newer_system(release, pool.target):
            if _has_files(pool, change.target, releases, position):
                yield change


def pythons_with_files(
    pool: CandidatePool, releases: Releases, mask: int
) -> Iterator[TargetChange]:
    """Yield the target with the nearest Python that a version has files for.

    ``mask`` holds the versions, of which the newest comes first. Yields nothing if a
    version has files for the target as it is, for then the Python is not the reason.
    Opens at most forty versions.
    """
    out = [position for _, position in _without_files(pool, releases, mask)]
    if len(out) < min(mask.bit_count(), _OPENED_AT_MOST):
        return
    for position in out:
        for change in other_pythons(pool.target, pool.inputs, ""):
            if _has_files(pool, change.target, releases, position):
                yield change
                break


def _without_files(
    pool: CandidatePool, releases: Releases, mask: int
) -> Iterator[tuple[Release, int]]:
    """Yield the versions of a mask without a file for the target, newest first."""
    for position in islice(positions(mask), _OPENED_AT_MOST):
        if not pool.expand(releases, position, yanked=False).candidates:
            yield releases.release(position), position


def _has_files(
    pool: CandidatePool, target: Target, releases: Releases, position: int
) -> bool:
    other = CandidatePool(target=target, inputs=pool.inputs, source=pool.source)
    return bool(other.expand(releases, position, yanked=False).candidates)


def other_pythons(
    target: Target, inputs: Inputs, requires_python: str
) -> Iterator[TargetChange]:
    """Yield the target with each Python that meets ``requires-python``, nearest first.

    Pythons that the project itself does not support are left out.
    """
    python = target.description.python
    for minor in sorted(
        _PYTHON_MINORS, key=lambda minor: (abs(minor - python.minor), -minor)
    ):
        newest = PythonRelease(major=3, minor=minor).newest
        if (
            python.major == 3
            and satisfies(requires_python, newest)
            and satisfies(inputs.requires_python, newest)
        ):
            yield from _with_python(target, minor)


def _with_python(target: Target, minor: int) -> Iterator[TargetChange]:
    """Yield the target with a minor version of its Python, then of plain CPython."""
    own = target.description.python
    for python in dict.fromkeys(
        (
            replace(own, minor=minor, patch=None),
            PythonRelease(major=3, minor=minor),
        )
    ):
        if python != own:
            yield _change(
                target,
                replace(target.description, python=python),
                f'set python = "{python}" for target {target.name}',
            )


def _with_newer_system(release: Release, target: Target) -> Iterator[TargetChange]:
    """Yield the target with the least libc or macOS that a version has a wheel for."""
    floors = _floors(near(release, target), target)
    if floors:
        yield _with_floor(target, min(floors))


def newest_system(target: Target) -> Target:
    """Return the target with a libc or macOS that no wheel is too new for."""
    newest = _NEWEST.get(_family(target))
    return target if newest is None else _with_floor(target, newest).target


def system_for(target: Target, filenames: Iterable[str]) -> TargetChange | None:
    """Return the target with the least libc or macOS that all wheels fit.

    None if all fit the target as it is. Files that are not wheels are ignored.
    """
    highest = (0, 0)
    for filename in filenames:
        if not filename.endswith(".whl"):
            continue
        wheel = WheelFilename.parse(filename)
        if target.tag_rank(wheel) is None:
            platforms = (tag.rpartition("-")[2] for tag in wheel.tags)
            highest = max(highest, min(_floors(platforms, target), default=(0, 0)))
    return _with_floor(target, highest) if highest > (0, 0) else None


def _floors(platforms: Iterable[str], target: Target) -> list[tuple[int, int]]:
    """Return the libc or macOS versions that platform tags of its machine require.

    Versions that are too high to be real are dropped: there are wheels with a typing
    error such as ``macosx_110_0``.
    """
    newest = _NEWEST.get(_family(target), (0, 0))
    pattern = re.compile(_FLOORS[_family(target)])
    machines = _MACHINE_TAGS[target.description.architecture]
    found = (pattern.match(tag) for tag in platforms if tag.endswith(machines))
    floors = [(int(match[1]), int(match[2])) for match in found if match is not None]
    return [floor for floor in floors if floor <= newest]


def _with_floor(target: Target, floor: tuple[int, int]) -> TargetChange:
    family, description = _family(target), target.description
    version = "{}.{}".format(*floor)
    if family == "macos":
        key, value = "macos", version
        description = replace(description, macos=value)
    else:
        key, value = "libc", f"{family}-{version}"
        description = replace(description, libc=value)
    return _change(
        target,
        description,
        f'set {key} = "{value}" for target {target.name}, if its machines have that',
    )


def _family(target: Target) -> str:
    """Return the libc, or else the system, whose version limits a target's wheels."""
    description = target.description
    if description.system is OperatingSystem.LINUX:
        return (description.libc or "glibc").partition("-")[0]
    return description.system.value


def _change(target: Target, description: TargetDescription, words: str) -> TargetChange:
    return TargetChange(
        target=Target(
            description=description,
            marker_environment=marker_environment(description),
            tags=compatibility_tags(description),
            stated=target.stated,
            derived=target.derived,
        ),
        words=words,
    )


def tags_of(release: Release) -> Iterator[str]:
    """Yield the compatibility tags of all wheels of a version."""
    for file in release.wheels:
        yield from WheelFilename.parse(file.filename).tags


def near(release: Release, target: Target) -> set[str]:
    """Return the platform tags of wheels for the target's Python and system.

    Only those of the target's architecture, if there are any.
    """
    pairs = {tag.rpartition("-")[0] for tag in target.tags}
    system = _PLATFORM_TAGS[target.description.system]
    found = [tag.rpartition("-") for tag in tags_of(release)]
    near = {tag for pair, _, tag in found if pair in pairs and system in tag}
    machines = _MACHINE_TAGS[target.description.architecture]
    return {tag for tag in near if tag.endswith(machines)} or near
