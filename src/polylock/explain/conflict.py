"""Why there is no solution, in words: what is asked, by whom, and what there is."""

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
from polylock.explain.why_not import OPENED_AT_MOST, rejected, shortage
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

__all__ = ["Ask", "clash", "explained", "in_words"]

_MOST_TRIED_TOGETHER = 3
_CIRCLES_AT_MOST = 2
_GROUPS_AT_MOST = 6
"""How many groups of versions of one parent are told, the newest first."""

_NO_FILES = (
    "its page lists no wheel or source distribution (.tar.gz, .zip) of that name with "
    "a valid version; file: links, to files of this machine, do not count"
)


class _BuiltAgainst(Value, frozen=True):
    """A label is built against releases of another project (PEP 850)."""

    name: str
    releases: str


_Told = Requirement | _BuiltAgainst | Reason
"""What excludes a candidate: a requirement, an ABI dependency, or a reason."""


class _Causes(Value, frozen=True, kw_only=True):
    """The requirements that conflict, with what is needed to tell where they are from.

    ``requested`` gives for each identifier among their parents what first required it.
    ``wish`` is what another target would have, asked for as an upgrade is.
    """

    availability: Availability
    dependencies: DependencyReader
    causes: Sequence[Information]
    requested: Mapping[str, Information]
    wish: Requirement | None = None


def explained(
    error: NoSolution, clock: Callable[[], float] | None = None
) -> NoSolution:
    """Return a failure of the solver with its words, as the run that failed left it.

    Opens no file that was not opened. Advice to ask for something else was tried: a
    solve with that change succeeded. The ``clock`` counts seconds, for the time that
    this may take.
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
        wish = Requirement(name=name, specifier=f"=={version}")
        told, _ = _lines(_causes(failure.problem, next(_leaves(failure.causes)), wish))
        lines += [f"{target}: {line}" for line in told]
    return NoSolution(
        error.target,
        lines,
        'relax the requirement, or set align = "prefer" in [tool.polylock]',
    )


def _too_long(failure: Failure) -> str:
    names = ", ".join(failure.contested)
    if not names:
        return f"gave up after {failure.tried} candidates: too much is required"
    return (
        f"gave up after {failure.tried} candidates, most of them of {names}: what is "
        "required of these may not have a solution"
    )


def _too_long_hint(failure: Failure) -> str:
    first = next(iter(failure.contested), "")
    if not first:
        return "leave out what has so many dependencies, or take another version of it"
    return f"narrow what may be taken of them, as with a lower limit on {first}"


def _explain(
    problem: Problem, refutation: Refutation, clock: Callable[[], float] | None
) -> tuple[list[str], str | None]:
    """Return the explanation, a line each, and advice where there is any."""
    first, *others = _leaves(refutation)
    failure = _causes(problem, first)
    lines, untried = _lines(failure)
    if _is_circle(first):
        # What conflicts is not in the versions of who asks, so those tell it each.
        for other in [each for each in others if _is_circle(each)][:_CIRCLES_AT_MOST]:
            told, _ = _lines(_causes(problem, other))
            lines += [line for line in told if line not in lines]
    conflict = _conflict(failure)
    hint = _unbuilt(failure) or tried_suggestion(problem, conflict, clock)
    if hint is not None:
        return lines, hint
    found = refused_python(problem, conflict, clock)
    if found is None:
        return lines, untried
    # Some want another Python: advice to choose one would lead here again.
    python, refused = found
    assert refused.causes is not None
    told, _ = _lines(_causes(refused.problem, next(_leaves(refused.causes))))
    lines += [f"with Python {python}: {line}" for line in told]
    return lines, marker_hint(problem.target, conflict.names[0])


def _leaves(refutation: Refutation) -> Iterator[Refutation]:
    """Yield the projects in which it ends that another has no candidate, each once.

    First where the best candidates lead to: what people want is the newest, and its
    conflict is the one to tell.
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


def _is_circle(leaf: Refutation) -> bool:
    """Return True if the requirements exclude only a pin that they come from."""
    return any(
        rejected.pin is not None and len(rejected.information) == 1
        for rejected in leaf.rejected
    )


def _causes(
    problem: Problem, refutation: Refutation, wish: Requirement | None = None
) -> _Causes:
    """Return the requirements that conflict in a project, over all its candidates."""
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
        wish=wish,
    )


def _lines(failure: _Causes) -> tuple[list[str], str | None]:
    """Return the conflicting requirements, a line each, and untried advice."""
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
    return [", ".join(line) for line in _longest(told)], next(iter(advice), None)


def _longest(lines: Sequence[_Line]) -> Iterator[_Line]:
    """Leave out what is said twice, and what another line begins with."""
    for line in dict.fromkeys(lines):
        if not any(
            len(other) > len(line) and other[: len(line)] == line for other in lines
        ):
            yield line


def _unbuilt(failure: _Causes) -> str | None:
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


def _conflict(failure: _Causes) -> Conflict:
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


def _claim(failure: _Causes, claim: Information) -> list[_Line]:
    """Describe each request, with the chain of parents from the project down."""
    constraint, parent = claim.requirement, claim.parent
    if isinstance(constraint, Lacking) or parent is None:
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


def _wanted(constraint: SpecifierConstraint) -> str:
    extra = f"[{constraint.extra}]" if constraint.extra else ""
    return f"{constraint.name}{extra}{constraint.specifier}"


def _requests(failure: _Causes, candidate: AnyCandidate | None) -> Requests:
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
        found.append((constraint, parent))
        current = parent
    return found[::-1]


