"""Detection of a machine, as the description of a target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.errors import UsageError
from polylock.model.target import (
    Architecture,
    MachineDescription,
    OperatingSystem,
    PythonRelease,
    TargetDescription,
)
from polylock.providers import amd, ascend, cpu, intel, nvidia, tpu
from polylock.providers.machine import Machine, ask

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["DETECTED_NAME", "DetectedMachine", "detect", "detect_machine"]

DETECTED_NAME = "this-machine"
"""The default name of a detected target."""

_SYSTEMS = {
    "linux": OperatingSystem.LINUX,
    "darwin": OperatingSystem.MACOS,
    "windows": OperatingSystem.WINDOWS,
}
_ARCHITECTURES = {
    "x86_64": Architecture.X86_64,
    "amd64": Architecture.X86_64,
    "aarch64": Architecture.AARCH64,
    "arm64": Architecture.AARCH64,
}
_VERSION = r"([0-9]+)\.([0-9]+)"
_MUSL = r"(?sm)^musl libc.*?^Version ([0-9]+)\.([0-9]+)"


class DetectedMachine(MachineDescription, frozen=True, kw_only=True):
    """A detected machine.

    ``properties`` are those of provider plugins that the user trusts. ``warnings`` are
    sentences on what could not be detected.
    """

    warnings: tuple[str, ...] = ()

    def describe(
        self, python: PythonRelease, *, name: str = DETECTED_NAME
    ) -> TargetDescription:
        """Return the description of this machine with one Python."""
        found = {
            key: getattr(self, key) for key in MachineDescription.__struct_fields__
        }
        return TargetDescription(name=name, python=python, **found)


def detect(python: PythonRelease, machine: Machine) -> TargetDescription:
    """Return the description of this machine with one Python; see detect_machine."""
    return detect_machine(machine).describe(python)


def detect_machine(machine: Machine, *, hardware: bool = True) -> DetectedMachine:
    """Detect a machine; without ``hardware`` only its system and architecture.

    Missing hardware is omitted; hardware that fails to respond is too, with a warning.
    Raises UsageError if no target can name the operating system or the processor.
    """
    system = _SYSTEMS.get(machine.system.lower())
    architecture = _ARCHITECTURES.get(machine.machine.lower())
    if system is None or architecture is None:
        raise UsageError(
            f"this machine is {machine.system or 'an unknown system'} on "
            f"{machine.machine or 'an unknown processor'}, which no target can name",
            "targets name linux, macos or windows, and x86_64 or aarch64",
        )
    warnings: list[str] = []
    warn = warnings.append
    libc = _libc(machine, warn) if system is OperatingSystem.LINUX else None
    macos = _macos(machine) if system is OperatingSystem.MACOS else None
    if not hardware:
        return DetectedMachine(
            system=system, architecture=architecture, libc=libc, macos=macos
        )
    processor = cpu.detect(machine, architecture, warn)
    if processor is None:
        warn(
            "the system reports nothing about the processor: a target without cpu has "
            "the baseline of its architecture"
        )
    return DetectedMachine(
        system=system,
        architecture=architecture,
        libc=libc,
        macos=macos,
        cpu=processor,
        nvidia=nvidia.detect(machine, warn),
        amd=amd.detect(machine, warn),
        intel=intel.detect(machine, warn),
        ascend=ascend.detect(machine, warn),
        tpu=tpu.detect(machine),
        # Evaluated last: the calls above add warnings.
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _libc(machine: Machine, warn: Callable[[str], None]) -> str | None:
    glibc = re.match(_VERSION, machine.glibc_version() or "")
    if glibc is not None:
        return f"glibc-{int(glibc[1])}.{int(glibc[2])}"
    # musl's loader, run without a program, prints its version and fails.
    loader = f"/lib/ld-musl-{machine.machine.lower()}.so.1"
    musl = re.search(_MUSL, ask(machine, warn, loader) or "")
    return None if musl is None else f"musl-{int(musl[1])}.{int(musl[2])}"


def _macos(machine: Machine) -> str | None:
    found = re.match(_VERSION, machine.macos_version() or "")
    return None if found is None else f"{int(found[1])}.{int(found[2])}"
