"""The ``ascend`` namespace."""

from __future__ import annotations

import pytest

from fakes.machine import FakeMachine
from polylock.model.target import AscendNpu
from polylock.providers.ascend import derive, detect


def test_each_fact_is_one_exact_value() -> None:
    """Type, driver and CANN version are one value each, in this order."""
    found = derive(AscendNpu(npu="910b", driver="25.0", cann="8.1.rc1"))
    assert list(found.items()) == [
        ("npu_type", ("910b",)),
        ("driver_version", ("25.0",)),
        ("cann_version", ("8.1.rc1",)),
    ]


def test_unknown_versions_are_left_out() -> None:
    """A version that was not given is no feature."""
    assert derive(AscendNpu(npu="a3")) == {"npu_type": ("a3",)}


@pytest.mark.parametrize(
    ("name", "npu"),
    [
        ("910B3", "910b"),
        ("910B4-1", "910b"),
        ("Ascend910", "a3"),
        ("310P3", "310p"),
        ("910ProB", "910prob"),
        ("Ascend950PR", "950pr"),
    ],
)
def test_types_are_those_of_the_published_provider(name: str, npu: str) -> None:
    """Names of npu-smi become the provider's types; the row of the chip is none."""
    report = (
        "| npu-smi 25.0.rc1.1   Version: 25.0.rc1.1   |\n"
        f"| 0     {name}           | OK            |\n"
        "| 0     0                | 0000:9D:00.0  |\n"
    )
    toolkit = "/opt/toolkit/x86_64-linux/ascend_toolkit_install.info"
    machine = FakeMachine(
        commands={"npu-smi info": report},
        files={toolkit: "package_name=x\nversion=8.2.RC1.alpha003\n"},
        variables={"ASCEND_TOOLKIT_HOME": "/opt/toolkit"},
    )
    found = detect(machine, pytest.fail)
    assert found == AscendNpu(npu=npu, driver="25.0.rc1", cann="8.2.rc1")
    machine.system = "Windows"
    assert detect(machine) is None


def test_different_npus_are_a_warning() -> None:
    """The first counts, as for the published provider."""
    warnings: list[str] = []
    report = "| 0   910B3   | OK |\n| 1   310P3   | OK |\n"
    found = detect(FakeMachine(commands={"npu-smi info": report}), warnings.append)
    assert found == AscendNpu(npu="910b")
    assert "the Ascend NPUs differ (910b, 310p)" in warnings[0]
