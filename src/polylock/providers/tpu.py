"""Google TPUs: the ``tpu`` namespace, as uv implements tpu-variant-provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polylock.providers.machine import Machine

__all__ = ["derive", "detect"]

_DEVICES = "/sys/bus/pci/devices"
_GOOGLE = "0x1ae0"
_CHIPS = frozenset(
    ("0x0027", "0x0056", "0x005e", "0x0062", "0x0063", "0x006f", "0x0076")
)
"""PCI devices that are TPUs, v2 to TPU7x, from jax/_src/hardware_utils.py of JAX."""


def derive() -> dict[str, tuple[str, ...]]:
    """Return the features of the ``tpu`` namespace on a machine with a TPU."""
    return {"present": ("true",)}


def detect(machine: Machine) -> bool:
    """Return True if a TPU is attached by PCI, by the rule of JAX.

    The provider's package is not published, so its rule is unknown.
    """
    if machine.system != "Linux":
        return False
    for name in machine.list_names(_DEVICES):
        path = f"{_DEVICES}/{name}"
        if (machine.read_text(f"{path}/vendor") or "").strip() == _GOOGLE:
            device = (machine.read_text(f"{path}/device") or "").strip()
            if device in _CHIPS:
                return True
    return False
