"""Reads scenarios: their targets, inputs and earlier pins.

``resolution/test_scenarios.py`` describes the format.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from polylock.model.inputs import Inputs, RootRequirement
from polylock.model.pins import Preference
from polylock.model.requirements import Requirement
from polylock.project.targets import parse_targets
from polylock.providers.derive import build_target

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.model.target import Target

__all__ = ["inputs_of", "load", "preferences_of", "targets_of"]

_ONE = {"one": {"platform": "linux-x86_64", "python": "3.12"}}


def load(path: Path) -> dict[str, Any]:
    """Read a scenario."""
    return tomllib.loads(path.read_text("utf-8"))


def targets_of(scenario: dict[str, Any]) -> list[Target]:
    """Return the targets of a scenario, one Linux machine where it has none."""
    tables = scenario.get("targets", _ONE)
    descriptions = parse_targets(
        tables, path="scenario", default_python=None, reserved=(), requires_python=""
    )
    return [build_target(description) for description in descriptions]


def inputs_of(scenario: dict[str, Any], targets: list[Target]) -> Inputs:
    """Return the inputs of a scenario."""

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
        upgrades=tuple(map(Requirement.parse, scenario.get("upgrades", ()))),
        extras=tuple(scenario.get("extras", ())),
        groups=tuple(scenario.get("groups", ())),
        exclude_newer=scenario.get("exclude-newer"),
        resolution=scenario.get("resolution", "highest"),
        prerelease=scenario.get("prerelease", "if-necessary-or-explicit"),
        align=scenario.get("align", "prefer"),
        exclude_variants=tuple(scenario.get("exclude-variants", ())),
        no_binary_packages=tuple(scenario.get("no-binary-packages", ())),
        build=scenario.get("build", "local"),
        build_packages=tuple(scenario.get("build-packages", ())),
        no_build_packages=tuple(scenario.get("no-build-packages", ())),
        prefer_variants=tuple(scenario.get("prefer-variants", ())),
        require_variants={
            name: tuple(patterns)
            for name, patterns in scenario.get("require-variants", {}).items()
        },
        enable_providers=tuple(scenario.get("enable-providers", ())),
    )


def preferences_of(
    scenario: dict[str, Any],
) -> dict[str, dict[NormalizedName, Preference]]:
    """Return the pins of the earlier lock, by target."""

    def preference(pin: str) -> Preference:
        version, *filenames = pin.split()
        return Preference(version=version, filenames=tuple(filenames))

    return {
        target: {canonicalize_name(name): preference(pin) for name, pin in pins.items()}
        for target, pins in scenario.get("locked", {}).items()
    }
