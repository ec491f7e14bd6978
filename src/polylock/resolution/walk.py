"""Walk the requirements once, before searching: most targets need no search.

The walk takes the first candidate of each project as it meets it and checks each edge
once. Source distributions are opened when nothing else is left to visit, so a pin that
a wheel excludes costs no download. Where a constraint comes to exclude a pin, the walk
begins again and knows of it from the start, a few times; all metadata but that of the
new pin is known by then.

Its answer is the engine's. A pin was the best under the constraints known when it was
taken, it meets all others in the end, and more constraints only take candidates away,
so it is the best under all of them. That holds in whatever order projects are decided
as long as nothing was known of from the start. A constraint that was must come from a
project that the engine decides before the one that it is about, which is checked at the
end (``_are_decided_before``): in the other order the engine would have that project
give way.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from polylock.resolution.candidates import ExtraCandidate
from polylock.resolution.constraints import Unmeetable
from polylock.resolution.precedence import precedence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import Candidate
    from polylock.resolution.constraints import Dependency
    from polylock.resolution.dependencies import DependencyReader

__all__ = ["walk"]

_WALKS_AT_MOST = 20


def walk(
    roots: Iterable[Dependency],
    availability: Availability,
    dependencies: DependencyReader,
) -> dict[str, Candidate | ExtraCandidate] | None:
    """Return candidates by identifier, as the search would; None: a search is needed.

    Costs one visit an edge. Raises what the package source raises.
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
    """Return whether what was known from the start is known to the engine in time.

    A project must be reached from the project itself, and only by way of such that are
    decided before the one on which it puts a constraint.
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
    """One walk; ``expected`` are specifiers on projects that are known from the start.

    ``excluded`` is set where it ends for a constraint that excludes a pin.
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
        """Walk from the requirements of the project; return whether all can be had."""
        waiting = deque(roots)
        while waiting or self.unopened:
            following = self.visit(waiting.popleft()) if waiting else self.open()
            if following is None:
                return False
            waiting.extend(following)
        return self.labels_fit() and not (self.expected and self._met_sdist)

    def required(self, identifier: str) -> Sequence[Dependency]:
        """Return what a pin requires."""
        required = self.dependencies.of(self.mapping[identifier])
        return () if isinstance(required, Unmeetable) else required

    def visit(self, dependency: Dependency) -> list[Dependency] | None:
        """Take or check the project of a requirement; return what it adds."""
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
            if not self._met_sdist:  # the order of decisions depends on what they say
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
        """Say whether all is there that labels are built against."""
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
        """Put a candidate in and its requirements behind; False if it is unusable.

        Those of a source distribution are left for later.
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
        """Open the source distributions that were taken; None if one is unusable."""
        self.dependencies.fetch_ahead(self.unopened.values())
        following: list[Dependency] = []
        for candidate in self.unopened.values():
            required = self.dependencies.of(candidate)
            if isinstance(required, Unmeetable):
                return None
            following.extend(required)
        self.unopened.clear()
        return following
