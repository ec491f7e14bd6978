"""What an index lacks for a target: which versions are out, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.distributions import Unusable
from polylock.model.filenames import WheelFilename
from polylock.model.inputs import DEFAULT_INDEX
from polylock.resolution.candidate_pool import FORBIDDEN_BUILD, UNFIT_TAGS
from polylock.resolution.near_miss import listed, misfit
from polylock.resolution.versions import positions
from polylock.variants.authority import unanswered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polylock.model.distributions import Release, Releases
    from polylock.model.inputs import Inputs
    from polylock.model.target import Target
    from polylock.resolution.availability import Availability
    from polylock.resolution.candidate_pool import CandidatePool
    from polylock.resolution.candidates import Rejection

__all__ = [
    "OPENED_AT_MOST",
    "build_hint",
    "python_hint",
    "rejected",
    "shortage",
    "span",
]

OPENED_AT_MOST = 40
"""How many versions are opened to say why each is out; the newest tell the story."""

_REASONS_AT_MOST = 6
_SDISTS = (".tar.gz", ".zip")


def shortage(
    availability: Availability,
    releases: Releases,
    specifiers: Sequence[str],
    asked: str = "",
) -> tuple[list[str], str | None]:
    """Say why no version meets specifiers or can be installed, and what would help.

    ``asked`` says what is asked where that is not just the specifiers. The lines are
    empty where some version can be.
    """
    mask = availability.allowed(releases, specifiers)
    if not mask:
        return _no_version(availability, releases, specifiers, asked)
    lines = _rejections(availability.pool, releases, mask)
    return lines, _coverage_hint(availability.pool, releases, mask) if lines else None


def _no_version(
    availability: Availability,
    releases: Releases,
    specifiers: Sequence[str],
    asked: str,
) -> tuple[list[str], str | None]:
    table = availability.table(releases)
    name = releases.name
    combined = ",".join(dict.fromkeys(s for s in specifiers if s))
    mask = table.everything
    for specifier in specifiers:
        mask &= table.mask(specifier)
    if not mask:
        there = list(positions(table.everything))
        none = f"no version of {name} is {asked or combined or 'there'}"
        where = releases.index or releases.index_url  # a direct source is its text
        if where == DEFAULT_INDEX:
            where = "the index"
        return [f"{none}; {where} has {_ends(releases, there)}"], None
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
    return told or (misfit(releases.release(position), pool.target),)


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
        f"label {listed(found)}: {reason}" if found else reason
        for reason, found in labels.items()
    ]
    return tuple(told[:_REASONS_AT_MOST])


def _label(subject: str, version: str) -> str:
    if not subject.endswith(".whl"):
        return "" if subject == version or subject.endswith(_SDISTS) else subject
    parts = subject.removesuffix(".whl").split("-")
    build = len(parts) > 2 and parts[2][:1].isdigit()
    return parts[-1] if len(parts) - build == 6 else ""


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
    if any(r.reason == FORBIDDEN_BUILD for r in expansion.rejections):
        return build_hint(inputs, releases.name)
    return (
        f"name an index that has wheels for {target.name} under "
        f"[tool.polylock.sources], or leave {releases.name} out there with a marker"
    )


def build_hint(inputs: Inputs, name: str) -> str:
    """Say what lets the backend of a project run, which no search may try."""
    if name in inputs.no_build_packages:
        return f"take {name} out of no-build-package in [tool.polylock]"
    names = ", ".join(f'"{one}"' for one in sorted({*inputs.build_packages, name}))
    return (
        f"set build-package = [{names}] in [tool.polylock], if its build backend may "
        "run on your machine"
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
