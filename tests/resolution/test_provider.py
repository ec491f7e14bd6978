"""The search learns which requirements nothing meets, and names them if it fails."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.scenarios import inputs_of, targets_of
from fakes.source import MemorySource
from polylock.errors import NoSolution
from polylock.explain.failure import solved
from polylock.ports import SilentReporter
from polylock.resolution.solve import Solver

FILLERS = 30
STEPS = 12
AT_MOST = 400
"""It is many thousands if the engine starts over for each version of each parent."""


class Counting(SilentReporter):
    """Counts the candidates that a search gives up."""

    def __init__(self) -> None:
        super().__init__()
        self.rejected = 0

    def backtracking(self, target: str, candidate: str) -> None:
        """Count one."""
        del target, candidate
        self.rejected += 1


def airport(*, app_versions: dict[str, Any]) -> dict[str, Any]:
    """Return a scenario in which ``sql`` has no wheel and three projects lead to it.

    Beside them are projects of many versions that have nothing to do with it.
    """
    fillers: dict[str, Any] = {
        f"f{number}": {f"1.{minor}": {} for minor in range(3)}
        for number in range(FILLERS)
    }
    return {
        "requires": ["app", *sorted(fillers)],
        "targets": {"win": {"platform": "windows-x86_64", "python": "3.12"}},
        "packages": {
            **fillers,
            "app": app_versions,
            "lineage": {
                f"{step}.0": {"requires": [f"common>={step}", *sorted(fillers)]}
                for step in range(1, STEPS)
            },
            "common": {
                f"{step}.0": {"requires": [*sorted(fillers), "sql"]}
                for step in range(1, STEPS)
            },
            "sql": {"1.0": {"wheels": ["cp312-cp312-manylinux_2_17_x86_64"]}},
        },
    }


def solve(scenario: dict[str, Any]) -> tuple[dict[str, str], int]:
    """Return the versions that were found, and how many candidates were given up."""
    targets = targets_of(scenario)
    reporter = Counting()
    solver = Solver(
        inputs=inputs_of(scenario, targets),
        source=MemorySource(scenario["packages"]),
        reporter=reporter,
    )
    try:
        (resolution,) = solved(solver, targets).resolutions
    except NoSolution as error:
        error.add_note(str(reporter.rejected))
        raise
    return {str(n): p.version for n, p in resolution.pins.items()}, reporter.rejected


def test_what_nothing_can_meet_is_tried_once() -> None:
    """A project without a wheel costs the versions above it, not their product."""
    scenario = airport(app_versions={"1.0": {"requires": ["lineage"]}})
    with pytest.raises(NoSolution) as caught:
        solve(scenario)
    assert int(caught.value.__notes__[0]) <= AT_MOST
    assert caught.value.explanation[0].startswith(
        "the project requires app, app 1.0 requires lineage, "
        "lineage 11.0 requires common>=11, common 11.0 requires sql"
    )
    assert caught.value.explanation[1].startswith("sql 1.0: no wheel fits win")


def test_what_nothing_can_meet_is_avoided() -> None:
    """An older version that does without is found at the same cost."""
    scenario = airport(app_versions={"1.0": {}, "2.0": {"requires": ["lineage"]}})
    pins, rejected = solve(scenario)
    assert pins["app"] == "1.0"
    assert "lineage" not in pins
    assert rejected <= AT_MOST
