"""Solve the universes in ``tests/scenarios``: each file states what must come out.

A file has ``description``, ``requires``, ``[extras]``, ``[groups]``, settings under
their names in the project file, ``[targets.*]`` as in the project file (one Linux
machine with Python 3.12 where there are none), ``[packages]`` as ``fakes.source``
reads them, and either ``error``, texts that the message holds, or ``expected``: pins
for all targets or by target, ``"1.0 (label)"``, ``"1.0 [build or tag]"``,
``"1.0 if marker"``. ``unvisited`` are versions that the search must not open.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import canonicalize_name

from fakes.source import MemorySource
from polylock.errors import PolylockError
from polylock.model.filenames import WheelFilename
from polylock.model.inputs import Inputs, RootRequirement
from polylock.model.requirements import Requirement
from polylock.ports import SilentReporter
from polylock.project.targets import parse_targets
from polylock.providers.derive import build_target
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from polylock.model.pins import Resolution
    from polylock.model.target import Target

SCENARIOS = sorted((Path(__file__).parent.parent / "scenarios").glob("*.toml"))
ONE = {"one": {"platform": "linux-x86_64", "python": "3.12"}}


def load(path: Path) -> dict[str, Any]:
    """Read a scenario."""
    return tomllib.loads(path.read_text("utf-8"))


def targets_of(scenario: dict[str, Any]) -> list[Target]:
    """Return the targets of a scenario, one Linux machine where it has none."""
    tables = scenario.get("targets", ONE)
    descriptions = parse_targets(
        tables, path="scenario", default_python=None, reserved=(), requires_python=""
    )
    return [build_target(description) for description in descriptions]


def inputs_of(scenario: dict[str, Any], targets: list[Target]) -> Inputs:
    """Return what a scenario asks for."""

    def roots(texts: list[str], **kind: str) -> list[RootRequirement]:
        return [
            RootRequirement(requirement=Requirement.parse(text), **kind)
            for text in texts
        ]

    requirements = roots(scenario["requires"])
    for extra, texts in scenario.get("extras", {}).items():
        requirements += roots(texts, extra=extra)
    for group, texts in scenario.get("groups", {}).items():
        requirements += roots(texts, group=group)
    for target in targets:
        texts = list(target.description.dependencies)
        requirements += roots(texts, target=target.name)
    return Inputs(
        requirements=tuple(requirements),
        constraints=tuple(map(Requirement.parse, scenario.get("constraints", ()))),
        overrides=tuple(map(Requirement.parse, scenario.get("overrides", ()))),
        extras=tuple(scenario.get("extras", ())),
        groups=tuple(scenario.get("groups", ())),
        exclude_newer=scenario.get("exclude-newer"),
        resolution=scenario.get("resolution", "highest"),
        prerelease=scenario.get("prerelease", "if-necessary-or-explicit"),
        align=scenario.get("align", "prefer"),
        exclude_variants=tuple(scenario.get("exclude-variants", ())),
        no_binary_packages=tuple(scenario.get("no-binary-packages", ())),
        prefer_variants=tuple(scenario.get("prefer-variants", ())),
    )


def pins_of(resolution: Resolution, expected: dict[str, str]) -> dict[str, str]:
    """Write pins as the scenario does, in no more detail than it asks for."""
    found = {}
    for name, pin in resolution.pins.items():
        filename = WheelFilename.parse(pin.file.filename)
        text = pin.version
        if pin.variant_label:
            text += f" ({pin.variant_label})"
        if "[" in expected.get(name, ""):
            text += f" [{filename.build or next(filename.tags)}]"
        condition = resolution.conditions[name]
        if condition is not None:
            text += f" if {condition}"
        found[str(name)] = text
    return found


@pytest.mark.parametrize("always_search", [False, True], ids=["walk", "search"])
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(*, path: Path, always_search: bool) -> None:
    """Walk and search both give the pins, or the failure, that the scenario states."""
    scenario = load(path)
    targets = targets_of(scenario)
    source = MemorySource(scenario["packages"])
    solver = Solver(
        inputs=inputs_of(scenario, targets),
        source=source,
        reporter=SilentReporter(),
        always_search=always_search,
    )
    if "error" in scenario:
        with pytest.raises(PolylockError) as caught:
            solver.solve(targets)
        message = "\n".join([str(caught.value), *caught.value.details()])
        for text in scenario["error"]:
            assert text in message
        return
    solution = solver.solve(targets)
    for resolution in solution.resolutions:
        expected = scenario["expected"]
        expected = expected.get(resolution.target.name, expected)
        assert pins_of(resolution, expected) == expected
    assert not source.opened & set(scenario.get("unvisited", ()))


def test_scenarios_describe_themselves() -> None:
    """Every scenario says in a sentence what it is about."""
    assert len(SCENARIOS) >= 40
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
                for r in solver.solve(targets).resolutions
            ]
        )
    assert answers[0] == answers[1]
