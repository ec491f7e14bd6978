"""resolvelib's six questions, answered for one target.

The search is resolvelib's, the policy is here: what to pin next, what counts as a
match. Nothing is fetched but through ``PackageSource``, and nothing is printed. The
parameter names are resolvelib's own, for it calls by keyword.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from resolvelib import AbstractProvider
from resolvelib.structs import RequirementInformation

from polylock.resolution.candidates import Candidate, ExtraCandidate
from polylock.resolution.constraints import (
    ExactConstraint,
    SpecifierConstraint,
    Unmeetable,
    identifier_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.resolution.availability import Availability
    from polylock.resolution.constraints import Constraint
    from polylock.resolution.dependencies import DependencyReader

    AnyCandidate = Candidate | ExtraCandidate
    Information = RequirementInformation[Constraint, AnyCandidate]
    Matches = Sequence[AnyCandidate] | Callable[[], Iterator[AnyCandidate]]

__all__ = ["TargetProvider"]


class TargetProvider(AbstractProvider["Constraint", "AnyCandidate", str]):
    """Answers for one target; lives as long as its solve."""

    def __init__(
        self,
        availability: Availability,
        dependencies: DependencyReader,
        places: Mapping[NormalizedName, int],
    ) -> None:
        self._places = places
        self._availability = availability
        self._dependencies = dependencies
        self._discovered: dict[str, int] = {}
        self._single: dict[str, bool] = {}
        self._asked: dict[int, tuple[Constraint, ...]] = {}
        self._hopeless: set[tuple[str, str]] = set()

    def identify(self, requirement_or_candidate: Constraint | AnyCandidate) -> str:
        """Return the project's name, with the extra in brackets if there is one."""
        return identifier_of(requirement_or_candidate)

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[str],
        resolutions: Mapping[str, AnyCandidate],
        candidates: Mapping[str, Iterator[AnyCandidate]],
        information: Mapping[str, Iterator[Information]],
        backtrack_causes: Sequence[Information],
    ) -> Iterable[str]:
        """Choose what to pin next: called once a round, so all policy is here.

        What just conflicted comes first, then what has one version left (it costs
        nothing and cuts the rest), then the order of the search, in which a project
        comes before what it requires: else every version of a dependency would be
        opened to find that its parents want none of them. Then that of discovery.
        """
        del resolutions, candidates, information
        names = list(identifiers)
        if backtrack_causes:
            causes = {identifier_of(cause.requirement) for cause in backtrack_causes}
            causes.update(
                identifier_of(cause.parent)
                for cause in backtrack_causes
                if cause.parent is not None
            )
            names = [name for name in names if name in causes] or names
        return [min(names, key=self._urgency)]

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, AnyCandidate],
        candidates: Mapping[str, Iterator[AnyCandidate]],
        information: Mapping[str, Iterator[Information]],
        backtrack_causes: Sequence[Information],
    ) -> tuple[bool, int, int]:
        """Return the urgency; not called while narrowing answers with one name."""
        del resolutions, candidates, information, backtrack_causes
        return self._urgency(identifier)

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Constraint]],
        incompatibilities: Mapping[str, Iterator[AnyCandidate]],
    ) -> Matches:
        """Return a lazy sequence of candidates, the preferred first.

        Costs a few mask operations; versions are opened as the engine consumes it.
        """
        self._discovered.setdefault(identifier, len(self._discovered))
        wanted = list(requirements[identifier])
        excluded = {id(candidate) for candidate in incompatibilities[identifier]}
        name, _, extra = identifier.removesuffix("]").partition("[")
        if extra and name in requirements:
            # An extra has the version of its project, so what holds for one holds
            # for the other.
            wanted += requirements[name]
            excluded.update(id(candidate) for candidate in incompatibilities[name])
        releases = self._availability.releases(cast("NormalizedName", name))
        if releases is None or any(isinstance(one, Unmeetable) for one in wanted):
            return []
        specifiers = [c.specifier for c in wanted if isinstance(c, SpecifierConstraint)]
        exact = [c.candidate for c in wanted if isinstance(c, ExactConstraint)]
        mask = self._availability.allowed(releases, specifiers)
        for candidate in exact:
            mask &= 1 << candidate.position
        self._single[identifier] = mask & (mask - 1) == 0

        def matches() -> Iterator[AnyCandidate]:
            found = False
            for base in self._availability.candidates(releases, mask):
                if any(base is not candidate for candidate in exact):
                    continue
                candidate = self._availability.pool.extended(base, extra)
                if {id(base), id(candidate)} & excluded:
                    continue
                if self._hopeless_demand(candidate) is None:
                    found = True
                    yield candidate
            if not found:
                self._learn(identifier, specifiers)

        return matches

    def is_satisfied_by(self, requirement: Constraint, candidate: AnyCandidate) -> bool:
        """Say whether a pinned candidate meets a constraint; a lookup when warm."""
        base = candidate.base if isinstance(candidate, ExtraCandidate) else candidate
        match requirement:
            case SpecifierConstraint():
                mask = self._availability.table(base.releases).mask(
                    requirement.specifier
                )
                return bool(mask >> base.position & 1)
            case ExactConstraint():
                return base is requirement.candidate
            case Unmeetable():
                return False

    def get_dependencies(self, candidate: AnyCandidate) -> Iterable[Constraint]:
        """Yield what a candidate asks for; the first call begins to fetch it."""
        if isinstance(candidate, ExtraCandidate):
            yield ExactConstraint(candidate=candidate.base)
        else:
            for need in candidate.abi:
                yield SpecifierConstraint(name=need.name, specifier=need.specifier)
        answer = self._dependencies.of(candidate)
        asked: tuple[Constraint, ...] = (
            (answer,)
            if isinstance(answer, Unmeetable)
            else tuple(c for dependency in answer for c in dependency.constraints())
        )
        self._asked[id(candidate)] = asked
        yield from asked

    def at_the_bottom(self, causes: Sequence[Information]) -> tuple[Information, ...]:
        """Return, for causes of a failure, what those that nothing can meet fail for.

        One such is reason enough, so the others are left out where there is any.
        """
        found = (self._in_the_way(cause.requirement) for cause in causes)
        return tuple(dict.fromkeys(c for c in found if c is not None)) or tuple(causes)

    def _in_the_way(self, constraint: Constraint) -> Information | None:
        """Return what a constraint fails for whoever else asks, and its parent.

        That is what the best candidate asks for that nothing can meet, in turn as far
        down as there is any. None where the constraint by itself can be met, or fails
        for want of candidates.
        """
        found: Information | None = None
        seen: set[str] = set()
        current: Constraint = constraint
        while isinstance(current, SpecifierConstraint) and self._is_hopeless(current):
            identifier = identifier_of(current)
            if identifier in seen:
                break
            seen.add(identifier)
            below: Information | None = None
            for candidate in self._alone(identifier, current.specifier):
                demand = self._hopeless_demand(candidate)
                if demand is not None:
                    below = RequirementInformation(demand, candidate)
                    break
            if below is None:
                break
            found, current = below, below.requirement
        return found

    def _learn(self, identifier: str, specifiers: Iterable[str]) -> None:
        """Remember those of some specifiers that nothing meets, whoever else asks.

        A candidate that asks for such is never tried again. Without that the engine
        begins anew with every version of a project for every pin in between: with 423
        packages of which one had no wheel, it gave up after minutes.
        """
        for specifier in specifiers:
            key = identifier, specifier
            if key not in self._hopeless and all(
                self._hopeless_demand(candidate) is not None
                for candidate in self._alone(identifier, specifier)
            ):
                self._hopeless.add(key)

    def _alone(self, identifier: str, specifier: str) -> Iterator[AnyCandidate]:
        """Yield the candidates that there are where nobody else asks."""
        name, _, extra = identifier.removesuffix("]").partition("[")
        releases = self._availability.releases(cast("NormalizedName", name))
        if releases is None:
            return
        mask = self._availability.allowed(releases, [specifier])
        for base in self._availability.candidates(releases, mask):
            yield self._availability.pool.extended(base, extra)

    def _hopeless_demand(self, candidate: AnyCandidate) -> Constraint | None:
        """Return what a candidate asks for that nothing can meet, as far as known."""
        asked = self._asked.get(id(candidate), ())
        return next((demand for demand in asked if self._is_hopeless(demand)), None)

    def _is_hopeless(self, constraint: Constraint) -> bool:
        match constraint:
            case SpecifierConstraint():
                key = identifier_of(constraint), constraint.specifier
                return key in self._hopeless
            case ExactConstraint():
                return False
            case Unmeetable():
                return True

    def _urgency(self, identifier: str) -> tuple[bool, int, int]:
        name = cast("NormalizedName", identifier.partition("[")[0])
        return (
            not self._single.get(identifier, False),
            self._places.get(name, len(self._places)),
            self._discovered.get(identifier, 0),
        )
