"""Solve, and explain a failure in words, with modules that are imported only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import NoSolution

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polylock.model.target import Target
    from polylock.resolution.solve import Solution, Solver

__all__ = ["solved"]


def solved(
    solver: Solver,
    targets: Sequence[Target],
    clock: Callable[[], float] | None = None,
) -> Solution:
    """Return the solution for targets.

    The ``clock`` counts seconds and bounds the time to explain a failure.
    Raises NoSolution with its explanation, ProjectNotFound, and what the package source
    raises.
    """
    try:
        return solver.solve(targets)
    except NoSolution as error:
        from polylock.explain.conflict import explained  # noqa: PLC0415

        raise explained(error, clock) from error
