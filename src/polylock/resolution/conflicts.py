"""Why there is no solution, in words: what is asked, by whom, and what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from polylock.model.filenames import WheelFilename
from polylock.model.target import Architecture, OperatingSystem
from polylock.resolution.candidates import UNFIT_TAGS
from polylock.resolution.constraints import (
    ExactConstraint,
    SpecifierConstraint,
    Unmeetable,
    identifier_of,
)
from polylock.resolution.versions import positions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from resolvelib.structs import RequirementInformation

    from polylock.model.distributions import Release, Releases
    from polylock.model.target import Target
    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import Candidate, ExtraCandidate
    from polylock.resolution.constraints import Constraint

    AnyCandidate = Candidate | ExtraCandidate
    Information = RequirementInformation[Constraint, AnyCandidate]

__all__ = ["Failure", "explain"]

_OPENED_AT_MOST = 40
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What the engine leaves behind: the claims that met, and who asked for whom.

    ``requested`` gives for each identifier the constraint that first named it.
    """

    availability: Availability
    causes: Sequence[Information]
    requested: Mapping[str, tuple[Constraint, AnyCandidate | None]]


def explain(failure: Failure) -> tuple[list[str], str | None]:
    """Return the explanation, a line each, and advice where there is any.

    Opens at most a few dozen versions of the projects in conflict.
    """
    lines: list[str] = []
    advice: list[str] = []
    for name in _names(failure.causes):
        claims = [c for c in failure.causes if _name(c.requirement) == name]
        lines += dict.fromkeys(_claim(failure, claim) for claim in claims)
        outcome, hint = _supply(failure, name, claims)
        lines += outcome
        if hint is not None:
            advice.append(hint)
    return lines, advice[0] if advice else None


def _names(causes: Sequence[Information]) -> list[str]:
    return list(dict.fromkeys(_name(cause.requirement) for cause in causes))


def _name(constraint: Constraint) -> str:
    if isinstance(constraint, Unmeetable):
        return constraint.candidate.name
    return constraint.name


def _claim(failure: Failure, claim: Information) -> str:
    """Say who asks for what, with the chain of parents up to the project."""
    constraint, parent = claim.requirement, claim.parent
    if isinstance(constraint, Unmeetable):
        return f"{constraint.candidate} {constraint.reason}"
    wanted = _wanted(constraint)
    if parent is None:
        origin = getattr(constraint, "origin", None) or "the project"
        return f"{origin} requires {wanted}"
    chain = _chain(failure, parent)
    asked = f"{parent} requires {wanted}"
    return f"{asked}, and {' which '.join(chain)}" if chain else asked


def _wanted(constraint: SpecifierConstraint | ExactConstraint) -> str:
    if isinstance(constraint, ExactConstraint):
        return f"{constraint.name}=={constraint.candidate.version}"
    extra = f"[{constraint.extra}]" if constraint.extra else ""
    return f"{constraint.name}{extra}{constraint.specifier}"


def _chain(failure: Failure, candidate: AnyCandidate) -> list[str]:
    """Return ``['a is required by b 1.0', 'is required by the project']``."""
    parts: list[str] = []
    seen: set[str] = set()
    current: AnyCandidate | None = candidate
    while current is not None:
        key = identifier_of(current)
        if key in seen or key not in failure.requested:
            break
        seen.add(key)
        constraint, parent = failure.requested[key]
        origin = getattr(constraint, "origin", None) or "the project"
        by = origin if parent is None else str(parent)
        subject = f"{key} " if not parts else ""
        parts.append(f"{subject}is required by {by}")
        current = parent
    return parts


def _supply(
    failure: Failure, name: str, claims: Sequence[Information]
) -> tuple[list[str], str | None]:
    """Say what the index has for these claims."""
    availability = failure.availability
    if name in availability.missing:
        error = availability.missing[name]
        return [str(error)], error.hint()
    specifiers = [
        claim.requirement.specifier
        for claim in claims
        if isinstance(claim.requirement, SpecifierConstraint)
    ]
    if not specifiers:
        return [], None
    releases = availability.releases(claims[0].requirement.name)  # type: ignore[union-attr] # specifiers exclude Unmeetable
    if releases is None or not releases.versions:
        return [f"{name} has no release that can be installed"], None
    specifiers += availability.constraints_on(name)
    mask = availability.allowed(releases, specifiers)
    if mask:
        lines = _rejections(failure, releases, mask)
        return lines, _coverage_hint(failure, name) if lines else None
    return _no_version(failure, releases, specifiers)


