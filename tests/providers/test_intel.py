"""The ``intel`` namespace."""

from __future__ import annotations

import pytest

from fakes.machine import FakeLevelZero, FakeMachine
from polylock.model.target import IntelGpu
from polylock.providers.intel import derive, detect
from polylock.variants.catalogue import INTEL_COMPATIBLE_IPS, INTEL_DEVICE_IPS


def test_each_device_adds_its_compatible_base() -> None:
    """A device runs its own binaries and those of its base version, in this order."""
    found = derive(IntelGpu(device_ip=("20.2.0", "12.60.7", "20.1.0")))
    assert found == {"device_ip": ("20.2.0", "20.1.0", "12.60.7")}


def test_no_device_is_no_property() -> None:
    """Without a device nothing is supported."""
    assert derive(IntelGpu(device_ip=())) == {}


def test_known_devices_are_listed_once() -> None:
    """Equal devices are one, and a device of an unknown version is a warning."""
    warnings: list[str] = []
    known, unknown = 20 << 22 | 1 << 14, 99 << 22
    library = FakeLevelZero([[known, known, unknown]])
    machine = FakeMachine(libraries={"libze_loader.so.1": library})
    assert detect(machine, warnings.append) == IntelGpu(device_ip=("20.1.0",))
    assert warnings == ["an Intel GPU of the unknown IP version 99.0.0 is ignored"]


@pytest.mark.parametrize(
    ("system", "name"),
    [
        ("Linux", "libze_loader.so.1"),
        ("Windows", "C:/Windows/System32/ze_loader.dll"),
    ],
)
def test_library_has_a_name_on_each_system(system: str, name: str) -> None:
    """On Windows it is taken from the system's own folder alone; macOS has none."""
    library = FakeLevelZero([[20 << 22 | 1 << 14]])
    machine = FakeMachine(system=system, libraries={name: library})
    assert detect(machine) is not None
    machine.system = "Darwin"
    assert detect(machine) is None


def test_base_versions_are_versions_of_the_table() -> None:
    """What a device is compatible with is itself a device that is known."""
    assert set(INTEL_COMPATIBLE_IPS) <= INTEL_DEVICE_IPS
    assert set(INTEL_COMPATIBLE_IPS.values()) <= INTEL_DEVICE_IPS
