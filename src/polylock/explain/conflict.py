"""The explanation of a failed solve: the conflicting requirements and their origins.

Also the versions that the index has, and advice that was tried or is known to help.
"""

from __future__ import annotations

from functools import reduce
from itertools import combinations
from operator import and_, or_
from typing import TYPE_CHECKING

from polylock.errors import NoSolution
from polylock.explain.reasons import FilesOut, NeedsBuild, NoFile, PythonUnmet, Reason
from polylock.explain.suggestions import (
    Conflict,
    build_hint,
    marker_hint,
    python_hint,
    refused_python,
    supply_hint,
    tried_suggestion,
)
from polylock.explain.why_not import OPENED_AT_MOST, no_usable_version, rejected
from polylock.explain.words import about, lacks
from polylock.model.distributions import span
from polylock.model.requirements import Requirement
from polylock.resolution.align import Disagreement
from polylock.resolution.candidates import ExtraCandidate
from polylock.resolution.constraints import (
    Lacking,
    SpecifierConstraint,
    Unmeetable,
    identifier_of,
)
from polylock.resolution.problem import Unsolvable
from polylock.resolution.versions import positions
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import AnyCandidate, Candidate, Expansion
    from polylock.resolution.constraints import Constraint
    from polylock.resolution.dependencies import DependencyReader
    from polylock.resolution.problem import Failure, Problem, Refutation
    from polylock.resolution.provider import Information
    from polylock.resolution.versions import VersionTable

    _Line = tuple[str, ...]
    Requests = Sequence[tuple[Constraint, AnyCandidate | None]]

__all__ = ["VersionLimit", "explained", "limits_in_words", "smallest_conflict"]

_MOST_TRIED_TOGETHER = 3
_MORE_LEAVES_AT_MOST = 2
_GROUPS_AT_MOST = 6
"""The most groups of versions of one parent that are shown, the newest first."""

_NO_FILES = (
    "its page lists no wheel or source distribution (.tar.gz, .zip) of that name with "
    "a valid version; file: links, to files of this machine, do not count"
)


class _BuiltAgainst(Value, frozen=True):
    """A label is built against releases of another project (PEP 850)."""

    name: str
    releases: str


_Exclusion = Requirement | _BuiltAgainst | Reason
"""The requirement, ABI dependency or reason that excludes a candidate."""


class _Causes(Value, frozen=True, kw_only=True):
    """The requirements that conflict, with the data to find their origins.

    ``requested`` maps the identifiers of their parents to the first requirement on
    each. ``aligned`` is the version of another target, which was required as an
    upgrade.
    """

    availability: Availability
    dependencies: DependencyReader
    causes: Sequence[Information]
    requested: Mapping[str, Information]
    aligned: Requirement | None = None


def explained(
    error: NoSolution, clock: Callable[[], float] | None = None
) -> NoSolution:
    """Return the error with its explanation in words.

    Opens no file that the failed solve did not open. A suggested change was tried: a
    solve with it succeeded. The ``clock`` counts seconds and bounds the time for this.
    """
    if isinstance(error, Disagreement):
        return _disagreement(error)
    failure = error.failure if isinstance(error, Unsolvable) else None
    if failure is None:
        return error
    target = failure.problem.target.name
    if failure.causes is None:
        return NoSolution(target, [_too_long(failure)], _too_long_hint(failure))
    lines, advice = _explain(failure.problem, failure.causes, clock)
    return NoSolution(target, lines, advice)


def _disagreement(error: Disagreement) -> NoSolution:
    name = error.project
    lines = [f"{name} is {v} for {', '.join(ts)}" for v, ts in error.versions.items()]
    for refusal in error.refusals:
        target, version = refusal.target, refusal.version
        failure = refusal.error.failure if refusal.error is not None else None
        if failure is None or failure.causes is None:
            lines.append(
                f"{target} could take {name} {version} only with other changes"
            )
            continue
        aligned = Requirement(name=name, specifier=f"=={version}")
        conflict, _ = _lines(
            _causes(failure.problem, next(_leaves(failure.causes)), aligned)
        )
        lines += [f"{target}: {line}" for line in conflict]
    return NoSolution(
        error.target,
        lines,
        'relax the requirement, or set align = "prefer" in [tool.polylock]',
    )


