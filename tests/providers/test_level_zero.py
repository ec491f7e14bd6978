"""Level Zero is asked for the IP versions of Intel's GPUs."""

from __future__ import annotations

import ctypes

import pytest

from fakes.machine import FakeLevelZero
from polylock.providers.level_zero import (
    DeviceProperties,
    IpVersion,
    ask_level_zero,
    decode_ip_version,
)


@pytest.mark.parametrize(
    ("number", "version"),
    [
        (12 << 22 | 60 << 14 | 7, "12.60.7"),
        (20 << 22 | 1 << 14, "20.1.0"),
        (30 << 22 | 0 << 14 | 4, "30.0.4"),
        (0x3FF << 22 | 0xFF << 14 | 0x3FC0 | 0x3F, "1023.255.63"),
        (0, "0.0.0"),
    ],
)
def test_ip_version_is_decoded(number: int, version: str) -> None:
    """Architecture, release and revision lie in their bits; what is between is not."""
    assert decode_ip_version(number) == version


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="64-bit layout")
def test_structures_have_the_layout_of_the_header() -> None:
    """Sizes and places are those that a C compiler gives ``ze_api.h``."""
    assert ctypes.sizeof(IpVersion) == 24
    assert IpVersion.ip_version.offset == 16
    assert DeviceProperties.type.offset == 16
    assert DeviceProperties.max_allocation.offset == 40
    assert DeviceProperties.timer_resolution.offset == 80
    assert DeviceProperties.uuid.offset == 96
    assert DeviceProperties.name.offset == 112
    assert ctypes.sizeof(DeviceProperties) == 368


@pytest.mark.parametrize("old", [False, True])
def test_devices_of_all_drivers_are_listed(*, old: bool) -> None:
    """Each driver's devices come in order, by the new call and by the old one."""
    library = FakeLevelZero(
        [[12 << 22 | 60 << 14 | 7], [], [20 << 22 | 1 << 14]], old=old
    )
    assert ask_level_zero(library, pytest.fail) == ("12.60.7", "20.1.0")


@pytest.mark.parametrize(
    ("library", "warning"),
    [
        (FakeLevelZero([[1]], zeInitDrivers=0x78000001), "it has no driver"),
        (
            FakeLevelZero([[1]], old=True, zeInit=0x70010000),
            "this user has no permission",
        ),
        (FakeLevelZero([[1]], zeDeviceGet=0x70000001), "the device is lost"),
        (FakeLevelZero([[1]], zeDeviceGetProperties=0x7FFFFFFE), "code 0x7ffffffe"),
        (object(), "the library is too old"),
    ],
)
def test_failure_is_a_warning(library: object, warning: str) -> None:
    """A call that fails leaves no GPU and says why."""
    warnings: list[str] = []
    assert ask_level_zero(library, warnings.append) == ()
    assert warning in warnings[0]
