"""The walk: where it is enough, and that its result is the engine's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakes.source import MemorySource
from fakes.universes import TARGETS, inputs_of, universe
from polylock.resolution.engine import search
from polylock.resolution.problem import Problem, Unsolvable
from polylock.resolution.tries import Tries
from polylock.resolution.walk import walk

if TYPE_CHECKING:
    from collections.abc import Mapping

UNIVERSES = 300


def problem(packages: Mapping[str, Mapping[str, Any]], roots: list[str]) -> Problem:
    """Return what a project with these requirements asks of a universe."""
    return Problem.of(TARGETS[0], inputs_of(roots, "allow"), MemorySource(packages))


def walked(asked: Problem) -> dict[str, str] | None:
    """Return what the walk pins, None where it gives up."""
    found = walk(asked.roots, asked.availability, asked.dependencies)
    if found is None:
        return None
    return {name: str(candidate) for name, candidate in found.items()}


def searched(asked: Problem) -> dict[str, str] | None:
    """Return what the engine pins, None where there is no solution."""
    try:
        found = search(asked, Tries())
    except Unsolvable:
        return None
    return {name: str(candidate) for name, candidate in found.items()}


def test_a_pin_is_taken_again_where_a_later_constraint_excludes_it() -> None:
    """A limit that is met after the project costs no search."""
    packages: dict[str, Any] = {
        "a": {"1": {"requires": ["c"]}},
        "b": {"1": {"requires": ["d"]}},
        "d": {"1": {"requires": ["c<2"]}},
        "c": {"1": {"requires": ["e<2"]}, "2": {"requires": ["f"]}},
        "e": {"1": {}, "2": {}},
        "f": {"1": {}},
    }
    found = walked(problem(packages, ["a", "b"]))
    assert found == {"a": "a 1", "b": "b 1", "c": "c 1", "d": "d 1", "e": "e 1"}
    assert found == searched(problem(packages, ["a", "b"]))


def test_what_is_decided_later_excludes_no_pin() -> None:
    """In a circle the first keeps its best version, which takes the engine."""
    packages: dict[str, Any] = {
        "a": {"1": {"requires": ["b"]}, "2": {"requires": ["b"]}},
        "b": {"1": {}, "2": {"requires": ["a<2"]}},
    }
    assert walked(problem(packages, ["a"])) is None
    assert searched(problem(packages, ["a"])) == {"a": "a 2", "b": "b 1"}


def test_a_constraint_of_what_is_given_up_does_not_count() -> None:
    """The constraint of a version that is not pinned in the end does not count."""
    packages: dict[str, Any] = {
        "a": {"1": {"requires": ["c", "b", "d"]}},
        "b": {"1": {}, "2": {"requires": ["c<2"]}},
        "d": {"1": {"requires": ["b<2"]}},
        "c": {"1": {}, "2": {}},
    }
    found = walked(problem(packages, ["a"]))
    assert found in (None, searched(problem(packages, ["a"])))
    assert searched(problem(packages, ["a"])) == {
        "a": "a 1",
        "b": "b 1",
        "c": "c 2",
        "d": "d 1",
    }


def test_walk_and_engine_agree() -> None:
    """Every result of the walk is the engine's, candidate by candidate."""
    answered = 0
    for seed in range(UNIVERSES):
        packages, roots = universe(seed)
        found = walked(problem(packages, roots))
        if found is not None:
            answered += 1
            assert found == searched(problem(packages, roots)), seed
    assert answered > UNIVERSES // 10
