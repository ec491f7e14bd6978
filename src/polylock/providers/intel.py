"""Intel GPUs: the ``intel`` namespace, as intel-variant-provider defines it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.target import IntelGpu
from polylock.providers.machine import Machine, ignore
from polylock.variants.catalogue import INTEL_COMPATIBLE_IPS, INTEL_DEVICE_IPS

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["MULTI_VALUE", "derive", "detect"]

MULTI_VALUE = ("device_ip",)


def derive(gpu: IntelGpu) -> dict[str, tuple[str, ...]]:
    """Return the features of the ``intel`` namespace, the most preferred first.

    A device runs binaries for its own IP version, and for the base version that it is
    compatible with.
    """
    versions: dict[str, None] = {}
    for device_ip in gpu.device_ip:
        versions[device_ip] = None
        base = INTEL_COMPATIBLE_IPS.get(device_ip)
        if base is not None:
            versions[base] = None
    return {"device_ip": tuple(versions)} if versions else {}


def detect(machine: Machine, warn: Callable[[str], None] = ignore) -> IntelGpu | None:
    """Return the Intel GPUs of a machine; None if Level Zero shows none.

    A device of an unknown IP version is ignored, as by the published provider.
    """
    name = _library(machine)
    library = None if name is None else machine.load_library(name)
    if library is None:
        return None
    from polylock.providers.level_zero import ask_level_zero  # noqa: PLC0415 - 2 ms

    found = tuple(dict.fromkeys(ask_level_zero(library, warn)))
    for version in found:
        if version not in INTEL_DEVICE_IPS:
            warn(f"an Intel GPU of the unknown IP version {version} is ignored")
    known = tuple(version for version in found if version in INTEL_DEVICE_IPS)
    return IntelGpu(device_ip=known) if known else None


def _library(machine: Machine) -> str | None:
    if machine.system == "Linux":
        return "libze_loader.so.1"
    if machine.system == "Windows":
        windows = machine.variables.get("WINDIR") or "C:/Windows"
        return f"{windows}/System32/ze_loader.dll"
    return None
