"""Solve the universes in ``tests/scenarios``: each file states what must come out.

A file has ``description``, ``requires``, ``[extras]``, ``[groups]``, settings under
their names in the project file, ``[targets.*]`` as in the project file (one Linux
machine with Python 3.12 where there are none), ``[packages]`` as ``fakes.source``
reads them, and either ``error``, texts that the message holds, or ``expected``: pins
for all targets or by target, ``"1.0 (label)"``, ``"1.0 [build or tag]"``,
``"1.0 [sdist]"``, ``"1.0 if marker"``. ``unvisited`` are versions that the search must
not open; ``opened-at-most`` are how many ``versions`` it may open, and how many
``sdists`` for what they require, with what explaining a failure takes.
``tries-at-most`` is how many candidates the solve may try.
``[locked.TARGET]`` are the pins of an earlier lock, a version or
``"1.0 filename"``. ``warnings`` are texts, one for each warning that is given.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

from fakes.scenarios import inputs_of, load, preferences_of, targets_of
from fakes.source import MemorySource
from polylock.errors import PolylockError
from polylock.explain.failure import solved
from polylock.explain.notes import notes
from polylock.explain.screening import Solved
from polylock.explain.words import note
from polylock.model.filenames import WheelFilename
from polylock.ports import SilentReporter
from polylock.resolution.memory import Memory
from polylock.resolution.problem import Unsolvable
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from polylock.model.pins import Resolution

SCENARIOS = sorted((Path(__file__).parent.parent / "scenarios").glob("*.toml"))


def pins_of(resolution: Resolution, expected: dict[str, str]) -> dict[str, str]:
    """Write pins as the scenario does, in no more detail than it asks for."""
    found = {}
    for name, pin in resolution.pins.items():
        text = pin.version
        if pin.variant_label:
            text += f" ({pin.variant_label})"
        if "[" in expected.get(name, ""):
            text += f" [{_kind(pin.file.filename)}]"
        condition = resolution.conditions[name]
        if condition is not None:
            text += f" if {condition}"
        found[str(name)] = text
    return found


def _kind(filename: str) -> str:
    if not filename.endswith(".whl"):
        return "sdist"
    parsed = WheelFilename.parse(filename)
    return parsed.build or next(parsed.tags)


def _check_what_was_opened(scenario: dict[str, Any], source: MemorySource) -> None:
    assert not source.opened & set(scenario.get("unvisited", ()))
    sdists = {name for name in source.read if not name.endswith(".whl")}
    most = scenario.get("opened-at-most", {})
    assert len(source.opened) <= most.get("versions", len(source.opened))
    assert len(sdists) <= most.get("sdists", len(sdists)), sdists


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    """A solve gives the pins or the failure as stated, and so does a repeated one.

    The second knows what the first has learned, kept and read again.
    """
    scenario = load(path)
    memory = Memory()
    _judge(scenario, memory)
    _judge(scenario, Memory(memory.encode()))


SEARCHED = [
    pytest.param(path, marks=() if number % 4 == 0 else pytest.mark.slow)
    for number, path in enumerate(SCENARIOS)
]
"""Every fourth; the others are searched where the slow tests are run."""


@pytest.mark.parametrize("path", SEARCHED, ids=lambda path: path.stem)
def test_scenario_by_search(path: Path) -> None:
    """The search gives the same where the walk alone would do."""
    _judge(load(path), Memory(), always_search=True)


def _judge(
    scenario: dict[str, Any], memory: Memory, *, always_search: bool = False
) -> None:
    """Solve a scenario, and require what it states."""
    targets = targets_of(scenario)
    source = MemorySource(scenario["packages"])
    solver = Solver(
        inputs=inputs_of(scenario, targets),
        source=source,
        reporter=SilentReporter(),
        preferences=preferences_of(scenario),
        always_search=always_search,
        memory=memory,
    )
    if "error" in scenario:
        with pytest.raises(PolylockError) as caught:
            solved(solver, targets)
        message = "\n".join([str(caught.value), *caught.value.details()])
        for text in scenario["error"]:
            assert text in message
        _check_what_was_opened(scenario, source)
        cause = caught.value.__cause__
        if isinstance(cause, Unsolvable) and cause.failure is not None:
            assert cause.failure.tried <= scenario.get("tries-at-most", sys.maxsize)
        else:
            assert "tries-at-most" not in scenario
        return
    solution = solved(solver, targets)
    tried = sum(effort.tried for effort in solution.efforts.values())
    assert tried <= scenario.get("tries-at-most", sys.maxsize)
    for resolution in solution.resolutions:
        expected = scenario["expected"]
        expected = expected.get(resolution.target.name, expected)
        assert pins_of(resolution, expected) == expected
    _check_what_was_opened(scenario, source)
    answer = Solved(solution.resolutions, solver.inputs, source)
    told = [note(found) for found in notes(answer)]
    if "warnings" in scenario:
        texts = scenario["warnings"]
        assert [w for w, text in zip(told, texts, strict=True) if text in w] == told


def test_scenarios_describe_themselves() -> None:
    """Every scenario has a sentence that describes it."""
    assert len(SCENARIOS) >= 240
    for path in SCENARIOS:
        assert load(path)["description"].endswith("."), path.name


def test_same_solution_in_any_universe_order() -> None:
    """The order in which a universe is written changes nothing."""
    scenario = load(
        SCENARIOS[0].with_name("variant-markers-of-the-selected-wheel.toml")
    )
    targets = targets_of(scenario)
    answers = []
    for packages in (
        scenario["packages"],
        dict(reversed(list(scenario["packages"].items()))),
    ):
        solver = Solver(
            inputs=inputs_of(scenario, targets),
            source=MemorySource(packages),
            reporter=SilentReporter(),
        )
        answers.append(
            [
                {
                    canonicalize_name(n): (p.version, p.file.filename)
                    for n, p in r.pins.items()
                }
                for r in solved(solver, targets).resolutions
            ]
        )
    assert answers[0] == answers[1]
