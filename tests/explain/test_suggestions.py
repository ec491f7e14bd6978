"""What a failure says beside its cause: other Pythons, yanked ways out, advice."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.scenarios import inputs_of, targets_of
from fakes.source import MemorySource
from fakes.workspace import Spy
from polylock.errors import NoSolution
from polylock.explain.failure import solved
from polylock.resolution.solve import Solver

LINUX = {"platform": "linux-x86_64", "python": "3.12"}


def failure_of(requires: list[str], packages: dict[str, Any]) -> NoSolution:
    """Solve what has no solution, and return the failure with its words."""
    scenario = {"requires": requires, "targets": {"one": LINUX}, "packages": packages}
    targets = targets_of(scenario)
    source = MemorySource(packages)
    solver = Solver(inputs=inputs_of(scenario, targets), source=source, reporter=Spy())
    with pytest.raises(NoSolution) as caught:
        solved(solver, targets)
    return caught.value


def test_projects_that_want_different_pythons_are_both_told() -> None:
    """The Python that one of them asks for is no advice where another refuses it."""
    found = failure_of(
        ["a", "b"],
        {
            "a": {"1.0": {"requires-python": "<3.12"}},
            "b": {"1.0": {"requires-python": ">=3.12"}},
        },
    )
    assert list(found.details()) == [
        "the project requires a",
        "a 1.0: requires Python <3.12",
        "with Python 3.11: the project requires b",
        "with Python 3.11: b 1.0: requires Python >=3.12",
    ]
    assert found.advice == "exclude a for target one with a marker"


def test_another_python_is_advice_where_it_was_tried() -> None:
    """Where all projects take it, the target is told to have it."""
    found = failure_of(
        ["a", "b"], {"a": {"1.0": {"requires-python": "<3.12"}}, "b": {"1.0": {}}}
    )
    assert found.advice is not None
    assert found.advice.startswith('set python = "3.11" for target one')


def test_a_yanked_version_that_would_fit_is_mentioned() -> None:
    """Nothing else does, and whoever wants it can pin it."""
    found = failure_of(
        ["a>=2"],
        {
            "a": {
                "3.0": {"wheels": ["cp312-cp312-win_amd64"]},
                "2.0": {"yanked": "broken"},
                "1.0": {},
            }
        },
    )
    assert list(found.details())[1:] == [
        "a 3.0: no wheel fits one: there are some for win_amd64",
        "a 2.0: would fit and is yanked (broken)",
    ]
