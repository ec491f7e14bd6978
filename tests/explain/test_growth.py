"""Conflicts that grow: what the engine tries grows with them and not faster."""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING

import pytest

from fakes.families import (
    Packages,
    chain,
    in_step,
    long_conflict,
    pigeonholes,
    versions,
)
from fakes.source import MemorySource
from fakes.universes import TARGETS, inputs_of
from polylock.explain.conflict import explained
from polylock.resolution.problem import Problem, Unsolvable
from polylock.resolution.solve import solve
from polylock.resolution.tries import (
    LOOKED_AT_MOST,
    TRIES_AT_MOST,
    WEIGHED_AT_MOST,
    Tries,
)

if TYPE_CHECKING:
    from polylock.errors import NoSolution


def solved(packages: Packages, roots: list[str]) -> tuple[dict[str, str], int]:
    """Return the pins that the engine finds, and how many candidates it tried."""
    tries = Tries()
    problem = Problem.of(TARGETS[0], inputs_of(roots, "allow"), MemorySource(packages))
    found = solve(problem, tries, always_search=True)
    return {n: str(c).partition(" ")[2] for n, c in found.items()}, tries.tried


def failed(packages: Packages, roots: list[str]) -> tuple[NoSolution, int]:
    """Return the failure in words, and how many candidates were tried for it."""
    with pytest.raises(Unsolvable) as caught:
        solved(packages, roots)
    failure = caught.value.failure
    assert failure is not None
    return explained(caught.value), failure.tried


@pytest.mark.parametrize("depth", range(3, 13))
def test_a_chain_costs_its_length(depth: int) -> None:
    """Each further link costs its versions for each version that is given up."""
    pins, tried = solved(chain(depth), ["a", "c1"])
    assert (pins["a"], pins["x"]) == ("6", "5")
    assert tried <= 50 * depth


def test_a_chain_of_many_versions() -> None:
    """Thirty versions of each of twelve links are no more than their product."""
    pins, tried = solved(chain(12, 30), ["a", "c1"])
    assert pins["a"] == "16"
    assert tried <= 15 * 30 * 13


@pytest.mark.parametrize("count", [5, 10, 30])
def test_parts_that_are_released_together(count: int) -> None:
    """Each version of a part is tried once with each rival, not with each other part.

    What one of them asks for is known from what another did, although no two
    specifiers are the same.
    """
    rivals = 6
    pins, tried = solved(in_step(count, rivals), ["rival", "suite"])
    assert (pins["suite"], pins["rival"]) == (str(count), "1")
    assert tried <= 6 * count * rivals


@pytest.mark.parametrize("count", [1, 10, 40])
def test_bystanders_cost_a_few_tries_each(count: int) -> None:
    """Who has nothing to do with a conflict is not tried again for it."""
    beside = [f"beside{number}" for number in range(count)]
    packages = chain(3) | {name: versions(10) for name in beside}
    pins, tried = solved(packages, ["a", *beside, "c1"])
    assert pins["a"] == "6"
    assert tried <= 150 + 10 * count


@pytest.mark.parametrize(
    "size", [(3, 30, 2), (3, 30, 30), (1, 150, 150), (2, 20, 20)], ids=str
)
def test_a_contradiction_behind_bystanders(size: tuple[int, int, int]) -> None:
    """Both sides are named with their chains, at the cost of the versions once."""
    error, tried = failed(long_conflict(*size), ["top", "gone>=2"])
    told = "\n".join(error.explanation)
    assert "the project requires gone>=2" in told
    assert "pack 1 requires gone==1" in told
    assert "no version of gone matches >=2 (the project) and ==1 (pack)" in told
    assert "with gone 1 there is a solution" in (error.hint() or "")
    bystanders, _, services = size
    assert tried <= 2 * services + bystanders + 10


def test_a_loop_of_four_wheels() -> None:
    """A circle without a way in tells each way that was tried."""
    packages: Packages = {
        "a": {"1.0": {"requires": ["b==1.0"]}, "2.0": {"requires": ["b==2.0"]}},
        "b": {"1.0": {"requires": ["a==2.0"]}, "2.0": {"requires": ["a==1.0"]}},
    }
    error, tried = failed(packages, ["a"])
    first, second = error.explanation
    assert "a 2.0 requires b==2.0, b 2.0 requires a==1.0" in first
    assert "a 1.0 requires b==1.0, b 1.0 requires a==2.0" in second
    assert tried <= 4


@pytest.mark.parametrize("count", range(2, 9))
def test_as_many_pigeons_as_holes(count: int) -> None:
    """Each finds a hole; the best of the first comes first."""
    pins, tried = solved(
        pigeonholes(count), [f"pigeon{number}" for number in range(1, count + 1)]
    )
    assert pins["pigeon1"] == str(count)
    holes = {pin for name, pin in pins.items() if name.startswith("pigeon")}
    assert len(holes) == count
    assert tried <= 2 * count * count


@pytest.mark.parametrize("count", range(2, 7))
def test_one_pigeon_too_many(count: int) -> None:
    """That there is no solution takes no more than the ways to place the others."""
    _, tried = failed(
        pigeonholes(count, count - 1),
        [f"pigeon{number}" for number in range(1, count + 1)],
    )
    assert tried <= 3 * factorial(count)


def test_a_limit_that_is_met_names_who_is_fought_over() -> None:
    """Nothing is proved then, so the message says how far it came, and with whom."""
    problem = Problem.of(
        TARGETS[0], inputs_of(["a", "c1"], "allow"), MemorySource(chain(3))
    )
    with pytest.raises(Unsolvable) as caught:
        solve(problem, Tries(limit=50), always_search=True)
    error = explained(caught.value)
    assert "gave up after 50 candidates" in error.explanation[0]
    assert "c3, c2, c1" in error.explanation[0]


SPENT = {
    "candidates": Tries(tried=TRIES_AT_MOST - 10),
    "rounds": Tries(looked=LOOKED_AT_MOST - 100),
    "requirements": Tries(weighed=WEIGHED_AT_MOST - 20),
}


@pytest.mark.parametrize("kind", SPENT)
def test_each_limit_ends_a_search(kind: str) -> None:
    """It is an error in words, with the next step, whoever is fought over."""
    required = [f"x>={number}" for number in range(30)]
    packages = {"suite": versions(1, *required), "x": versions(30), **pigeonholes(6, 5)}
    roots = ["suite", *(f"pigeon{number}" for number in range(1, 7))]
    problem = Problem.of(TARGETS[0], inputs_of(roots, "allow"), MemorySource(packages))
    with pytest.raises(Unsolvable) as caught:
        solve(problem, SPENT[kind], always_search=True)
    error = explained(caught.value)
    assert "gave up after" in error.explanation[0]
    assert error.hint()
