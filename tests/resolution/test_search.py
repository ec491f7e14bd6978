"""The search: what it costs, and where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.source import MemorySource
from fakes.universes import TARGETS, inputs_of
from polylock.resolution.availability import Availability
from polylock.resolution.candidate_pool import CandidatePool
from polylock.resolution.dependencies import DependencyReader
from polylock.resolution.search import Search, SearchTooLong

if TYPE_CHECKING:
    from polylock.resolution.candidates import Candidate
    from polylock.resolution.constraints import Dependency


def search(
    packages: dict[str, dict[str, Any]], roots: list[str]
) -> tuple[Search, list[Dependency], list[Candidate]]:
    """Return a search of a universe, its roots, and the list of what it gives up."""
    inputs = inputs_of(roots, "allow")
    pool = CandidatePool(
        target=TARGETS[0], inputs=inputs, source=MemorySource(packages)
    )
    availability = Availability(pool, {}, preferences={}, own=[])
    reader = DependencyReader(availability)
    rejected: list[Candidate] = []
    found = Search(availability, reader, on_rejection=rejected.append)
    wanted = [
        dependency
        for root in inputs.requirements
        for dependency in reader.of_project(root.requirement)
    ]
    return found, wanted, rejected


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
    found, roots, rejected = search(packages, ["a"])
    mapping = found.solve(roots, tries_at_most=1000)
    assert mapping is not None
    assert str(mapping["a"]) == "a 1"
    assert [str(candidate) for candidate in rejected] == ["z 3", "z 2", "z 1", "a 2"]
    x_twice_and_the_last_z = 3
    assert found.tried == 2 * (1 + len(between)) + 3 + x_twice_and_the_last_z


def test_what_asks_for_nothing_new_is_not_to_blame() -> None:
    """Of many who require the same, one has to be tried in all its versions."""
    between = "bcdefgh"
    packages = {
        "a": {"1": {"requires": ["x", *between]}, "2": {"requires": ["x<2", *between]}},
        **{name: versions(9, "z") for name in between},
        "z": versions(1, "x>=2"),
        "x": versions(2),
    }
    found, roots, rejected = search(packages, ["a"])
    assert found.solve(roots, tries_at_most=1000) is not None
    assert {candidate.name for candidate in rejected} <= {"z", "b", "a"}
    assert len(rejected) == 9 + 9 + 1


def test_a_search_that_is_too_long_ends() -> None:
    """More candidates than allowed are not tried."""
    packages = {
        "a": versions(50, "x<2"),
        "b": versions(50, "y"),
        "y": versions(1, "x>=2"),
        "x": versions(2),
    }
    found, roots, _ = search(packages, ["a", "b"])
    with pytest.raises(SearchTooLong):
        found.solve(roots, tries_at_most=40)
    assert found.tried == 40


def test_nothing_to_do() -> None:
    """A project without requirements has a solution without pins."""
    found, roots, _ = search({}, [])
    assert found.solve(roots, tries_at_most=0) == {}


def test_requirements_of_the_project_that_exclude_each_other() -> None:
    """There is no solution, and nothing is tried."""
    found, roots, _ = search({"a": versions(3)}, ["a<2", "a>=2"])
    assert found.solve(roots, tries_at_most=100) is None
    assert found.tried == 0


def test_what_is_missing_is_nobodys_choice() -> None:
    """Versions that require a project which no index has are given up."""
    packages = {"a": {"1": {}, "2": {"requires": ["ghost"]}}}
    found, roots, rejected = search(packages, ["a"])
    mapping = found.solve(roots, tries_at_most=100)
    assert mapping is not None
    assert str(mapping["a"]) == "a 1"
    assert [str(candidate) for candidate in rejected] == ["a 2"]


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
    found, roots, rejected = search(packages, ["top"])
    assert found.solve(roots, tries_at_most=10_000) is None
    assert [str(candidate) for candidate in rejected[: count - 1]] == [
        f"low {version}" for version in range(count, 1, -1)
    ]
    assert len(rejected) == 3 * count - 1
    assert found.tried <= 4 * count


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
    found, roots, _ = search(packages, ["flow"])
    assert found.solve(roots, tries_at_most=10_000) is None
    assert found.tried <= 4 * count


def test_a_dead_end_of_an_extra_leaves_the_project() -> None:
    """What an extra alone requires keeps nobody from taking the project without it."""
    packages: dict[str, dict[str, Any]] = {
        "a": {"1": {"requires": ["b"]}, "2": {"requires": ["b[fast]"]}},
        "b": {
            version: {"requires": ["lost; extra == 'fast'"]} for version in ("1", "2")
        },
        "lost": {"1": {"wheels": []}},
    }
    found, roots, _ = search(packages, ["a"])
    mapping = found.solve(roots, tries_at_most=100)
    assert mapping is not None
    assert [str(mapping[name]) for name in ("a", "b")] == ["a 1", "b 2"]
