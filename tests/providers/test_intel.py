"""The ``intel`` namespace."""

from __future__ import annotations

from polylock.model.target import IntelGpu
from polylock.providers.intel import derive


def test_each_device_adds_its_compatible_base() -> None:
    """A device runs its own binaries and those of its base version, in this order."""
    found = derive(IntelGpu(device_ip=("20.2.0", "12.60.7", "20.1.0")))
    assert found == {"device_ip": ("20.2.0", "20.1.0", "12.60.7")}


def test_no_device_is_no_property() -> None:
    """Without a device nothing is supported."""
    assert derive(IntelGpu(device_ip=())) == {}
