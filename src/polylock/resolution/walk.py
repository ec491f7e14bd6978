"""Solve a target without backtracking, which works for most targets.

The walk visits the requirements, from the project down. When it reaches a project, it
pins the best candidate; then it checks each requirement against the pins. It opens
source distributions last, because a wheel may exclude them before. If a requirement
excludes an earlier pin, the walk starts again and applies that requirement from the
start. It starts again a limited number of times. Then the engine searches.

The result is the same as the engine's. More requirements only remove candidates. So a
pin that was the best under some of them, and meets all of them, is the best under all.
A requirement that is applied from the start needs one more condition: the engine must
decide the project that has it before the project that it constrains. Otherwise the
engine would change the dependent instead. ``_are_decided_before`` checks this at the
end.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from polylock.resolution.candidates import Candidate, ExtraCandidate
from polylock.resolution.constraints import Dependency, Unmeetable
from polylock.resolution.precedence import precedence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.resolution.availability import Availability
    from polylock.resolution.dependencies import DependencyReader

__all__ = ["walk"]

_WALKS_AT_MOST = 20


def walk(
    roots: Iterable[Dependency],
    availability: Availability,
    dependencies: DependencyReader,
) -> dict[str, Candidate | ExtraCandidate] | None:
    """Return the engine's candidates by identifier; None if a search is needed.

    Costs one visit for each edge. Raises what the package source raises.
    """
    requirements = list(roots)
    expected: dict[NormalizedName, list[str]] = {}
    for _ in range(_WALKS_AT_MOST):
        found = _Walk(availability, dependencies, expected)
        if found.go(requirements):
            if expected and not _are_decided_before(found, requirements):
                return None
            return found.mapping
        if found.excluded is None:
            return None
        name, specifier = found.excluded
        expected.setdefault(name, []).append(specifier)
    return None


def _are_decided_before(found: _Walk, roots: Sequence[Dependency]) -> bool:
    """Return True if the engine knows each expected constraint when it is needed.

    The parent of such a constraint must be reached from the project's requirements by
    way of projects that are all decided before the one that is constrained.
    """
    places = precedence(roots, found.availability, found.dependencies)
    last = len(places)
    for name, specifiers in found.expected.items():
        limit = places.get(name, last)
        known: set[str] = set()
        seen: set[str] = set()
        waiting = list(roots)
        while waiting:
            requirement = waiting.pop().requirement
            asked = requirement.normalized_name
            if asked == name:
                known.add(requirement.specifier)
            elif places.get(asked, last) < limit:
                for key in (asked, *(f"{asked}[{e}]" for e in requirement.extras)):
                    if key not in seen:
                        seen.add(key)
                        waiting += found.required(key)
        if not known.issuperset(specifiers):
            return False
    return True


class _Walk:
    """One walk; ``expected`` are specifiers that count from the start, by project.

    ``excluded`` is set where it ends at a constraint that excludes a pin.
    """

    def __init__(
        self,
        availability: Availability,
        dependencies: DependencyReader,
        expected: Mapping[NormalizedName, Sequence[str]],
    ) -> None:
        self.availability = availability
        self.dependencies = dependencies
        self.expected = expected
        self.excluded: tuple[NormalizedName, str] | None = None
        self.mapping: dict[str, Candidate | ExtraCandidate] = {}
        self.unopened: dict[str, Candidate | ExtraCandidate] = {}
        self._met_sdist = False
        self._pins: dict[NormalizedName, Candidate] = {}

    def go(self, roots: Iterable[Dependency]) -> bool:
        """Walk from the project's requirements; return whether all of them are met."""
        waiting = deque(roots)
        while waiting or self.unopened:
            following = self.visit(waiting.popleft()) if waiting else self.open()
            if following is None:
                return False
            waiting.extend(following)
        return self.labels_fit() and not (self.expected and self._met_sdist)

    def required(self, identifier: str) -> Sequence[Dependency]:
        """Return the dependencies of a pin."""
        required = self.dependencies.of(self.mapping[identifier])
        return () if isinstance(required, Unmeetable) else required

    def visit(self, dependency: Dependency) -> list[Dependency] | None:
        """Pin or check the project of a requirement; return the new dependencies."""
        requirement = dependency.requirement
        name = requirement.normalized_name
        following: list[Dependency] = []
        pin = self._pins.get(name)
        if pin is None:
            pin = self._first(name, requirement.specifier)
            if pin is None or not self._add(name, pin, following):
                return None
            self._pins[name] = pin
        elif not self._meets(pin, requirement.specifier):
            if not self._met_sdist:  # their metadata can change the order of decisions
                self.excluded = name, requirement.specifier
            return None
        for extra in requirement.extras:
            identifier = f"{name}[{extra}]"
            if identifier not in self.mapping:
                extended = self.availability.pool.extended(pin, extra)
                if not self._add(identifier, extended, following):
                    return None
        return following

    def labels_fit(self) -> bool:
        """Return True if every label has what it is built against among the pins."""
        return all(
            need.name in self._pins
            and self._meets(self._pins[need.name], need.specifier)
            for pin in self._pins.values()
            for need in pin.abi
        )

    def _first(self, name: NormalizedName, specifier: str) -> Candidate | None:
        releases = self.availability.releases(name)
        if releases is None:
            return None
        specifiers = [specifier, *self.expected.get(name, ())]
        mask = self.availability.allowed(releases, specifiers)
        return next(self.availability.candidates(releases, mask), None)

    def _meets(self, pin: Candidate, specifier: str) -> bool:
        mask = self.availability.table(pin.releases).mask(specifier)
        return bool(mask >> pin.position & 1)

    def _add(
        self,
        identifier: str,
        candidate: Candidate | ExtraCandidate,
        following: list[Dependency],
    ) -> bool:
        """Pin a candidate and queue its requirements; False if it is unusable.

        A source distribution is left to be opened later.
        """
        base = candidate.base if isinstance(candidate, ExtraCandidate) else candidate
        if base.is_sdist:
            self._met_sdist = True
            self.mapping[identifier] = self.unopened[identifier] = candidate
            return True
        required = self.dependencies.of(candidate)
        if isinstance(required, Unmeetable):
            return False
        self.mapping[identifier] = candidate
        following.extend(required)
        return True

    def open(self) -> list[Dependency] | None:
        """Open the pinned source distributions; None if one is unusable."""
        self.dependencies.fetch_ahead(self.unopened.values())
        following: list[Dependency] = []
        for candidate in self.unopened.values():
            required = self.dependencies.of(candidate)
            if isinstance(required, Unmeetable):
                return None
            following.extend(required)
        self.unopened.clear()
        return following