def _no_version(
    failure: Failure, releases: Releases, specifiers: Sequence[str]
) -> tuple[list[str], str | None]:
    availability = failure.availability
    table = availability.table(releases)
    combined = ",".join(dict.fromkeys(s for s in specifiers if s))
    constrained = availability.constraints_on(releases.name)
    lines = []
    if constrained:
        lines.append(
            f"constraint-dependencies ask for {releases.name}{','.join(constrained)}"
        )
    mask = table.everything
    for specifier in specifiers:
        mask &= table.mask(specifier)
    if not mask:
        ends = f"{releases.versions[0]} to {releases.versions[-1]}"
        lines.append(
            f"no version of {releases.name} is {combined or 'there'}; "
            f"{releases.index} has {ends}"
        )
        return lines, None
    found = _span(releases, list(positions(mask)))
    if not mask & ~releases.yanked:
        lines.append(f"{releases.name} {found}: yanked")
        return lines, f"pin it to take it all the same: {releases.name}=={found}"
    if not mask & releases.finals:
        lines.append(f"{releases.name} {found}: pre-releases, which are not admitted")
        return lines, 'set prerelease = "allow" in [tool.polylock]'
    lines.append(f"{releases.name} {found}: uploaded after exclude-newer")
    return lines, "move exclude-newer to a later time"


def _rejections(failure: Failure, releases: Releases, mask: int) -> list[str]:
    """Group the versions that have no candidate by the reason, newest first."""
    groups: dict[str, list[int]] = {}
    pool = failure.availability.pool
    for count, position in enumerate(positions(mask)):
        if count == _OPENED_AT_MOST:
            break
        expansion = pool.expand(releases, position, yanked=False)
        if expansion.candidates:
            continue
        told = dict.fromkeys(
            f"{rejection.subject} {rejection.reason}".replace(
                f"-{releases.versions[position]}-", "-*-"
            )
            for rejection in expansion.rejections
            if rejection.reason != UNFIT_TAGS
        )
        reason = "; ".join(list(told)[:_REASONS_AT_MOST])
        groups.setdefault(
            reason or _misfit(releases.release(position), pool.target), []
        ).append(position)
    return [
        f"{releases.name} {_span(releases, found)}: {reason}"
        for reason, found in groups.items()
    ]


def _misfit(release: Release, target: Target) -> str:
    """Say that no wheel fits a target, and what the nearest wheels are for.

    Nearest are those that would fit but for the platform, then those for another
    Python on the right platform.
    """
    wheels = [WheelFilename.parse(file.filename) for file in release.wheels]
    if not wheels:
        return "there is no wheel, and building from source is not supported yet"
    pairs = {tag.rpartition("-")[0] for tag in target.tags}
    platforms = {tag.rpartition("-")[2] for tag in target.tags}
    description = target.description
    system = _PLATFORM_TAGS[description.system]
    found = [tag.rpartition("-") for wheel in wheels for tag in wheel.tags]
    near = {tag for pair, _, tag in found if pair in pairs and system in tag}
    if near:
        machines = _MACHINE_TAGS[description.architecture]
        same = {tag for tag in near if tag.endswith(machines)}
        return f"no wheel fits {target.name}: nearest are for {_some(same or near)}"
    pythons = {pair for pair, _, tag in found if tag in platforms}
    if pythons:
        return f"no wheel fits {target.name}: on it there is one for {_some(pythons)}"
    return f"no wheel fits {target.name}"


def _some(texts: Collection[str]) -> str:
    """Write a few of many, in order."""
    shown = sorted(texts)
    more = (
        f" and {len(shown) - _SHOWN_AT_MOST} more"
        if len(shown) > _SHOWN_AT_MOST
        else ""
    )
    return ", ".join(shown[:_SHOWN_AT_MOST]) + more


def _coverage_hint(failure: Failure, name: str) -> str:
    target = failure.availability.pool.target.name
    return (
        f"require another version of {name}, give it an index that has wheels for "
        f"{target} under [tool.polylock.sources], or change the target"
    )


def _span(releases: Releases, found: Sequence[int]) -> str:
    """Write positions, given newest first, as ``1.0 to 1.4, 2.0``."""
    parts: list[str] = []
    for first, last in _runs(found):
        low, high = releases.versions[first], releases.versions[last]
        parts.append(low if low == high else f"{low} to {high}")
    return ", ".join(parts)


def _runs(found: Sequence[int]) -> Iterator[tuple[int, int]]:
    ordered = sorted(found)
    start = previous = ordered[0]
    for position in ordered[1:]:
        if position != previous + 1:
            yield start, previous
            start = position
        previous = position
    yield start, previous
