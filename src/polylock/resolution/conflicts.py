"""Why there is no solution, in words: what is asked, by whom, and what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.explain.why_not import (
    OPENED_AT_MOST,
    build_hint,
    python_hint,
    rejected,
    shortage,
    span,
)
from polylock.explain.words import about
from polylock.model.reasons import FilesOut, NeedsBuild, NoFile, PythonUnmet
from polylock.resolution.advice import Conflict, tried_advice
from polylock.resolution.availability import Admission
from polylock.resolution.candidates import ExtraCandidate
from polylock.resolution.clash import Ask, asked_by_settings, clash, in_words
from polylock.resolution.constraints import (
    ExactConstraint,
    SpecifierConstraint,
    Unmeetable,
    identifier_of,
)
from polylock.resolution.versions import positions
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName
    from resolvelib.structs import RequirementInformation

    from polylock.model.reasons import Reason
    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import Candidate, Expansion
    from polylock.resolution.constraints import Constraint
    from polylock.resolution.dependencies import DependencyReader

    AnyCandidate = Candidate | ExtraCandidate
    Information = RequirementInformation[Constraint, AnyCandidate]
    _Line = tuple[str, ...]
    Requests = Sequence[tuple[Constraint, AnyCandidate | None]]

__all__ = ["Failure", "explain"]

_GROUPS_AT_MOST = 6
"""How many groups of versions of one parent are told, the newest first."""


class _Told(Value, frozen=True):
    """What rules out a candidate: a reason, what it ``required``, or a build."""

    label: str = ""
    reason: Reason | None = None
    required: str = ""
    built_against: str = ""


class Failure(Value, frozen=True, kw_only=True):
    """What the engine leaves behind: the claims that met, and who asked for whom.

    ``requested`` gives for each identifier the constraint that first named it.
    """

    availability: Availability
    dependencies: DependencyReader
    causes: Sequence[Information]
    requested: Mapping[str, tuple[Constraint, AnyCandidate | None]]


def explain(failure: Failure) -> tuple[list[str], str | None]:
    """Return the explanation, a line each, and advice where there is any.

    Opens at most a few dozen versions of the projects in conflict. Advice to ask for
    something else was tried: a solve with that change succeeded.
    """
    told: list[_Line] = []
    advice: list[str] = []
    causes = _telling(failure.causes)
    for name in dict.fromkeys(_name(cause.requirement) for cause in causes):
        every = [c for c in causes if _name(c.requirement) == name]
        claims, asks = _clashing(failure, name, every)
        for claim in claims:
            told += _claim(failure, claim)
        supply, untried = _supply(failure, name, claims, asks)
        told += [(line,) for line in supply]
        if untried is not None:
            advice.append(untried)
    lines = [", ".join(line) for line in _longest(told)]
    if failure.availability.blocked != Admission():
        return lines, None  # a search that admits more follows
    hint = _unbuilt(failure) or tried_advice(
        failure.availability, _conflict(failure), failure.dependencies.reads.opened
    )
    return lines, hint or next(iter(advice), None)


def _longest(lines: Sequence[_Line]) -> Iterator[_Line]:
    """Leave out what is said twice, and what another line begins with."""
    for line in dict.fromkeys(lines):
        if not any(
            len(other) > len(line) and other[: len(line)] == line for other in lines
        ):
            yield line


def _unbuilt(failure: Failure) -> str | None:
    """Return advice where the newest version there is may not be asked by a build.

    An older one in that place is what a search comes to in the end, and to build that
    would help nobody. To try it would run code that the project does not allow.
    """
    for cause in failure.causes:
        constraint = cause.requirement
        if isinstance(constraint, Unmeetable) and _unbuildable(constraint):
            candidate = constraint.candidate
            if candidate.position == max(_positions_of(failure, candidate)):
                inputs = failure.availability.pool.inputs
                return build_hint(inputs, candidate.name)
    return None


def _unbuildable(found: Unmeetable) -> bool:
    return isinstance(found.reason, NeedsBuild)


def _telling(causes: Sequence[Information]) -> list[Information]:
    """Leave out what the survey of a parent tells in any case."""
    surveyed = {
        cause.parent.name
        for cause in causes
        if cause.parent is not None
        and isinstance(cause.requirement, SpecifierConstraint)
    }
    return [
        cause
        for cause in causes
        if not isinstance(cause.requirement, Unmeetable)
        or cause.requirement.candidate.name not in surveyed
    ]


def _name(constraint: Constraint) -> NormalizedName:
    if isinstance(constraint, Unmeetable):
        return constraint.candidate.name
    return constraint.name


def _conflict(failure: Failure) -> Conflict:
    """Return the projects in conflict with all their parents, and what is asked."""
    names: dict[NormalizedName, None] = {}
    parents: dict[NormalizedName, None] = {}
    wanted: dict[tuple[str, str], None] = {}
    pythons: dict[tuple[str, str], None] = {}
    for cause in failure.causes:
        constraint = cause.requirement
        names[_name(constraint)] = None
        if isinstance(constraint, SpecifierConstraint) and constraint.specifier:
            wanted[constraint.name, constraint.specifier] = None
        if isinstance(constraint, Unmeetable):
            reason = constraint.reason
            if isinstance(reason, PythonUnmet):
                pythons[constraint.candidate.name, reason.requires_python] = None
        for request, _ in _requests(failure, cause.parent):
            parents[_name(request)] = None
    return Conflict(
        names=tuple(names),
        parents=tuple(parents),
        wanted=tuple(wanted),
        pythons=() if wanted else tuple(pythons),  # else it is not all there is to it
    )


def _claim(failure: Failure, claim: Information) -> list[_Line]:
    """Say who asks for what, with the chain of parents from the project down."""
    constraint, parent = claim.requirement, claim.parent
    if isinstance(constraint, ExactConstraint):
        return []  # an extra has the version of its project: nobody asked for that
    if parent is None:
        return [(_requires(constraint, None),)]
    chain = [_requires(*request) for request in _requests(failure, parent)]
    told = list(_survey(failure, parent, constraint))
    if len(told) == 1 and isinstance(constraint, SpecifierConstraint):
        return [(*chain, *told)]
    lines: list[_Line] = [(one,) for one in told]
    return [tuple(chain), *lines] if chain else lines


def _requires(constraint: Constraint, parent: AnyCandidate | None) -> str:
    if isinstance(constraint, Unmeetable):
        return about(str(constraint.candidate), constraint.reason)
    who = str(parent) if parent is not None else None
    if who is None:
        who = getattr(constraint, "origin", None) or "the project"
    return f"{who} requires {_wanted(constraint)}"


def _wanted(constraint: SpecifierConstraint | ExactConstraint) -> str:
    if isinstance(constraint, ExactConstraint):
        return f"{constraint.name}=={constraint.candidate.version}"
    extra = f"[{constraint.extra}]" if constraint.extra else ""
    return f"{constraint.name}{extra}{constraint.specifier}"


def _requests(failure: Failure, candidate: AnyCandidate | None) -> Requests:
    """Return who asked for a candidate, and for that one, from the project down."""
    found: list[tuple[Constraint, AnyCandidate | None]] = []
    seen: set[str] = set()
    current = candidate
    while current is not None:
        key = identifier_of(current)
        if key in seen or key not in failure.requested:
            break
        seen.add(key)
        constraint, parent = failure.requested[key]
        if not isinstance(constraint, ExactConstraint):
            found.append((constraint, parent))
        current = parent
    return found[::-1]


def _survey(
    failure: Failure, parent: AnyCandidate, constraint: Constraint
) -> Iterator[str]:
    """Say what each version of a parent asks for, versions that agree together.

    The engine names the last version that it tried; what holds for all of them is
    what people need to know.
    """
    base = parent.base if isinstance(parent, ExtraCandidate) else parent
    extra = parent.extra if isinstance(parent, ExtraCandidate) else ""
    subject = f"{base.name}[{extra}]" if extra else base.name
    groups: dict[_Told, list[int]] = {}
    for position in _positions_of(failure, parent):
        for told in _survey_version(failure, base, position, (extra, constraint)):
            groups.setdefault(told, []).append(position)
    for told, found in list(groups.items())[:_GROUPS_AT_MOST]:
        which = f" ({told.label})" if told.label else ""
        versions = f"{subject} {span(base.releases, found)}{which}"
        if told.reason is not None:
            yield about(versions, told.reason, many=len(found) > 1)
        elif told.built_against:
            yield f"{versions}: is built against {told.built_against}"
        else:
            yield f"{versions} {_verb(len(found))} {told.required}"


def _verb(count: int) -> str:
    return "requires" if count == 1 else "require"


def _positions_of(failure: Failure, parent: AnyCandidate) -> list[int]:
    """Return the versions of a parent that its own first request allows."""
    base = parent.base if isinstance(parent, ExtraCandidate) else parent
    request = failure.requested.get(identifier_of(base), (None, None))[0]
    specifiers = [request.specifier] if isinstance(request, SpecifierConstraint) else []
    mask = failure.availability.allowed(base.releases, specifiers)
    return list(positions(mask | 1 << base.position))[:OPENED_AT_MOST]


def _survey_version(
    failure: Failure,
    base: Candidate,
    position: int,
    asked: tuple[str, Constraint],
) -> Iterator[_Told]:
    """Yield what rules out each candidate of a version."""
    extra, constraint = asked
    pool = failure.availability.pool
    reader = failure.dependencies
    expansion = pool.expand(base.releases, position, yanked=False)
    if not expansion.candidates:
        reasons = rejected(pool, base.releases, position)
        yield _Told(reason=reasons[0] if len(reasons) == 1 else FilesOut(reasons))
    told: dict[_Told, None] = {}
    for found in expansion.candidates:
        answer = reader.of(pool.extended(found, extra))
        if isinstance(answer, Unmeetable):
            told[_Told(found.variant.label, _unmet(failure, answer))] = None
            continue
        if isinstance(constraint, Unmeetable):
            continue
        versions = "" if extra else _built_against(expansion, found, constraint)
        if versions:
            against = f"{constraint.name} {versions}"
            told[_Told(found.variant.label, built_against=against)] = None
        for dependency in answer:
            requirement = dependency.requirement
            if requirement.name == constraint.name:
                if versions and not requirement.specifier:
                    continue  # what it is built against says more
                extras = ",".join(requirement.extras)
                shown = f"[{extras}]" if extras else ""
                wanted = f"{requirement.name}{shown}{requirement.specifier}"
                told[_Told(found.variant.label, required=wanted)] = None
    yield from told


def _unmet(failure: Failure, found: Unmeetable) -> Reason:
    """Say why a candidate is out; of one that nobody builds, why it is no wheel."""
    candidate, pool = found.candidate, failure.availability.pool
    if (
        not _unbuildable(found)
        or not candidate.release.wheels
        or candidate.name in pool.inputs.no_binary_packages
    ):
        return found.reason
    reasons = rejected(pool, candidate.releases, candidate.position)
    if len(_positions_of(failure, candidate)) > 1:
        # What the wheels are for differs, and would tear the versions apart.
        reasons = tuple(
            replace(each, nearest=()) if isinstance(each, NoFile) else each
            for each in reasons
        )
    return FilesOut((*reasons, found.reason))


def _built_against(
    expansion: Expansion,
    found: Candidate,
    constraint: SpecifierConstraint | ExactConstraint,
) -> str:
    """Return the releases of a project that a label is built against (PEP 850)."""
    releases = [
        need.value
        for candidate in expansion.candidates
        if candidate.variant.label == found.variant.label
        for need in candidate.abi
        if need.name == constraint.name
    ]
    return " or ".join(dict.fromkeys(releases))


def _clashing(
    failure: Failure, name: NormalizedName, claims: Sequence[Information]
) -> tuple[Sequence[Information], Sequence[Ask]]:
    """Leave the claims on a project that cannot be met together, and what they ask.

    What the project itself claims is left in any case: that is what one can change.
    The versions of one parent ask for one or the other of what their claims say.
    """
    availability = failure.availability
    releases = availability.releases(name)
    if releases is None or not releases.versions:
        return claims, ()
    askers: dict[str, list[int]] = {}
    for at, claim in enumerate(claims):
        if isinstance(claim.requirement, SpecifierConstraint):
            parent = claim.parent
            asker = f"{at}" if parent is None else identifier_of(parent)
            askers.setdefault(asker, []).append(at)
    asks = {
        _ask(asker, [claims[at] for at in found]): found
        for asker, found in askers.items()
    }
    chosen = clash(
        [*asks, *asked_by_settings(availability, name)], availability.table(releases)
    )
    kept = {at for ask in chosen for at in asks.get(ask, ())}
    if not kept:
        return claims, chosen  # a setting leaves nothing of what they ask for
    return [
        claim
        for at, claim in enumerate(claims)
        if at in kept
        or claim.parent is None
        or not isinstance(claim.requirement, SpecifierConstraint)
    ], chosen


def _ask(asker: str, claims: Sequence[Information]) -> Ask:
    found: dict[int, dict[str, None]] = {}
    for claim in claims:
        constraint, parent = claim.requirement, claim.parent
        if isinstance(constraint, SpecifierConstraint):
            found.setdefault(id(parent), {})[constraint.specifier] = None
            if parent is None:
                asker = constraint.origin or "the project"
    specifiers = (",".join(filter(None, every)) for every in found.values())
    return Ask(asker, tuple(dict.fromkeys(specifiers)))


def _supply(
    failure: Failure,
    name: str,
    claims: Sequence[Information],
    asks: Sequence[Ask],
) -> tuple[list[str], str | None]:
    """Say what the index has for these claims."""
    availability = failure.availability
    if name in availability.missing:
        error = availability.missing[name]
        return [str(error)], error.hint()
    asked = [
        claim.requirement
        for claim in claims
        if isinstance(claim.requirement, SpecifierConstraint)
    ]
    if not asked:
        python = any(
            isinstance(claim.requirement, Unmeetable)
            and isinstance(claim.requirement.reason, PythonUnmet)
            for claim in claims
        )
        return [], python_hint(availability.pool.target, name) if python else None
    releases = availability.releases(asked[0].name)
    if releases is None or not releases.versions:
        return [f"{name} has no release that can be installed"], None
    lines = []
    constrained = availability.constraints_on(name)
    if constrained:
        lines.append(f"constraint-dependencies ask for {name}{','.join(constrained)}")
    upgrades = [one for one in availability.pool.inputs.upgrades if one.name == name]
    lines += [f"--upgrade-package asks for {upgrade}" for upgrade in upgrades]
    if any(override.name == name for override in availability.pool.inputs.overrides):
        lines.append(f"override-dependencies replace what is asked of {name}")
    specifiers = [constraint.specifier for constraint in asked]
    specifiers += [*constrained, *(upgrade.specifier for upgrade in upgrades)]
    asked_by = in_words(asks, availability.table(releases))
    told, hint = shortage(availability, releases, specifiers, asked_by)
    return [*lines, *told], hint
