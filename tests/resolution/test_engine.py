"""The search: what it costs, and where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.source import MemorySource
from fakes.universes import TARGETS, inputs_of
from polylock.ports import SilentReporter
from polylock.resolution.engine import search as run_search
from polylock.resolution.problem import Problem, Unsolvable
from polylock.resolution.tries import Tries

if TYPE_CHECKING:
    from collections.abc import Mapping


class Recorder(SilentReporter):
    """Remembers the candidates that are given up."""

    def __init__(self) -> None:
        super().__init__()
        self.given_up: list[str] = []

    def backtracking(self, target: str, package: str) -> None:
        """Remember one."""
        del target
        self.given_up.append(package)


class Search:
    """A universe and what the project requires of it, to be solved by the engine."""

    def __init__(
        self, packages: dict[str, dict[str, Any]], roots: list[str], limit: int = 10_000
    ) -> None:
        self._problem = Problem.of(
            TARGETS[0], inputs_of(roots, "allow"), MemorySource(packages)
        )
        self._recorder = Recorder()
        self.tries = Tries(limit=limit, reporter=self._recorder)

    def solve(self) -> Mapping[str, object]:
        """Return the pins by identifier; raises Unsolvable."""
        return run_search(self._problem, self.tries)

    @property
    def given_up(self) -> list[str]:
        """Return the candidates that were given up, in order."""
        return self._recorder.given_up


def versions(count: int, *requires: str) -> dict[str, Any]:
    """Return versions 1 to count that all require the same."""
    return {str(number): {"requires": requires} for number in range(1, count + 1)}


def test_decisions_in_between_are_not_tried_again() -> None:
    """A conflict of the first and the last costs no candidate of those between them."""
    between = "bcdefgh"
    packages = {
        "a": {
            "1": {"requires": ["x", *between, "z"]},
            "2": {"requires": ["x<2", *between, "z"]},
        },
        **{name: versions(9) for name in between},
        "z": versions(3, "x>=2"),
        "x": versions(2),
    }
    found = Search(packages, ["a"])
    mapping = found.solve()
    assert str(mapping["a"]) == "a 1"
    assert str(mapping["z"]) == "z 3"
    assert {str(mapping[name]) for name in between} == {f"{n} 9" for n in between}
    conflicting = 1 + 3  # a 2, and each z with it
    assert len(found.given_up) <= conflicting
    assert found.tries.tried <= conflicting + 2 * len(mapping)


def test_what_asks_for_nothing_new_is_not_to_blame() -> None:
    """Of many projects that require the same, all versions of only one are tried."""
    between = "bcdefgh"
    packages = {
        "a": {"1": {"requires": ["x", *between]}, "2": {"requires": ["x<2", *between]}},
        **{name: versions(9, "z") for name in between},
        "z": versions(1, "x>=2"),
        "x": versions(2),
    }
    found = Search(packages, ["a"])
    assert str(found.solve()["a"]) == "a 1"
    assert {each.partition(" ")[0] for each in found.given_up} <= {"z", "b", "a"}
    assert len(found.given_up) <= 9 + 9 + 1


def test_a_search_that_is_too_long_ends() -> None:
    """More candidates than allowed are not tried."""
    packages = {
        "a": versions(50, "x<2"),
        "b": versions(50, "y"),
        "y": versions(1, "x>=2"),
        "x": versions(2),
    }
    found = Search(packages, ["a", "b"], limit=40)
    with pytest.raises(Unsolvable) as caught:
        found.solve()
    failure = caught.value.failure
    assert failure is not None
    assert failure.causes is None
    assert failure.tried == found.tries.tried == 40
    assert failure.contested[0] == "b"


def test_nothing_to_do() -> None:
    """A project without requirements has a solution without pins."""
    found = Search({}, [])
    assert found.solve() == {}


def test_requirements_of_the_project_that_exclude_each_other() -> None:
    """There is no solution, and nothing is tried."""
    found = Search({"a": versions(3)}, ["a<2", "a>=2"])
    with pytest.raises(Unsolvable):
        found.solve()
    assert found.tries.tried == 0


def test_what_is_missing_is_nobodys_choice() -> None:
    """Versions that require a project which no index has are given up."""
    packages = {"a": {"1": {}, "2": {"requires": ["ghost"]}}}
    found = Search(packages, ["a"])
    mapping = found.solve()
    assert {name: str(pin) for name, pin in mapping.items()} == {"a": "a 1"}
    assert len(found.given_up) <= 1


def test_what_nothing_can_meet_costs_no_product() -> None:
    """A project without a file costs the versions of each above it once."""
    count = 30
    packages = {
        "top": versions(count, "beside", "middle"),
        "middle": versions(count, "beside", "low>=2"),
        "low": versions(count, "lost"),
        "beside": versions(count),
        "lost": {"1": {"wheels": []}},
    }
    found = Search(packages, ["top"])
    with pytest.raises(Unsolvable):
        found.solve()
    assert len(found.given_up) <= 3 * count - 1
    assert found.tries.tried <= 4 * count


def test_many_that_lead_to_what_nothing_can_meet() -> None:
    """Each asks for another version of it; that is found out once for all."""
    count = 20
    providers = [f"provider{number}" for number in range(count)]
    packages: dict[str, dict[str, Any]] = {
        "flow": versions(count, *providers),
        **{
            name: {
                str(version): {"requires": [f"flow>={version}", f"deep>={at % 5}"]}
                for version in range(1, count + 1)
            }
            for at, name in enumerate(providers)
        },
        "deep": {str(version): {"wheels": []} for version in range(1, 9)},
    }
    found = Search(packages, ["flow"])
    with pytest.raises(Unsolvable):
        found.solve()
    assert found.tries.tried <= 4 * count


def test_a_dead_end_of_an_extra_leaves_the_project() -> None:
    """A requirement of an extra does not exclude the project without the extra."""
    packages: dict[str, dict[str, Any]] = {
        "a": {"1": {"requires": ["b"]}, "2": {"requires": ["b[fast]"]}},
        "b": {
            version: {"requires": ["lost; extra == 'fast'"]} for version in ("1", "2")
        },
        "lost": {"1": {"wheels": []}},
    }
    found = Search(packages, ["a"])
    mapping = found.solve()
    assert [str(mapping[name]) for name in ("a", "b")] == ["a 1", "b 2"]
