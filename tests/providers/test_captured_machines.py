"""Detection replayed on machines whose answers were recorded."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from fakes.captured_machines import CapturedMachine, captured_machines
from polylock.operations.edit.detect import detect_target
from polylock.project.targets import parse_targets
from polylock.providers.derive import derive
from polylock.providers.detect import detect_machine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.model.target import TargetDescription

MACHINES = captured_machines()
BY_NAME = {captured.name: captured for captured in MACHINES}
KINDS = {"captured", "composed"}


def _described(captured: CapturedMachine) -> TargetDescription:
    detected = detect_machine(captured.machine())
    return detect_target(detected, "3.12").description


def _properties(name: str) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    return derive(_described(BY_NAME[name])).namespaces


def test_there_are_enough_of_them() -> None:
    """They are many, of each system, and most were really captured."""
    assert len(MACHINES) >= 60
    assert {captured.data["system"] for captured in MACHINES} == {
        "Linux",
        "Darwin",
        "Windows",
    }
    real = [each for each in MACHINES if each.data["kind"] == "captured"]
    assert len(real) >= 45


@pytest.mark.parametrize("captured", MACHINES, ids=lambda each: each.name)
def test_machine_is_what_it_is(captured: CapturedMachine) -> None:
    """Each has its origin, becomes the target that it is, and warns of what fails."""
    assert captured.data["kind"] in KINDS
    assert captured.data["origin"]
    detected = detect_machine(captured.machine())
    found = detect_target(detected, "3.12")
    (table,) = tomllib.loads(found.text)["tool"]["polylock"]["targets"].values()
    assert table.pop("python") == "3.12"
    assert table == captured.expected
    assert len(found.warnings) == len(captured.warnings), found.warnings
    for part, warning in zip(captured.warnings, found.warnings, strict=True):
        assert part in warning


@pytest.mark.parametrize("captured", MACHINES, ids=lambda each: each.name)
def test_printed_target_is_one_that_a_project_takes(
    captured: CapturedMachine,
) -> None:
    """What is printed reads back as the very machine that was found."""
    found = detect_target(detect_machine(captured.machine()), "3.12")
    tables = tomllib.loads(found.text)["tool"]["polylock"]["targets"]
    (read,) = parse_targets(
        tables,
        path="pyproject.toml",
        default_python=None,
        reserved=(),
        requires_python="",
    )
    assert derive(read) == derive(found.description)


def test_lists_of_a_graphics_server() -> None:
    """An H100 with CUDA 13.0 has the lists of the published provider."""
    lists = _properties("nvml-h100-cuda130")["nvidia"]
    assert lists["sm_arch"] == ("90_real", "90_virtual")
    assert lists["cuda_version_lower_bound"][:2] == ("13.0", "13")


def test_lists_of_an_intel_gpu_have_the_base_version() -> None:
    """A Lunar Lake GPU also runs what was built for Battlemage's base version."""
    lists = _properties("level-zero-lunar-lake")["intel"]
    assert lists == {"device_ip": ("20.4.4", "20.1.0")}
