"""The ``tpu`` namespace."""

from __future__ import annotations

import pytest

from fakes.machine import FakeMachine
from polylock.providers.tpu import derive, detect


def test_tpu_is_present() -> None:
    """A machine with a TPU supports ``tpu :: present :: true``."""
    assert derive() == {"present": ("true",)}


@pytest.mark.parametrize(
    ("vendor", "device", "expected"),
    [
        ("0x1ae0", "0x0063", True),
        ("0x1ae0", "0x0076", True),
        ("0x1ae0", "0x0042", False),
        ("0x10de", "0x0063", False),
    ],
)
def test_pci_devices_of_google_are_looked_at(
    vendor: str, device: str, *, expected: bool
) -> None:
    """A TPU is told by maker and device; other cards of the maker are none."""
    path = "/sys/bus/pci/devices/0000:00:04.0"
    files = {f"{path}/vendor": f"{vendor}\n", f"{path}/device": f"{device}\n"}
    assert detect(FakeMachine(files=files)) is expected
    assert not detect(FakeMachine(files=files, system="Windows"))


def test_machine_that_shows_no_devices_has_no_tpu() -> None:
    """A container may see none."""
    assert not detect(FakeMachine())
