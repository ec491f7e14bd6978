"""Ask resolvelib where the search found nothing: its conflict can be put in words.

The search knows only which decisions do not go together. resolvelib leaves behind the
very claims that met last, with their parents, which is what people need to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolvelib import BaseReporter, ResolutionImpossible, ResolutionTooDeep
from resolvelib.resolvers import Resolution as Engine

from polylock.errors import NoSolution
from polylock.resolution.candidates import Candidate, ExtraCandidate
from polylock.resolution.conflicts import Failure, explain
from polylock.resolution.constraints import Unmeetable, identifier_of
from polylock.resolution.provider import TargetProvider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.inputs import RootRequirement
    from polylock.resolution.availability import Availability
    from polylock.resolution.constraints import Constraint, Dependency
    from polylock.resolution.dependencies import DependencyReader

__all__ = ["second_opinion"]

AnyCandidate = Candidate | ExtraCandidate
_ROUNDS_AT_MOST = 20_000
_TANGLED = "no combination of candidates meets all requirements"


def second_opinion(
    availability: Availability,
    dependencies: DependencyReader,
    wanted: Sequence[tuple[RootRequirement, Dependency]],
    *,
    too_long: str | None,
    places: Mapping[NormalizedName, int],
) -> Mapping[str, AnyCandidate]:
    """Raise NoSolution with the reasons, or return a solution all the same.

    There may be one where the search was ``too_long``, which is told where this comes
    to no end either. ``places`` is the order in which that decided. Raises
    ProjectNotFound where the project itself requires what no index has.
    """
    target = availability.pool.target.name
    watch = _Watch()
    # Not ``Resolver``: it walks from each pin up to the roots by recursion, and never
    # returns from a cycle that backtracking left behind without a root. What is
    # reachable is found out by ``reach`` in any case.
    provider = TargetProvider(availability, dependencies, places)
    engine = Engine(provider, watch)
    try:
        state = engine.resolve(
            [
                constraint
                for root, dependency in wanted
                for constraint in dependency.constraints(root.origin)
            ],
            max_rounds=_ROUNDS_AT_MOST,
        )
    except ResolutionImpossible as error:
        for root, _ in wanted:
            if root.requirement.name in availability.missing:
                raise availability.missing[root.requirement.name] from error
        failure = Failure(
            availability=availability,
            dependencies=dependencies,
            causes=provider.at_the_bottom(tuple(error.causes)),
            requested=watch.requested,
        )
        lines, advice = explain(failure)
        raise NoSolution(target, lines, advice) from error
    except ResolutionTooDeep as error:
        raise NoSolution(target, [too_long or _TANGLED]) from error
    # For the engine a label requires what it is built against: it knows nothing of
    # demands on the version alone.
    unmet = list(_unmet(state.mapping, dependencies, [d for _, d in wanted]))
    if unmet or too_long is None:
        raise NoSolution(target, unmet or [_TANGLED])
    return state.mapping


def _unmet(
    mapping: Mapping[str, AnyCandidate],
    dependencies: DependencyReader,
    wanted: Sequence[Dependency],
) -> Iterator[str]:
    """Say which labels are built against what nothing requires."""
    required: set[str] = set()
    waiting = list(wanted)
    while waiting:
        requirement = waiting.pop().requirement
        name = requirement.normalized_name
        for key in (str(name), *(f"{name}[{extra}]" for extra in requirement.extras)):
            if key not in required and key in mapping:
                required.add(key)
                found = dependencies.of(mapping[key])
                waiting += () if isinstance(found, Unmeetable) else found
    for key in sorted(required):
        for need in getattr(mapping[key], "abi", ()):
            if need.name not in required:
                yield (
                    f"{mapping[key]} is built against {need.name} {need.value}, "
                    "and nothing requires that"
                )


class _Watch(BaseReporter["Constraint", AnyCandidate, str]):
    """Remembers who first asked for what."""

    def __init__(self) -> None:
        self.requested: dict[str, tuple[Constraint, AnyCandidate | None]] = {}

    def adding_requirement(
        self, requirement: Constraint, parent: AnyCandidate | None
    ) -> None:
        key = identifier_of(requirement)
        if key not in self.requested:
            self.requested[key] = (requirement, parent)
