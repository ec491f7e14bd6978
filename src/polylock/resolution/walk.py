"""Walk the requirements once, before searching: most targets need no search.

The walk takes the first candidate of each project as it meets it and checks each edge
once. Where a constraint comes to exclude a pin it gives up, and the search begins from
nothing. Source distributions are opened when nothing else is left to visit, so a pin
that a wheel excludes costs no download.

Its answer is the search's, in whatever order that decides: a pin was the best under the
constraints known when it was taken, it meets all others in the end, and more
constraints only take candidates away, so it is the best under all of them.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from polylock.resolution.candidates import ExtraCandidate
from polylock.resolution.constraints import Unmeetable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.utils import NormalizedName

    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import Candidate
    from polylock.resolution.constraints import Dependency
    from polylock.resolution.dependencies import DependencyReader

__all__ = ["walk"]


def walk(
    roots: Iterable[Dependency],
    availability: Availability,
    dependencies: DependencyReader,
) -> dict[str, Candidate | ExtraCandidate] | None:
    """Return candidates by identifier, as the search would; None: a search is needed.

    Costs one visit an edge. Raises what the package source raises.
    """
    found = _Walk(availability, dependencies)
    waiting = deque(roots)
    while waiting or found.unopened:
        following = found.visit(waiting.popleft()) if waiting else found.open()
        if following is None:
            return None
        waiting.extend(following)
    return found.mapping if found.labels_fit() else None


class _Walk:
    def __init__(
        self, availability: Availability, dependencies: DependencyReader
    ) -> None:
        self.mapping: dict[str, Candidate | ExtraCandidate] = {}
        self.unopened: dict[str, Candidate | ExtraCandidate] = {}
        self._availability = availability
        self._dependencies = dependencies
        self._pins: dict[NormalizedName, Candidate] = {}

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
            return None
        for extra in requirement.extras:
            identifier = f"{name}[{extra}]"
            if identifier not in self.mapping:
                extended = self._availability.pool.extended(pin, extra)
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
        releases = self._availability.releases(name)
        if releases is None:
            return None
        mask = self._availability.allowed(releases, [specifier])
        return next(self._availability.candidates(releases, mask), None)

    def _meets(self, pin: Candidate, specifier: str) -> bool:
        mask = self._availability.table(pin.releases).mask(specifier)
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
            self.mapping[identifier] = self.unopened[identifier] = candidate
            return True
        required = self._dependencies.of(candidate)
        if isinstance(required, Unmeetable):
            return False
        self.mapping[identifier] = candidate
        following.extend(required)
        return True

    def open(self) -> list[Dependency] | None:
        """Open the source distributions that were taken; None if one is unusable."""
        self._dependencies.fetch_ahead(self.unopened.values())
        following: list[Dependency] = []
        for candidate in self.unopened.values():
            required = self._dependencies.of(candidate)
            if isinstance(required, Unmeetable):
                return None
            following.extend(required)
        self.unopened.clear()
        return following