def _too_long(failure: Failure) -> str:
    names = ", ".join(failure.contested)
    if not names:
        return f"gave up after {failure.tried} candidates: too many requirements"
    return (
        f"gave up after {failure.tried} candidates, most of them of {names}: "
        "the requirements on these may have no solution"
    )


def _too_long_hint(failure: Failure) -> str:
    first = next(iter(failure.contested), "")
    if not first:
        return (
            "remove a package with many dependencies, or require another version of it"
        )
    return (
        "narrow the versions that are allowed, for example with a lower limit on "
        f"{first}"
    )


def _explain(
    problem: Problem, refutation: Refutation, clock: Callable[[], float] | None
) -> tuple[list[str], str | None]:
    """Return the explanation, a line each, and advice where there is any."""
    first, *others = _leaves(refutation)
    failure = _causes(problem, first)
    lines, untried = _lines(failure)
    if _excludes_only_itself(first):
        # Each version has another conflict, so a few more of them are shown.
        for other in [each for each in others if _excludes_only_itself(each)][
            :_MORE_LEAVES_AT_MOST
        ]:
            more, _ = _lines(_causes(problem, other))
            lines += [line for line in more if line not in lines]
    conflict = _conflict(failure)
    hint = _build_hint_for_newest(failure) or tried_suggestion(problem, conflict, clock)
    if hint is not None:
        return lines, hint
    found = refused_python(problem, conflict, clock)
    if found is None:
        return lines, untried
    # Some require another Python; the advice to choose one would fail here again.
    python, refused = found
    assert refused.causes is not None
    more, _ = _lines(_causes(refused.problem, next(_leaves(refused.causes))))
    lines += [f"with Python {python}: {line}" for line in more]
    return lines, marker_hint(problem.target, conflict.names[0])


def _leaves(refutation: Refutation) -> Iterator[Refutation]:
    """Yield the refutations that follow from no other refutation, each once.

    That of the best candidates comes first: users want the newest versions, so its
    conflict is the one to show.
    """
    seen: set[int] = set()
    waiting = [refutation]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        following = [each.because for each in current.rejected]
        if not following or following[0] is None:
            yield current
        else:
            waiting += [each for each in reversed(following) if each is not None]


def _excludes_only_itself(leaf: Refutation) -> bool:
    """Return True if the requirements exclude only the pin that they come from."""
    return any(
        rejected.pin is not None and len(rejected.information) == 1
        for rejected in leaf.rejected
    )


def _causes(
    problem: Problem, refutation: Refutation, aligned: Requirement | None = None
) -> _Causes:
    """Return the requirements on a project that exclude all its candidates."""
    found = [
        information
        for rejected in refutation.rejected
        for information in rejected.information
    ]
    distinct = {id(one.requirement): one for one in found or refutation.information}
    return _Causes(
        availability=problem.availability,
        dependencies=problem.dependencies,
        causes=tuple(distinct.values()),
        requested=refutation.requested,
        aligned=aligned,
    )


def _lines(failure: _Causes) -> tuple[list[str], str | None]:
    """Return the conflicting requirements, a line each, and untried advice."""
    lines: list[_Line] = []
    advice: list[str] = []
    causes = _without_surveyed(failure.causes)
    for name in dict.fromkeys(_name(cause.requirement) for cause in causes):
        every = [c for c in causes if _name(c.requirement) == name]
        claims, limits = _conflicting(failure, name, every)
        for claim in claims:
            lines += _claim_lines(failure, claim)
        available, untried = _available(failure, name, claims, limits)
        lines += [(line,) for line in available]
        if untried is not None:
            advice.append(untried)
    return [", ".join(line) for line in _distinct(lines)], next(iter(advice), None)


def _distinct(lines: Sequence[_Line]) -> Iterator[_Line]:
    """Yield lines without duplicates and without prefixes of other lines."""
    for line in dict.fromkeys(lines):
        if not any(
            len(other) > len(line) and other[: len(line)] == line for other in lines
        ):
            yield line


