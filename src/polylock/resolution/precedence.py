"""The order in which projects are decided.

Dependents are decided before their dependencies: numba, which requires ``numpy<2.4``,
before numpy, in whatever order a project lists them. The dependencies come from a
survey in which every project takes its first choice and conflicts are ignored; so the
order is known before the search and does not depend on its course.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

from polylock.resolution.constraints import Dependency, Unmeetable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import Candidate
    from polylock.resolution.dependencies import DependencyReader

__all__ = ["decision_order", "precedence"]

_Name = TypeVar("_Name", bound=str)


def precedence(
    roots: Iterable[Dependency],
    availability: Availability,
    dependencies: DependencyReader,
) -> dict[NormalizedName, int]:
    """Return the place of each project in the order of decisions, beginning with 0.

    The survey goes breadth first from the project's requirements. A project takes the
    first usable candidate that the first requirement on it allows, with all extras that
    any requirement names. A project that the survey does not reach has no place. Raises
    what the package source raises.
    """
    survey = _Survey(availability, dependencies)
    waiting: deque[tuple[Dependency, NormalizedName | None]] = deque(
        (root, None) for root in roots
    )
    while waiting:
        dependency, parent = waiting.popleft()
        waiting.extend(survey.visit(dependency, parent))
    order = decision_order(survey.with_labels())
    return {name: place for place, name in enumerate(order)}


def decision_order(dependencies: Mapping[_Name, Iterable[_Name]]) -> list[_Name]:
    """Return projects with dependents before dependencies.

    ``dependencies`` maps each project, in the order of discovery, to those it requires.
    The next project is always the first that no remaining project requires, directly or
    not; within a cycle the order of discovery decides.
    """
    names = list(dependencies)
    reached = _reached(names, dependencies)
    dependents = [
        sum(
            1 << other
            for other in range(len(names))
            if reached[other] >> at & 1 and not reached[at] >> other & 1
        )
        for at in range(len(names))
    ]
    waiting = list(range(len(names)))
    missing = (1 << len(names)) - 1
    order = []
    while waiting:
        chosen = next(at for at in waiting if not dependents[at] & missing)
        waiting.remove(chosen)
        missing &= ~(1 << chosen)
        order.append(names[chosen])
    return order


def _reached(
    names: Sequence[_Name], dependencies: Mapping[_Name, Iterable[_Name]]
) -> list[int]:
    """Return for each name the mask of the places that its requirements lead to."""
    places = {name: at for at, name in enumerate(names)}
    direct = [[places[name] for name in dependencies[each]] for each in names]
    reached = [sum(1 << at for at in set(found)) for found in direct]
    changed = True
    while changed:
        changed = False
        for at in reversed(range(len(names))):
            before = reached[at]
            for following in direct[at]:
                reached[at] |= reached[following]
            changed = changed or reached[at] != before
    return reached


class _Survey:
    def __init__(
        self, availability: Availability, dependencies: DependencyReader
    ) -> None:
        self.dependencies: dict[NormalizedName, dict[NormalizedName, None]] = {}
        self._availability = availability
        self._reader = dependencies
        self._choices: dict[NormalizedName, Candidate | None] = {}
        self._extras: set[tuple[NormalizedName, str]] = set()

    def visit(
        self, dependency: Dependency, parent: NormalizedName | None
    ) -> list[tuple[Dependency, NormalizedName | None]]:
        """Add a requirement; return the new dependencies, each with its parent."""
        requirement = dependency.requirement
        name = requirement.normalized_name
        following: list[Dependency] = []
        self.dependencies.setdefault(name, {})
        if parent is not None:
            self.dependencies[parent][name] = None
        if name not in self._choices:
            self._choices[name] = self._first(name, requirement.specifier, following)
        choice = self._choices[name]
        for extra in requirement.extras:
            if choice is not None and (name, extra) not in self._extras:
                self._extras.add((name, extra))
                extended = self._availability.pool.extended(choice, extra)
                required = self._reader.of(extended)
                if not isinstance(required, Unmeetable):
                    following.extend(required)
        return [(found, name) for found in following]

    def with_labels(self) -> Mapping[NormalizedName, Iterable[NormalizedName]]:
        """Return each project with those that it requires or is built against."""
        found = {}
        for name, required in self.dependencies.items():
            choice = self._choices[name]
            needs = () if choice is None else choice.abi
            met = {need.name: None for need in needs if need.name in self.dependencies}
            found[name] = required | met
        return found

    def _first(
        self, name: NormalizedName, specifier: str, following: list[Dependency]
    ) -> Candidate | None:
        releases = self._availability.releases(name)
        if releases is None:
            return None
        mask = self._availability.allowed(releases, [specifier])
        for candidate in self._availability.candidates(releases, mask):
            required = self._reader.of(candidate)
            if not isinstance(required, Unmeetable):
                following.extend(required)
                return candidate
        return None
