"""The runs of the engine for one problem."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from resolvelib import ResolutionImpossible

from polylock.resolution.engine import Engine, Learned, Refutation
from polylock.resolution.precedence import precedence
from polylock.resolution.problem import Failure, Problem, Unsolvable
from polylock.resolution.provider import TargetProvider
from polylock.resolution.tries import TooManyTries, Tries
from polylock.values import Mutable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.resolution.candidates import AnyCandidate
    from polylock.resolution.constraints import Constraint
    from polylock.resolution.dependencies import DependencyReader

__all__ = ["search"]


def search(problem: Problem, tries: Tries) -> Mapping[str, AnyCandidate]:
    """Return candidates by identifier, the best by the order of decisions.

    What a source distribution requires can only take solutions away, and to read it
    costs a download. So the first run takes those that were not opened to require
    nothing: if it finds no solution there is none, and if it met none of them its
    answer is the answer. Else a second run, which knows what the first has learned,
    reads what they require.

    Raises Unsolvable, ProjectNotFound where the project itself requires what no index
    has, and what the package source raises.
    """
    search = _Search(problem, tries, Learned())
    try:
        assuming = problem.dependencies.assuming()
        mapping = search.run(assuming)
        if mapping is not None and assuming.assumed:
            problem.dependencies.fetch_ahead(mapping.values())
            mapping = search.run(problem.dependencies)
    except TooManyTries as error:
        raise _failure(problem, None, tries) from error
    if mapping is not None:
        return mapping
    missing = problem.availability.missing
    for dependency in problem.roots:
        if dependency.requirement.name in missing:
            raise missing[dependency.requirement.name]
    raise _failure(problem, search.refutation, tries)


def _failure(problem: Problem, causes: Refutation | None, tries: Tries) -> Unsolvable:
    return Failure(
        problem=problem, causes=causes, tried=tries.tried, contested=tries.contested
    ).error()


class _Search(Mutable):
    """The runs of the engine for one problem; ``refutation`` is that of the last."""

    problem: Problem
    tries: Tries
    learned: Learned
    refutation: Refutation | None = None

    def run(self, dependencies: DependencyReader) -> dict[str, AnyCandidate] | None:
        """Return candidates by identifier, None where there is no solution.

        PEP 850 matches what a label is built against with "the installed version". To
        search for an answer that installs it would try everything for the sake of a
        label, so labels that turn out to miss theirs are put aside first. Only where
        that leaves nothing an answer that has all of it is looked for.
        """
        banned: set[AnyCandidate] = set()
        learned = self.learned
        while (mapping := self._once(dependencies, learned, banned)) is not None:
            lacking = [
                pin
                for pin in mapping.values()
                if any(n.name not in mapping for n in getattr(pin, "abi", ()))
            ]
            if not lacking:
                return mapping
            if not banned:  # what holds without some labels may not hold with them
                learned = learned.copy()
            banned.update(lacking)
        if banned:
            return self._once(dependencies, self.learned.copy(), None)
        return None

    def _once(
        self,
        dependencies: DependencyReader,
        learned: Learned,
        banned: set[AnyCandidate] | None,
    ) -> dict[str, AnyCandidate] | None:
        """Run the engine once; it is strict where no candidates are put aside."""
        problem = self.problem
        provider = TargetProvider(
            problem.availability,
            dependencies,
            precedence(problem.roots, problem.availability, dependencies),
            banned=banned or (),
        )
        engine = Engine(provider, self.tries, learned, strict=banned is None)
        constraints = [
            constraint
            for root, dependency in problem.wanted
            for constraint in dependency.constraints(root.origin)
        ]
        try:
            state = engine.resolve(constraints, max_rounds=sys.maxsize)
        except ResolutionImpossible as error:
            self.refutation = engine.refutation or _among_roots(error)
            return None
        return dict(state.mapping)


def _among_roots(
    error: ResolutionImpossible[Constraint, AnyCandidate],
) -> Refutation:
    """Return why the requirements of the project alone cannot be met."""
    because = getattr(error.__cause__, "because", None)
    if isinstance(because, Refutation):
        return because
    return Refutation("", tuple(error.causes), (), {})