def _build_hint_for_newest(failure: _Causes) -> str | None:
    """Return advice if the newest version needs a build that is not allowed.

    The search also ends at older versions that need a build, but to build one of those
    does not help. The advice is not tried, because a build runs code of the package.
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


def _without_surveyed(causes: Sequence[Information]) -> list[Information]:
    """Return the causes without those that the survey of a parent shows anyway."""
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


def _conflict(failure: _Causes) -> Conflict:
    """Return the projects in conflict, their parents and their requirements."""
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
        for request, _ in _chain(failure, cause.parent):
            parents[_name(request)] = None
    return Conflict(
        names=tuple(names),
        parents=tuple(parents),
        wanted=tuple(wanted),
        pythons=() if wanted else tuple(pythons),  # else Python is not the only cause
    )


def _claim_lines(failure: _Causes, claim: Information) -> list[_Line]:
    """Return the lines on one requirement, with its chain from the project down."""
    constraint, parent = claim.requirement, claim.parent
    if isinstance(constraint, Lacking) or parent is None:
        return [(_requires(constraint, None),)]
    chain = [_requires(*request) for request in _chain(failure, parent)]
    surveyed = list(_survey_lines(failure, parent, constraint))
    if len(surveyed) == 1 and isinstance(constraint, SpecifierConstraint):
        return [(*chain, *surveyed)]
    lines: list[_Line] = [(one,) for one in surveyed]
    return [tuple(chain), *lines] if chain else lines


def _requires(constraint: Constraint, parent: AnyCandidate | None) -> str:
    if isinstance(constraint, Unmeetable):
        return about(str(constraint.candidate), constraint.reason)
    by = str(parent) if parent is not None else None
    if by is None:
        by = getattr(constraint, "origin", None) or "the project"
    return f"{by} requires {_wanted(constraint)}"


def _wanted(constraint: SpecifierConstraint) -> str:
    extra = f"[{constraint.extra}]" if constraint.extra else ""
    return f"{constraint.name}{extra}{constraint.specifier}"


def _chain(failure: _Causes, candidate: AnyCandidate | None) -> Requests:
    """Return the requirements that lead from the project to a candidate."""
    found: list[tuple[Constraint, AnyCandidate | None]] = []
    seen: set[str] = set()
    current = candidate
    while current is not None:
        key = identifier_of(current)
        if key in seen or key not in failure.requested:
            break
        seen.add(key)
        constraint, parent = failure.requested[key]
        found.append((constraint, parent))
        current = parent
    return found[::-1]


def _survey_lines(
    failure: _Causes, parent: AnyCandidate, constraint: Constraint
) -> Iterator[str]:
    """Yield a line on the versions of a parent for each requirement that they share.

    The engine knows only the last version that it tried, but users need to know which
    versions have the requirement.
    """
    base = parent.base if isinstance(parent, ExtraCandidate) else parent
    extra = parent.extra if isinstance(parent, ExtraCandidate) else ""
    subject = f"{base.name}[{extra}]" if extra else base.name
    groups: dict[tuple[str, _Exclusion], list[int]] = {}
    for position in _positions_of(failure, parent):
        for key in _survey_version(failure, base, position, (extra, constraint)):
            groups.setdefault(key, []).append(position)
    for (label, exclusion), found in list(groups.items())[:_GROUPS_AT_MOST]:
        which = f" ({label})" if label else ""
        versions = f"{subject} {span(base.releases, found)}{which}"
        many = len(found) > 1
        match exclusion:
            case Requirement():
                yield f"{versions} {'require' if many else 'requires'} {exclusion}"
            case _BuiltAgainst():
                against = f"{exclusion.name} {exclusion.releases}"
                yield f"{versions}: is built against {against}"
            case _:
                yield about(versions, exclusion, many=many)


def _positions_of(failure: _Causes, parent: AnyCandidate) -> list[int]:
    """Return the versions of a parent that the first requirement on it allows."""
    base = parent.base if isinstance(parent, ExtraCandidate) else parent
    request = failure.requested.get(identifier_of(base), (None, None))[0]
    specifiers = [request.specifier] if isinstance(request, SpecifierConstraint) else []
    mask = failure.availability.allowed(base.releases, specifiers)
    visited = failure.availability.pool.visited
    return [
        position
        for position in positions(mask | 1 << base.position)
        if (base.name, position) in visited
    ][:OPENED_AT_MOST]


def _survey_version(
    failure: _Causes,
    base: Candidate,
    position: int,
    asked: tuple[str, Constraint],
) -> Iterator[tuple[str, _Exclusion]]:
    """Yield label and exclusions for each rejected candidate of a version."""
    pool = failure.availability.pool
    expansion = pool.expand(base.releases, position, yanked=False)
    if not expansion.candidates:
        reasons = rejected(pool, base.releases, position)
        yield "", reasons[0] if len(reasons) == 1 else FilesOut(reasons)
    exclusions: dict[tuple[str, _Exclusion], None] = {}
    for found in expansion.candidates:
        for each in _survey_candidate(failure, expansion, found, asked):
            exclusions[found.variant.label, each] = None
    yield from exclusions


def _survey_candidate(
    failure: _Causes,
    expansion: Expansion,
    found: Candidate,
    asked: tuple[str, Constraint],
) -> Iterator[_Exclusion]:
    """Yield the exclusions of a candidate whose metadata was read."""
    extra, constraint = asked
    pool = failure.availability.pool
    answer = failure.dependencies.known(pool.extended(found, extra))
    if answer is None:
        return
    if isinstance(answer, Unmeetable):
        yield _unmet(failure, answer)
        return
    if isinstance(constraint, Unmeetable):
        return
    versions = "" if extra else _built_against(expansion, found, constraint)
    if versions:
        yield _BuiltAgainst(constraint.name, versions)
    for dependency in answer:
        requirement = dependency.requirement
        if requirement.name == constraint.name:
            if versions and not requirement.specifier:
                continue  # the ABI dependency says more
            yield Requirement(
                name=requirement.name,
                specifier=requirement.specifier,
                extras=requirement.extras,
            )


def _unmet(failure: _Causes, found: Unmeetable) -> Reason:
    """Return the reason against a candidate; if it must be built, also its wheels'."""
    candidate, pool = found.candidate, failure.availability.pool
    if (
        not _unbuildable(found)
        or not candidate.release.wheels
        or candidate.name in pool.inputs.no_binary_packages
    ):
        return found.reason
    reasons = rejected(pool, candidate.releases, candidate.position)
    if len(_positions_of(failure, candidate)) > 1:
        # The platforms of the wheels differ, and would split the groups of versions.
        reasons = tuple(
            replace(each, nearest=()) if isinstance(each, NoFile) else each
            for each in reasons
        )
    return FilesOut((*reasons, found.reason))


