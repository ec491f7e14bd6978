"""What an index lacks for a target: which versions are out, and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.model.distributions import Unusable
from polylock.model.filenames import WheelFilename
from polylock.model.target import Architecture, OperatingSystem
from polylock.resolution.candidates import UNFIT_TAGS
from polylock.resolution.versions import positions
from polylock.variants.authority import unanswered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from polylock.model.distributions import Release, Releases
    from polylock.model.target import Target
    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import CandidatePool, Rejection

__all__ = ["OPENED_AT_MOST", "python_hint", "rejected", "shortage", "span"]

OPENED_AT_MOST = 40
"""How many versions are opened to say why each is out; the newest tell the story."""

_REASONS_AT_MOST = 6
_SHOWN_AT_MOST = 6
_PLATFORM_TAGS = {
    OperatingSystem.LINUX: "linux",
    OperatingSystem.MACOS: "macosx",
    OperatingSystem.WINDOWS: "win",
}
_MACHINE_TAGS = {
    Architecture.X86_64: ("x86_64", "amd64", "universal2"),
    Architecture.AARCH64: ("aarch64", "arm64", "universal2"),
}
_FLOORS = (
    (re.compile(r"manylinux_(\d+)_(\d+)_"), "libc", "glibc-{}.{}"),
    (re.compile(r"musllinux_(\d+)_(\d+)_"), "libc", "musl-{}.{}"),
    (re.compile(r"macosx_(\d+)_(\d+)_"), "macos", "{}.{}"),
)
_SDISTS = (".tar.gz", ".zip")
_CPYTHON = re.compile(r"cp(\d)(\d+)-cp\d+(t?)")


def shortage(
    availability: Availability, releases: Releases, specifiers: Sequence[str]
) -> tuple[list[str], str | None]:
    """Say why no version meets specifiers or can be installed, and what would help.

    The lines are empty where some version can be.
    """
    mask = availability.allowed(releases, specifiers)
    if not mask:
        return _no_version(availability, releases, specifiers)
    lines = _rejections(availability.pool, releases, mask)
    return lines, _coverage_hint(availability.pool, releases, mask) if lines else None


def _no_version(
    availability: Availability, releases: Releases, specifiers: Sequence[str]
) -> tuple[list[str], str | None]:
    table = availability.table(releases)
    name = releases.name
    combined = ",".join(dict.fromkeys(s for s in specifiers if s))
    mask = table.everything
    for specifier in specifiers:
        mask &= table.mask(specifier)
    if not mask:
        there = list(positions(table.everything))
        asked = f"no version of {name} is {combined or 'there'}"
        return [f"{asked}; {releases.index} has {_ends(releases, there)}"], None
    found = list(positions(mask))
    newest = releases.versions[found[0]]
    versions = f"{name} {span(releases, found)}"
    if not mask & ~releases.yanked:
        return [f"{versions}: yanked"], (
            f"to take a yanked version all the same, pin it: {name}=={newest}"
        )
    if not mask & releases.finals:
        return [f"{versions}: pre-releases, which are not admitted"], (
            'set prerelease = "allow" in [tool.polylock]'
        )
    if all(releases.earliest_upload[position] is None for position in found):
        return [f"{versions}: without an upload time, for exclude-newer"], (
            "leave exclude-newer out of [tool.polylock]"
        )
    return [f"{versions}: uploaded after exclude-newer"], (
        "set exclude-newer in [tool.polylock] to a later time"
    )


def _ends(releases: Releases, found: Sequence[int]) -> str:
    low, high = releases.versions[found[-1]], releases.versions[found[0]]
    return low if low == high else f"{low} to {high}"


def _rejections(pool: CandidatePool, releases: Releases, mask: int) -> list[str]:
    """Group the versions that have no candidate by the reason, newest first."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for count, position in enumerate(positions(mask)):
        if count == OPENED_AT_MOST:
            break
        expansion = pool.expand(releases, position, yanked=False)
        if expansion.candidates:
            continue
        reasons = rejected(pool, releases, position)
        groups.setdefault(reasons, []).append(position)
    return [
        f"{releases.name} {span(releases, found)}: {reason}"
        for reasons, found in groups.items()
        for reason in reasons
    ]


def rejected(pool: CandidatePool, releases: Releases, position: int) -> tuple[str, ...]:
    """Say why a version that has no candidate is out, a clause each."""
    expansion = pool.expand(releases, position, yanked=False)
    told = _reasons(expansion.rejections, releases.versions[position])
    return told or (_misfit(releases.release(position), pool.target),)


def _reasons(rejections: Sequence[Rejection], version: str) -> tuple[str, ...]:
    """Write the reasons but for tags, each once, with the labels that it is for.

    A reason that a wheel without a label has is told without the wheel's name.
    """
    labels: dict[str, list[str]] = {}
    for rejection in rejections:
        if rejection.reason == UNFIT_TAGS:
            continue
        label = _label(rejection.subject, version)
        found = labels.setdefault(rejection.reason, [])
        if label and label not in found:
            found.append(label)
    told = [
        f"label {_some(found)}: {reason}" if found else reason
        for reason, found in labels.items()
    ]
    return tuple(told[:_REASONS_AT_MOST])


def _label(subject: str, version: str) -> str:
    if not subject.endswith(".whl"):
        return "" if subject == version or subject.endswith(_SDISTS) else subject
    parts = subject.removesuffix(".whl").split("-")
    build = len(parts) > 2 and parts[2][:1].isdigit()
    return parts[-1] if len(parts) - build == 6 else ""


