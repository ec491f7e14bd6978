"""Intel GPUs: the ``intel`` namespace, as intel-variant-provider defines it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.variants.catalogue import INTEL_COMPATIBLE_IPS

if TYPE_CHECKING:
    from polylock.model.target import IntelGpu

__all__ = ["MULTI_VALUE", "derive"]

MULTI_VALUE = ("device_ip",)


def derive(gpu: IntelGpu) -> dict[str, tuple[str, ...]]:
    """Return the features of the ``intel`` namespace, the most preferred first.

    Each device runs binaries for its own IP version, then those for the base version
    that it is compatible with.
    """
    versions: dict[str, None] = {}
    for device_ip in gpu.device_ip:
        versions[device_ip] = None
        base = INTEL_COMPATIBLE_IPS.get(device_ip)
        if base is not None:
            versions[base] = None
    return {"device_ip": tuple(versions)} if versions else {}