def _built_against(
    expansion: Expansion,
    found: Candidate,
    constraint: SpecifierConstraint,
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


def _conflicting(
    failure: _Causes, name: NormalizedName, claims: Sequence[Information]
) -> tuple[Sequence[Information], Sequence[VersionLimit]]:
    """Return the requirements on a project that conflict, and their limits.

    Those of the project itself are always included, because the user can change them.
    The versions of one parent count as one limit with alternatives.
    """
    availability = failure.availability
    releases = availability.releases(name)
    if releases is None or not releases.versions:
        return claims, ()
    by_parent: dict[str, list[int]] = {}
    for at, claim in enumerate(claims):
        if isinstance(claim.requirement, SpecifierConstraint):
            parent = claim.parent
            by = f"{at}" if parent is None else identifier_of(parent)
            by_parent.setdefault(by, []).append(at)
    limits = {
        _limit(by, [claims[at] for at in found]): found
        for by, found in by_parent.items()
    }
    chosen = smallest_conflict(
        [*limits, *_limits_of_settings(failure, name)], availability.table(releases)
    )
    kept = {at for limit in chosen for at in limits.get(limit, ())}
    if not kept:
        return claims, chosen  # a setting alone excludes every version
    return [
        claim
        for at, claim in enumerate(claims)
        if at in kept
        or claim.parent is None
        or not isinstance(claim.requirement, SpecifierConstraint)
    ], chosen


def _limit(by: str, claims: Sequence[Information]) -> VersionLimit:
    found: dict[int, dict[str, None]] = {}
    for claim in claims:
        constraint, parent = claim.requirement, claim.parent
        if isinstance(constraint, SpecifierConstraint):
            found.setdefault(id(parent), {})[constraint.specifier] = None
            if parent is None:
                by = constraint.origin or "the project"
    specifiers = (",".join(filter(None, every)) for every in found.values())
    return VersionLimit(by, tuple(dict.fromkeys(specifiers)))


def _available(
    failure: _Causes,
    name: str,
    claims: Sequence[Information],
    limits: Sequence[VersionLimit],
) -> tuple[list[str], str | None]:
    """Return lines on the available versions, and untried advice."""
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
        reasons = [
            claim.requirement.reason
            for claim in claims
            if isinstance(claim.requirement, Unmeetable)
        ]
        if any(isinstance(reason, PythonUnmet) for reason in reasons):
            return [], python_hint(availability.pool.target, name)
        unbuilt = any(isinstance(reason, NeedsBuild) for reason in reasons)
        return [], build_hint(availability.pool.inputs, name) if unbuilt else None
    releases = availability.releases(asked[0].name)
    if releases is None or not releases.versions:
        return [f"{name} has no release that can be installed"], _NO_FILES
    lines = []
    constrained = availability.constraints_on(name)
    if constrained:
        lines.append(f"constraint-dependencies ask for {name}{','.join(constrained)}")
    upgrades = [one for one in availability.pool.inputs.upgrades if one.name == name]
    lines += [
        f"--upgrade-package asks for {upgrade}"
        for upgrade in upgrades
        if upgrade != failure.aligned
    ]
    if any(override.name == name for override in availability.pool.inputs.overrides):
        lines.append(f"override-dependencies replace the requirements on {name}")
    specifiers = [constraint.specifier for constraint in asked]
    specifiers += [*constrained, *(upgrade.specifier for upgrade in upgrades)]
    limits_text = limits_in_words(limits, availability.table(releases))
    limits_text = limits_text or ",".join(filter(None, dict.fromkeys(specifiers)))
    found = no_usable_version(availability, releases, specifiers)
    lines += lacks(found, limits_text)
    return lines, supply_hint(availability.pool, found)


class VersionLimit(Value, frozen=True):
    """The versions that one project allows of another: alternative specifiers.

    There is one for each version of the dependent ``by``, which is a noun phrase:
    ``the project``, or the name of another project.
    """

    by: str
    specifiers: tuple[str, ...]


def _limits_of_settings(
    failure: _Causes, name: NormalizedName
) -> Iterator[VersionLimit]:
    """Yield the limits of constraints and of the command line on a project."""
    for specifier in failure.availability.constraints_on(name):
        yield VersionLimit("constraint-dependencies", (specifier,))
    for upgrade in failure.availability.pool.inputs.upgrades:
        if upgrade.name == name:
            by = "another target" if upgrade == failure.aligned else "--upgrade-package"
            yield VersionLimit(by, (upgrade.specifier,))


def smallest_conflict(
    limits: Sequence[VersionLimit], table: VersionTable
) -> Sequence[VersionLimit]:
    """Return the fewest limits that exclude every version.

    Returns all of them if they do not conflict. Combinations of up to three are tried;
    of a larger conflict, those that can be left out one by one are left out.
    """
    masks = {limit: _mask(limit.specifiers, table) for limit in limits}

    def leave_a_version(chosen: Iterable[VersionLimit]) -> bool:
        return bool(reduce(and_, (masks[limit] for limit in chosen), table.everything))

    if leave_a_version(limits):
        return limits
    for count in range(1, _MOST_TRIED_TOGETHER + 1):
        for chosen in combinations(limits, count):
            if not leave_a_version(chosen):
                return chosen
    kept = list(limits)
    for limit in reversed(limits):
        rest = [each for each in kept if each is not limit]
        if not leave_a_version(rest):
            kept = rest
    return kept


def limits_in_words(limits: Sequence[VersionLimit], table: VersionTable) -> str:
    """Return limits as text, with their origins if there are several.

    Of the alternatives of a limit, those that another one covers are left out.
    """
    said = [
        (" or ".join(_widest(limit.specifiers, table)), limit.by)
        for limit in limits
        if any(limit.specifiers)
    ]
    if len({by for _, by in said}) <= 1:
        return ",".join(what for what, _ in said)
    return " and ".join(f"{what} ({by})" for what, by in said)


def _mask(specifiers: Iterable[str], table: VersionTable) -> int:
    return reduce(or_, map(table.mask, specifiers), 0)


def _widest(specifiers: Sequence[str], table: VersionTable) -> list[str]:
    """Return the specifiers that no other covers; of equal ones the last."""
    found: list[str] = []
    for at, specifier in enumerate(specifiers):
        mask = table.mask(specifier)
        others = [
            (other, table.mask(each))
            for other, each in enumerate(specifiers)
            if other != at
        ]
        if not any(
            not mask & ~wider and (mask != wider or other > at)
            for other, wider in others
        ):
            found.append(specifier)
    return found
