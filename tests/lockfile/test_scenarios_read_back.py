"""What the solver finds is written as a lock file that polylock reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.scenarios import inputs_of, load, preferences_of, targets_of
from fakes.source import MemorySource
from polylock.lockfile.assemble import assemble
from polylock.lockfile.read import read_pylock
from polylock.lockfile.write import pylock_text
from polylock.ports import SilentReporter
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from polylock.lockfile.pylock import Pylock

SCENARIOS = Path(__file__).parents[1] / "scenarios"


def locked(name: str) -> Pylock:
    """Solve a scenario and return its lock file."""
    scenario = load(SCENARIOS / f"{name}.toml")
    targets = targets_of(scenario)
    inputs = inputs_of(scenario, targets)
    solver = Solver(
        inputs=inputs,
        source=MemorySource(scenario["packages"]),
        reporter=SilentReporter(),
        preferences=preferences_of(scenario),
    )
    return assemble(inputs, targets, solver.solve(targets).resolutions)


@pytest.mark.parametrize(
    "name",
    [
        "requires-python-that-cannot-be-read",
        "requires-python-of-each-file",
        "requires-python-of-the-metadata",
    ],
)
def test_a_lock_file_is_read_as_it_was_written(name: str) -> None:
    """Also where an index holds what no lock file may hold."""
    pylock = locked(name)
    assert read_pylock(pylock_text(pylock), "pylock.toml") == pylock


def test_a_specifier_that_is_none_is_left_out() -> None:
    """It counts as none, and PEP 751 wants a specifier."""
    (package,) = locked("requires-python-that-cannot-be-read").packages
    assert (package.version, package.requires_python) == ("2.0", None)