def _misfit(release: Release, target: Target) -> str:
    """Say that no wheel fits a target, and what the nearest wheels are for.

    Nearest are those that would fit but for the platform, then those for another
    Python on the right platform.
    """
    if not release.wheels:
        return "has no file that can be installed"
    near = _near(release, target)
    if near:
        return f"no wheel fits {target.name}: nearest are for {_some(near)}"
    found = [tag.rpartition("-") for tag in _tags(release)]
    platforms = {tag.rpartition("-")[2] for tag in target.tags}
    pythons = {pair for pair, _, tag in found if tag in platforms}
    if pythons:
        return f"no wheel fits {target.name}: nearest are for {_some(pythons)}"
    return (
        f"no wheel fits {target.name}: there are some for "
        f"{_some({tag for _, _, tag in found})}"
    )


def _tags(release: Release) -> Iterator[str]:
    for file in release.wheels:
        yield from WheelFilename.parse(file.filename).tags


def _near(release: Release, target: Target) -> set[str]:
    """Return the platforms of wheels for the target's Python and system.

    Those of its own machine where there are any.
    """
    pairs = {tag.rpartition("-")[0] for tag in target.tags}
    system = _PLATFORM_TAGS[target.description.system]
    found = [tag.rpartition("-") for tag in _tags(release)]
    near = {tag for pair, _, tag in found if pair in pairs and system in tag}
    machines = _MACHINE_TAGS[target.description.architecture]
    return {tag for tag in near if tag.endswith(machines)} or near


def _some(texts: Collection[str]) -> str:
    """Write a few of many, in order."""
    shown = sorted(texts)
    more = len(shown) - _SHOWN_AT_MOST
    rest = f" and {more} more" if more > 0 else ""
    return ", ".join(shown[:_SHOWN_AT_MOST]) + rest


def _coverage_hint(pool: CandidatePool, releases: Releases, mask: int) -> str:
    """Say which change of the target or the settings would let the newest in."""
    release = releases.release(next(positions(mask)))
    target, inputs = pool.target, pool.inputs
    if releases.name in target.description.variants:
        return f"change tool.polylock.targets.{target.name}.variants.{releases.name}"
    metadata = pool.source.variant_metadata(release) if _has_labels(release) else None
    if metadata is not None and not isinstance(metadata, Unusable):
        for namespace, provider in sorted((metadata.providers or {}).items()):
            if provider.optional and namespace not in inputs.enable_providers:
                return f'set enable-providers = ["{namespace}"] in [tool.polylock]'
        for namespace in unanswered(
            metadata, stated=target.stated, enabled_providers=inputs.enable_providers
        ):
            return (
                f"say under properties.{namespace} what target {target.name} supports"
            )
    expansion = pool.expand(releases, next(positions(mask)), yanked=False)
    if any(r.reason.startswith("requires Python") for r in expansion.rejections):
        return python_hint(target, releases.name)
    return _floor_hint(release, target) or (
        f"name an index that has wheels for {target.name} under "
        f"[tool.polylock.sources], or leave {releases.name} out there with a marker"
    )


def python_hint(target: Target, name: str) -> str:
    """Say what helps where a project needs another Python than the target has."""
    return (
        f"choose another python for target {target.name}, or leave {name} out there "
        "with a marker"
    )


def _has_labels(release: Release) -> bool:
    return any(
        WheelFilename.parse(file.filename).variant_label for file in release.wheels
    )


def _floor_hint(release: Release, target: Target) -> str | None:
    """Name the libc, macOS or Python for which the newest version has a wheel."""
    if any(tag in target.tags for tag in _tags(release)):
        return None  # the tags are not what keeps it out
    near = sorted(_near(release, target))
    machines = _MACHINE_TAGS[target.description.architecture]
    for pattern, key, form in _FLOORS:
        versions = [
            (int(found[1]), int(found[2]))
            for tag in near
            if tag.endswith(machines) and (found := pattern.match(tag))
        ]
        if versions:
            value = form.format(*min(versions))
            family = (target.description.libc or "glibc").partition("-")[0]
            if key == "libc" and not value.startswith(family):
                continue
            return (
                f'set {key} = "{value}" for target {target.name}, if its machines '
                "have that"
            )
    platforms = {tag.rpartition("-")[2] for tag in target.tags}
    pythons = {
        (int(found[1]), int(found[2]), found[3])
        for tag in _tags(release)
        if tag.rpartition("-")[2] in platforms and (found := _CPYTHON.match(tag))
    }
    if not pythons:
        return None
    shown = ", ".join(f"{major}.{minor}{t}" for major, minor, t in sorted(pythons))
    return (
        f"choose another python for target {target.name}: there are wheels for {shown}"
    )


def span(releases: Releases, found: Sequence[int]) -> str:
    """Write positions as ``1.0 to 1.4, 2.0``."""
    parts: list[str] = []
    for first, last in _runs(found):
        low, high = releases.versions[first], releases.versions[last]
        parts.append(low if low == high else f"{low} to {high}")
    return ", ".join(parts)


def _runs(found: Sequence[int]) -> Iterator[tuple[int, int]]:
    ordered = sorted(set(found))
    start = previous = ordered[0]
    for position in ordered[1:]:
        if position != previous + 1:
            yield start, previous
            start = position
        previous = position
    yield start, previous