def _survey(
    failure: _Causes, parent: AnyCandidate, constraint: Constraint
) -> Iterator[str]:
    """Describe what each version of a parent requires, equal ones together.

    The engine names the last version that it tried; what holds for all of them is
    what people need to know.
    """
    base = parent.base if isinstance(parent, ExtraCandidate) else parent
    extra = parent.extra if isinstance(parent, ExtraCandidate) else ""
    subject = f"{base.name}[{extra}]" if extra else base.name
    groups: dict[tuple[str, _Told], list[int]] = {}
    for position in _positions_of(failure, parent):
        for key in _survey_version(failure, base, position, (extra, constraint)):
            groups.setdefault(key, []).append(position)
    for (label, told), found in list(groups.items())[:_GROUPS_AT_MOST]:
        which = f" ({label})" if label else ""
        versions = f"{subject} {span(base.releases, found)}{which}"
        many = len(found) > 1
        match told:
            case Requirement():
                yield f"{versions} {'require' if many else 'requires'} {told}"
            case _BuiltAgainst():
                yield f"{versions}: is built against {told.name} {told.releases}"
            case _:
                yield about(versions, told, many=many)


def _positions_of(failure: _Causes, parent: AnyCandidate) -> list[int]:
    """Return the versions of a parent that its own first request allows."""
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
) -> Iterator[tuple[str, _Told]]:
    """Yield label and reason for each candidate of a version that is ruled out."""
    pool = failure.availability.pool
    expansion = pool.expand(base.releases, position, yanked=False)
    if not expansion.candidates:
        reasons = rejected(pool, base.releases, position)
        yield "", reasons[0] if len(reasons) == 1 else FilesOut(reasons)
    told: dict[tuple[str, _Told], None] = {}
    for found in expansion.candidates:
        for each in _survey_candidate(failure, expansion, found, asked):
            told[found.variant.label, each] = None
    yield from told


def _survey_candidate(
    failure: _Causes,
    expansion: Expansion,
    found: Candidate,
    asked: tuple[str, Constraint],
) -> Iterator[_Told]:
    """Yield what a candidate that was opened has against a solution."""
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
                continue  # what it is built against says more
            yield Requirement(
                name=requirement.name,
                specifier=requirement.specifier,
                extras=requirement.extras,
            )


def _unmet(failure: _Causes, found: Unmeetable) -> Reason:
    """Describe why a candidate is excluded, or, if it must be built, has no wheel."""
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


def _clashing(
    failure: _Causes, name: NormalizedName, claims: Sequence[Information]
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
        [*asks, *_asked_by_settings(failure, name)], availability.table(releases)
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
    failure: _Causes,
    name: str,
    claims: Sequence[Information],
    asks: Sequence[Ask],
) -> tuple[list[str], str | None]:
    """Describe what the index has for these claims."""
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
        if upgrade != failure.wish
    ]
    if any(override.name == name for override in availability.pool.inputs.overrides):
        lines.append(f"override-dependencies replace what is asked of {name}")
    specifiers = [constraint.specifier for constraint in asked]
    specifiers += [*constrained, *(upgrade.specifier for upgrade in upgrades)]
    asked_by = in_words(asks, availability.table(releases))
    asked_by = asked_by or ",".join(filter(None, dict.fromkeys(specifiers)))
    found = shortage(availability, releases, specifiers)
    lines += lacks(found, asked_by)
    return lines, supply_hint(availability.pool, found)


class Ask(Value, frozen=True):
    """The specifiers that one project has for another, one for each of its versions.

    ``who`` is a noun phrase: ``the project``, or the name of another project.
    """

    who: str
    specifiers: tuple[str, ...]


def _asked_by_settings(failure: _Causes, name: NormalizedName) -> Iterator[Ask]:
    """Yield what constraints and the command line ask of a project."""
    for specifier in failure.availability.constraints_on(name):
        yield Ask("constraint-dependencies", (specifier,))
    for upgrade in failure.availability.pool.inputs.upgrades:
        if upgrade.name == name:
            who = "another target" if upgrade == failure.wish else "--upgrade-package"
            yield Ask(who, (upgrade.specifier,))


def clash(asks: Sequence[Ask], table: VersionTable) -> Sequence[Ask]:
    """Return the fewest asks that leave no version, the first of as many.

    All of them where together they leave some: then it is not they that clash. Looks
    for up to three; where it takes more, those that can be spared are left out.
    """
    masks = {ask: _mask(ask.specifiers, table) for ask in asks}

    def leaves_some(chosen: Iterable[Ask]) -> bool:
        return bool(reduce(and_, (masks[ask] for ask in chosen), table.everything))

    if leaves_some(asks):
        return asks
    for count in range(1, _MOST_TRIED_TOGETHER + 1):
        for chosen in combinations(asks, count):
            if not leaves_some(chosen):
                return chosen
    kept = list(asks)
    for ask in reversed(asks):
        rest = [each for each in kept if each is not ask]
        if not leaves_some(rest):
            kept = rest
    return kept


def in_words(asks: Sequence[Ask], table: VersionTable) -> str:
    """Write what is asked, and by whom where there are several.

    A specifier that allows nothing that another of the same ask does not is left out.
    """
    said = [
        (" or ".join(_widest(ask.specifiers, table)), ask.who)
        for ask in asks
        if any(ask.specifiers)
    ]
    if len({who for _, who in said}) <= 1:
        return ",".join(what for what, _ in said)
    return " and ".join(f"{what} ({who})" for what, who in said)


def _mask(specifiers: Iterable[str], table: VersionTable) -> int:
    return reduce(or_, map(table.mask, specifiers), 0)


def _widest(specifiers: Sequence[str], table: VersionTable) -> list[str]:
    """Leave those that are covered by no other, of equal ones the last."""
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
