"""Recorded machines, from the files of ``tests/data/machines``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakes.machine import FakeLevelZero, FakeMachine, FakeNvml

__all__ = ["CapturedMachine", "captured_machines"]

DIRECTORY = Path(__file__).parents[1] / "data" / "machines"


@dataclass(frozen=True, slots=True)
class CapturedMachine:
    """One file: its origin, the machine, and what should be detected."""

    name: str
    data: dict[str, Any]

    @property
    def expected(self) -> dict[str, Any]:
        """Return the keys of the target that it is, without its Python."""
        return dict(self.data["expected"])

    @property
    def warnings(self) -> list[str]:
        """Return a part of each warning, in order."""
        return list(self.data.get("warnings", []))

    def machine(self) -> FakeMachine:
        """Return the machine with the recorded answers."""
        data = self.data
        libraries: dict[str, Any] = {}
        if nvml := data.get("nvml"):
            capabilities = [tuple(pair) if pair else None for pair in nvml["compute"]]
            libraries[nvml["library"]] = FakeNvml(
                nvml["version"], capabilities, **nvml.get("statuses", {})
            )
        if level_zero := data.get("level-zero"):
            libraries[level_zero["library"]] = FakeLevelZero(
                level_zero["drivers"], old=level_zero.get("old", False)
            )
        return FakeMachine(
            system=data["system"],
            machine=data["machine"],
            variables=data.get("variables", {}),
            files=data.get("files", {}),
            commands=data.get("commands", {}),
            hanging=data.get("hanging", ()),
            libraries=libraries,
            registers={
                (leaf, subleaf): (eax, ebx, ecx, edx)
                for leaf, subleaf, eax, ebx, ecx, edx in data.get("cpuid", ())
            },
            glibc=data.get("glibc"),
            macos=data.get("macos"),
        )


def captured_machines() -> list[CapturedMachine]:
    """Return all of them, by name."""
    return [
        CapturedMachine(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted(DIRECTORY.glob("*.toml"))
    ]
