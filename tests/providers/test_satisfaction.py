"""What a machine lacks for a target."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.variant_data import python
from polylock.model.target import (
    AmdGpu,
    Architecture,
    Cpu,
    IntelGpu,
    NvidiaGpu,
    OperatingSystem,
    PythonRelease,
    TargetDescription,
)
from polylock.providers.derive import build_target
from polylock.providers.satisfaction import missing_hardware, missing_system
from polylock.values import replace

BASE = TargetDescription(
    name="base",
    system=OperatingSystem.LINUX,
    architecture=Architecture.X86_64,
    python=python(),
    libc="glibc-2.28",
    cpu=Cpu(level="v3"),
    nvidia=NvidiaGpu(driver="12.8", compute=("8.0",)),
)

CUDA_12_8 = "nvidia :: cuda_version_lower_bound :: 12.8"


def lacks(machine: dict[str, Any], **target: Any) -> list[str]:  # noqa: ANN401  # fields of a description
    """Return what a machine lacks; both are the base with other fields."""
    wanted = build_target(replace(BASE, **target))
    here = build_target(replace(BASE, **machine))
    return [*missing_system(wanted, here), *missing_hardware(wanted, here)]


@pytest.mark.parametrize(
    "machine",
    [
        {},
        {"libc": "glibc-2.39"},
        {"cpu": Cpu(microarchitecture="sapphirerapids")},
        {"nvidia": NvidiaGpu(driver="13.0", compute=("8.6",))},
        {"nvidia": NvidiaGpu(driver="12.9", compute=("7.5", "8.0"))},
        {"amd": AmdGpu(rocm="6.4", gfx=("gfx942",))},
        {"python": python("3.12.4")},
    ],
)
def test_machine_that_has_more_satisfies(machine: dict[str, Any]) -> None:
    """A newer libc, a better processor, a newer driver and more hardware are fine."""
    assert lacks(machine) == []


@pytest.mark.parametrize(
    ("machine", "clauses"),
    [
        (
            {"architecture": Architecture.AARCH64, "cpu": None},
            ["processor x86_64: this machine has aarch64"],
        ),
        (
            {"libc": "glibc-2.17"},
            ["C library glibc-2.28 or newer: this machine has glibc-2.17"],
        ),
        (
            {"libc": "musl-1.2"},
            ["C library glibc-2.28 or newer: this machine has musl-1.2"],
        ),
        (
            {"libc": None},
            ["C library glibc-2.28 or newer: this machine has an unknown C library"],
        ),
        (
            {"python": python("3.13t")},
            ["Python 3.12: this environment has 3.13t"],
        ),
        (
            {"python": PythonRelease(implementation="pypy", major=3, minor=12)},
            ["Python 3.12: this environment has pypy3.12"],
        ),
        (
            {"cpu": Cpu(level="v3", features=("-avx2",))},
            ["x86_64 :: avx2 :: on: this machine does not offer it"],
        ),
        (
            {
                "cpu": Cpu(
                    level="v3", features=("-avx2", "-avx", "-fma", "-abm", "-aes")
                )
            },
            ["x86_64 :: avx2, avx, abm, fma :: on: this machine does not offer them"],
        ),
        (
            {"nvidia": None},
            [
                f"{CUDA_12_8}: this machine does not offer it",
                "nvidia :: sm_arch :: 80_real: this machine does not offer it",
            ],
        ),
        (
            {"nvidia": NvidiaGpu(driver="12.4", compute=("9.0",))},
            [
                f"{CUDA_12_8}: this machine offers 12.4, 12.3, 12.2, 12.1, …",
                "nvidia :: sm_arch :: 80_real: this machine offers 90_real, 90_virtual",
            ],
        ),
    ],
)
def test_each_lack_is_a_clause(machine: dict[str, Any], clauses: list[str]) -> None:
    """What is missing is said in words, with what the machine offers instead."""
    assert lacks(machine) == clauses


def test_level_that_is_too_low_names_those_offered() -> None:
    """A processor of a lower level is told with its levels."""
    found = lacks({"cpu": Cpu(level="v3")}, cpu=Cpu(level="v4"))
    assert found[0] == "x86_64 :: level :: v4: this machine offers v3, v2, v1"


def test_named_patch_release_must_be_the_one() -> None:
    """A target that names a patch release asks for it; one that does not, does not."""
    found = lacks({"python": python("3.12.4")}, python=python("3.12.7"))
    assert found == ["Python 3.12.7: this environment has 3.12.4"]


def test_macos_has_a_floor() -> None:
    """A Mac that is too old is told so; a newer one is fine."""
    mac: dict[str, Any] = {
        "system": OperatingSystem.MACOS,
        "libc": None,
        "nvidia": None,
        "macos": "14.0",
    }
    assert lacks({**mac, "macos": "13.6"}, **mac) == [
        "macOS 14.0 or newer: this machine has 13.6"
    ]
    assert lacks({**mac, "macos": "15.1"}, **mac) == []


def test_other_system_is_told_once() -> None:
    """On another operating system its libc and version are not compared."""
    found = lacks(
        {"system": OperatingSystem.WINDOWS, "libc": None}, nvidia=None, cpu=None
    )
    assert found == ["operating system linux: this machine runs windows"]


def test_one_common_architecture_is_enough() -> None:
    """Of several gfx architectures or devices one in common is enough."""
    target: dict[str, Any] = {"nvidia": None, "amd": AmdGpu(rocm="6.4", gfx=("a", "b"))}
    assert lacks({"amd": AmdGpu(rocm="6.4", gfx=("b",))}, **target) == []
    assert lacks({"amd": AmdGpu(rocm="7.0", gfx=("c",))}, **target) == [
        "amd :: gfx_arch :: a or b: this machine offers c",
        "amd :: rocm_version :: 6.4: this machine offers 7.0",
    ]
    intel: dict[str, Any] = {"nvidia": None, "intel": IntelGpu(device_ip=("20.2.0",))}
    assert lacks({"intel": IntelGpu(device_ip=("20.1.0",))}, **intel) == []


def test_only_the_namespaces_in_use_are_asked() -> None:
    """Hardware that no locked wheel needs is not asked for."""
    target = build_target(BASE)
    machine = build_target(replace(BASE, nvidia=None, cpu=None))
    assert missing_hardware(target, machine, namespaces=[]) == ()
    assert len(missing_hardware(target, machine, namespaces=["nvidia"])) == 2
    # What wheels are built against is no matter of hardware.
    assert missing_hardware(target, machine, namespaces=["abi_dependency"]) == ()


def test_stated_lists_stand_for_derived_ones() -> None:
    """What the user stated of a target is what the machine must have."""
    stated = {"nvidia": {"sm_arch": ("80_real",)}, "myns": {"feature": ("v2", "v1")}}
    assert lacks({}, properties=stated) == [
        "myns :: feature :: v2: this machine does not offer it"
    ]
