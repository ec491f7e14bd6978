"""Identification of the processor: vendor, flags and part on each system."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

from polylock.model.target import Architecture
from polylock.providers.machine import Machine, ask
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["CpuIdentity", "identify"]

_LINUX_FLAG_KEYS = {Architecture.X86_64: "flags", Architecture.AARCH64: "Features"}
_SYSCTL_KEYS = (
    "machdep.cpu.brand_string",
    "machdep.cpu.vendor",
    "machdep.cpu.features",
    "machdep.cpu.leaf7_features",
    "machdep.cpu.extfeatures",
)
_REGISTRY_KEY = "HKLM\\HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0"
_REGISTRY_MODEL = re.compile(
    r"^\s*Identifier\s+REG_SZ\s+ARM.*\bModel\s+([0-9A-F]+)\b",
    re.MULTILINE | re.IGNORECASE,
)
_APPLE_MODEL = re.compile(r"Apple M([0-9]+)", re.IGNORECASE)
_REGISTERS = ("eax", "ebx", "ecx", "edx")


class CpuIdentity(Value, frozen=True, kw_only=True):
    """A processor as its system identifies it.

    ``flags`` have Linux's names. ``part`` is the part number of an Arm core. ``name``
    is archspec's, if the system reports a model and no flags.
    """

    vendor: str = "generic"
    flags: frozenset[str] = frozenset()
    part: str = ""
    name: str | None = None


def identify(
    machine: Machine, architecture: Architecture, warn: Callable[[str], None]
) -> CpuIdentity | None:
    """Return the identity of the processor, None if nothing is known.

    On Linux the flags are read from ``/proc/cpuinfo``; if that has none, as in some
    sandboxes, the cpuid instruction is used. On Windows it is cpuid, or the registry
    for the part of an Arm core; on macOS sysctl.
    """
    match machine.system:
        case "Linux":
            text = machine.read_text("/proc/cpuinfo") or ""
            found = _from_cpuinfo(text, architecture)
            return found or _from_cpuid(machine, architecture)
        case "Darwin":
            # It is on PATH in a login shell, but not always in a service.
            programs = ("sysctl", "/usr/sbin/sysctl")
            answer = ask(machine, warn, programs, "-i", *_SYSCTL_KEYS)
            return _from_sysctl(answer or "", architecture)
        case "Windows":
            if architecture is Architecture.AARCH64:
                answer = ask(
                    machine, warn, "reg", "query", _REGISTRY_KEY, "/v", "Identifier"
                )
                return _from_registry(answer or "")
            return _from_cpuid(machine, architecture)
        case _:
            return None


def _from_cpuinfo(text: str, architecture: Architecture) -> CpuIdentity | None:
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            fields.setdefault(key.strip(), value.strip())
    flags = set(fields.get(_LINUX_FLAG_KEYS[architecture], "").split())
    if not flags:
        return None
    if architecture is Architecture.X86_64:
        return _x86_64(fields.get("vendor_id", "generic"), flags)
    implementer = fields.get("CPU implementer", "")
    return CpuIdentity(
        vendor=_arm_vendors().get(implementer, implementer or "generic"),
        flags=frozenset(flags),
        part=fields.get("CPU part", ""),
    )


def _from_sysctl(text: str, architecture: Architecture) -> CpuIdentity | None:
    fields = {
        key.strip(): value.strip()
        for key, colon, value in (line.partition(":") for line in text.splitlines())
        if colon
    }
    if architecture is Architecture.AARCH64:
        return _apple(fields.get("machdep.cpu.brand_string", ""))
    shown = " ".join(fields.get(key, "") for key in _SYSCTL_KEYS[2:])
    flags = set(shown.lower().split())
    if not flags:
        return None
    for darwin, linux in _darwin_flags().items():
        if flags.issuperset(darwin.split()):
            flags.update(linux.split())
    # Rosetta reports the flags that it emulates, but no vendor.
    vendor = fields.get("machdep.cpu.vendor") or "generic"
    return _x86_64(vendor, flags)


def _x86_64(vendor: str, flags: set[str]) -> CpuIdentity:
    if flags & {"pni", "ssse3"}:  # sse3 is named pni in Linux and in cpuid's table
        flags.add("sse3")
    return CpuIdentity(vendor=vendor, flags=frozenset(flags))


def _apple(brand: str) -> CpuIdentity | None:
    """Return the chip of a brand; the newest that archspec knows for a newer one."""
    found = _APPLE_MODEL.search(brand)
    if found is not None:
        known = _known_targets()
        models = (f"m{number}" for number in range(min(int(found[1]), 99), 0, -1))
        name = next((model for model in models if model in known), None)
        return CpuIdentity(vendor="Apple", name=name)
    # The first M1 systems, and virtual machines on later ones, report no model.
    if brand.lower().startswith("apple processor"):
        return CpuIdentity(vendor="Apple", name="m1")
    return None


def _from_registry(text: str) -> CpuIdentity | None:
    """Return the part of an Arm core, which is its model in Windows' registry.

    Windows reports no Arm flags there, so the part identifies the core. The vendor in
    the registry is that of the system on chip; only Arm's own cores have these parts.
    """
    found = _REGISTRY_MODEL.search(text)
    if found is None:
        return None
    part = f"0x{found[1].lower():0>3}"
    names = [
        str(target.name)
        for target in _known_targets().values()
        if target.vendor == "ARM" and target.cpu_part == part
    ]
    return CpuIdentity(vendor="ARM", part=part, name=names[0] if names else None)


def _from_cpuid(machine: Machine, architecture: Architecture) -> CpuIdentity | None:
    if architecture is not Architecture.X86_64:
        return None
    first = machine.cpuid(0, 0)
    if first is None:
        return None
    last, ebx, ecx, edx = first
    vendor = struct.pack("<III", ebx, edx, ecx).decode("ascii", errors="replace")
    extended = machine.cpuid(0x80000000, 0)
    tables = _cpuid_tables()
    flags = {
        *_set_bits(machine, tables["flags"], last),
        *_set_bits(machine, tables["extension-flags"], extended[0] if extended else 0),
    }
    if not flags:
        return None
    return _x86_64(vendor.rstrip("\0"), flags)


def _set_bits(machine: Machine, calls: list[dict[str, Any]], last: int) -> set[str]:
    """Return the flags in the cpuid leaves up to ``last``."""
    flags = set()
    for call in calls:
        leaf, subleaf = call["input"]["eax"], call["input"]["ecx"]
        registers = machine.cpuid(leaf, subleaf) if leaf <= last else None
        if registers is None:
            continue
        shown = dict(zip(_REGISTERS, registers, strict=True))
        flags |= {
            str(bit["name"])
            for bit in call["bits"]
            if shown[bit["register"]] >> bit["bit"] & 1
        }
    return flags


def _known_targets() -> Any:  # noqa: ANN401  # archspec is untyped
    import archspec.cpu  # 27 ms, only to detect a processor

    return archspec.cpu.TARGETS


def _arm_vendors() -> dict[str, str]:
    import archspec.cpu.schema  # see _known_targets

    return dict(archspec.cpu.schema.TARGETS_JSON["conversions"]["arm_vendors"])


def _darwin_flags() -> dict[str, str]:
    import archspec.cpu.schema  # see _known_targets

    return dict(archspec.cpu.schema.TARGETS_JSON["conversions"]["darwin_flags"])


def _cpuid_tables() -> Any:  # noqa: ANN401  # archspec is untyped
    import archspec.cpu.schema  # see _known_targets

    return archspec.cpu.schema.CPUID_JSON
