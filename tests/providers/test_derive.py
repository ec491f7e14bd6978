"""A description becomes a target, without the hardware that it describes."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.variant_data import description, python, vectors
from polylock.model.target import (
    AmdGpu,
    Architecture,
    AscendNpu,
    IntelGpu,
    NvidiaGpu,
    OperatingSystem,
    TargetDescription,
)
from polylock.providers.derive import build_target, derive
from polylock.values import replace

DERIVED = vectors("derived_from_description")
EVERYTHING = TargetDescription(
    name="everything",
    system=OperatingSystem.LINUX,
    architecture=Architecture.X86_64,
    python=python(),
    nvidia=NvidiaGpu(driver="13.0", compute=("9.0",)),
    amd=AmdGpu(rocm="6.4", gfx=("gfx942",)),
    intel=IntelGpu(device_ip=("20.1.0",)),
    ascend=AscendNpu(npu="910b"),
    tpu=True,
    properties={"myns": {"feature": ("v2", "v1")}},
)


@pytest.mark.parametrize("name", DERIVED)
def test_lists_of_described_machines(name: str) -> None:
    """Each described machine has the ordered lists that it should, and no others.

    One deviation: the published provider says nothing of a processor below level v2;
    here, as with uv, it has ``level :: v1``, for it does run such wheels.
    """
    case: dict[str, Any] = DERIVED[name]
    found = derive(description(name, case["profile"])).namespaces
    expected = {
        namespace: [(feature, tuple(values)) for feature, values, _ in lists]
        for namespace, lists in case["providers"].items()
        if lists
    }
    if name == "plain-cpu":
        expected["x86_64"] = [("level", ("v1",))]
    assert {key: list(lists.items()) for key, lists in found.items()} == expected


@pytest.mark.parametrize(
    ("system", "namespaces"),
    [
        (
            OperatingSystem.LINUX,
            {"x86_64", "nvidia", "amd", "intel", "ascend", "tpu"},
        ),
        (OperatingSystem.WINDOWS, {"x86_64", "nvidia", "intel"}),
        (OperatingSystem.MACOS, {"x86_64"}),
    ],
)
def test_providers_answer_on_their_systems(
    system: OperatingSystem, namespaces: set[str]
) -> None:
    """An accelerator counts only on systems for which its provider answers."""
    found = derive(replace(EVERYTHING, system=system))
    assert set(found.namespaces) == namespaces


def test_processor_namespace_is_that_of_the_architecture() -> None:
    """An AArch64 machine has no x86-64 properties; its baseline is 8a."""
    found = derive(
        TargetDescription(
            name="t",
            system=OperatingSystem.LINUX,
            architecture=Architecture.AARCH64,
            python=python(),
        )
    )
    assert found.namespaces == {"aarch64": {"version": ("8a",)}}


def test_target_joins_markers_tags_and_lists() -> None:
    """A target has what the user stated beside what is derived."""
    target = build_target(EVERYTHING)
    assert target.name == "everything"
    assert target.marker_environment["platform_machine"] == "x86_64"
    assert target.tags[0] == "cp312-cp312-linux_x86_64"
    assert target.stated.supports("myns", "feature", "v1")
    assert target.derived.supports("nvidia", "sm_arch", "90_real")
    assert "myns" not in target.derived.namespaces
