"""Random universes: the solver against a solver that tries everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.plain_solver import PlainSolver
from fakes.source import MemorySource
from fakes.universes import (
    TARGETS,
    abi_universe,
    inputs_of,
    is_final,
    tangle,
    universe,
    wishes,
)
from polylock.errors import NoSolution, ProjectNotFound
from polylock.ports import SilentReporter
from polylock.resolution.memory import Memory
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.model.inputs import Inputs, PrereleasePolicy, ResolutionMode
    from polylock.model.target import Target
    from polylock.resolution.candidates import Candidate

pytestmark = pytest.mark.property

UNIVERSES = 2000
MEMORY = Memory()
"""One for all universes: their projects have the same names, and nothing else."""


def target_of(seed: int) -> Target:
    """Return the target of a universe: one each, in turn."""
    return TARGETS[seed % len(TARGETS)]


def share(part: int, parts: int) -> range:
    """Return the seeds of a test that has a part of the universes."""
    return range(part, UNIVERSES, parts)


def files_of(pins: Mapping[str, Candidate]) -> dict[str, str]:
    """Return the files of pins by name."""
    return {name: candidate.file.filename for name, candidate in pins.items()}


def solver_and_best(
    packages: Mapping[str, Mapping[str, Any]],
    inputs: Inputs,
    seed: int,
    *,
    always_search: bool,
) -> tuple[Solver, Mapping[str, Candidate] | None]:
    """Return a solver with earlier pins to keep, and what trying everything gives.

    Both are for the first target, whose pins are those of ``wishes``.
    """
    target = TARGETS[0]
    preferences = wishes(seed)
    solver = Solver(
        inputs=inputs,
        source=MemorySource(packages),
        reporter=SilentReporter(),
        preferences={target.name: preferences},
        always_search=always_search,
    )
    plain = PlainSolver(inputs, target, MemorySource(packages), preferences)
    return solver, plain.best()


def solve(
    seed: int,
    target: Target,
    *,
    prerelease: PrereleasePolicy,
    always_search: bool = False,
) -> tuple[dict[str, str] | None, PlainSolver]:
    """Solve a universe; return the files by name, None where there is no solution."""
    packages, roots = universe(seed)
    inputs = inputs_of(roots, prerelease)
    solver = Solver(
        inputs=inputs,
        source=MemorySource(packages),
        reporter=SilentReporter(),
        always_search=always_search,
        memory=MEMORY,
    )
    plain = PlainSolver(inputs, target, MemorySource(packages))
    try:
        (resolution,) = solver.solve([target]).resolutions
    except (NoSolution, ProjectNotFound):
        return None, plain
    return {str(n): pin.file.filename for n, pin in resolution.pins.items()}, plain


@pytest.mark.parametrize("prerelease", ["allow", "explicit"])
def test_the_best_solution_is_found_if_there_is_one(
    prerelease: PrereleasePolicy,
) -> None:
    """Solved if and only if the plain solver solves it, and with the best solution."""
    solved = yanked = 0
    for seed in range(UNIVERSES):
        found, plain = solve(seed, target_of(seed), prerelease=prerelease)
        best = plain.best()
        if found is None:
            assert best is None, (seed, best)
            continue
        solved += 1
        if best is not None:
            assert found == files_of(best), seed
        else:
            # A dependency pins a yanked version, and nothing else solves it.
            plain.admits_yanked = True
            yanked += 1
            assert found in [files_of(pins) for pins in plain.solutions()], seed
    assert UNIVERSES // 5 < solved < UNIVERSES
    assert yanked < UNIVERSES // 20


@pytest.mark.parametrize("resolution", ["highest", "lowest"])
@pytest.mark.parametrize("always_search", [True, False], ids=["search", "walk"])
def test_what_was_locked_comes_first(
    *, resolution: ResolutionMode, always_search: bool
) -> None:
    """The answer is the best one where earlier pins change what is better."""
    target = TARGETS[0]
    for seed in share(2 * always_search + (resolution == "lowest"), 4):
        packages, roots = universe(seed)
        inputs = inputs_of(roots, "allow", resolution)
        solver, best = solver_and_best(
            packages, inputs, seed, always_search=always_search
        )
        if best is None:
            continue
        (found,) = solver.solve([target]).resolutions
        assert {n: p.file.filename for n, p in found.pins.items()} == files_of(best), (
            seed
        )


@pytest.mark.parametrize("part", [0, 1])
def test_the_best_solution_of_a_tangle(part: int) -> None:
    """The same where requirements are narrow, cyclic, and most of them conflict."""
    solved = rejected = 0
    target = TARGETS[part]
    for seed in share(part, 2):
        packages, roots = tangle(seed)
        inputs = inputs_of(roots, "allow")
        solver = Solver(
            inputs=inputs, source=MemorySource(packages), reporter=SilentReporter()
        )
        best = PlainSolver(inputs, target, MemorySource(packages)).best()
        if best is None:
            with pytest.raises(NoSolution):
                solver.solve([target])
            continue
        solution = solver.solve([target])
        (found,) = solution.resolutions
        solved += 1
        rejected += solution.efforts[target.name].rejected
        assert {n: p.file.filename for n, p in found.pins.items()} == files_of(best), (
            seed
        )
    assert solved > UNIVERSES // 10
    assert rejected > UNIVERSES // 4


@pytest.mark.parametrize("resolution", ["highest", "lowest"])
@pytest.mark.parametrize("always_search", [True, False], ids=["search", "walk"])
def test_labels_that_are_built_against_versions(
    *, resolution: ResolutionMode, always_search: bool
) -> None:
    """The best solution is found where labels have ABI dependencies, if there is one.

    No label is built against what is missing or another version.
    """
    target = TARGETS[0]
    solved = tied = 0
    for seed in share(2 * always_search + (resolution == "lowest"), 4):
        packages, roots = abi_universe(seed)
        inputs = inputs_of(roots, "allow", resolution)
        solver, best = solver_and_best(
            packages, inputs, seed, always_search=always_search
        )
        if best is None:
            with pytest.raises(NoSolution):
                solver.solve([target])
            continue
        (found,) = solver.solve([target]).resolutions
        assert {n: p.file.filename for n, p in found.pins.items()} == files_of(best), (
            seed
        )
        assert {n: p.decided_by for n, p in found.pins.items()} == {
            name: candidate.decided_by for name, candidate in best.items()
        }
        solved += 1
        tied += any(candidate.abi for candidate in best.values())
    assert solved > UNIVERSES // 12
    assert tied > UNIVERSES // 40


def test_prereleases_are_admitted_only_where_nothing_else_solves() -> None:
    """The default policy's answer is that without pre-releases, if there is one.

    Universes with a project that has nothing but pre-releases are left out: of that
    project they are admitted from the beginning.
    """
    admitted = 0
    for seed in range(UNIVERSES):
        packages, _ = universe(seed)
        if not all(
            any(map(is_final, project.items())) for project in packages.values()
        ):
            continue
        target = target_of(seed)
        strict, _ = solve(seed, target, prerelease="explicit")
        lenient, _ = solve(seed, target, prerelease="if-necessary-or-explicit")
        if strict is not None:
            assert lenient == strict, seed
        else:
            admitted += lenient is not None
    assert admitted


def test_walk_and_search_agree() -> None:
    """Wherever the walk has an answer it is the search's."""
    for seed in range(UNIVERSES):
        target = target_of(seed)
        walked, _ = solve(seed, target, prerelease="allow")
        searched, _ = solve(seed, target, prerelease="allow", always_search=True)
        assert walked == searched, seed
