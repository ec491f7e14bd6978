"""AMD GPUs: the ``amd`` namespace, as amd-variant-provider defines it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.model.target import AmdGpu

if TYPE_CHECKING:
    from polylock.providers.machine import Machine

__all__ = ["MULTI_VALUE", "derive", "detect"]

MULTI_VALUE = ("gfx_arch",)

_VERSION_FILE = "/opt/rocm/.info/version"
_VERSION = re.compile(r"([0-9]+)\.([0-9]+)")
_AGENT = re.compile(r"^\s*Name:\s*(gfx[0-9a-f]+)\s*$", re.MULTILINE)
_LISTED_AGENT = re.compile(r"^\s*(gfx[0-9a-f]+)\s*$", re.MULTILINE)
_CPU_AGENT = "gfx000"


def derive(gpu: AmdGpu) -> dict[str, tuple[str, ...]]:
    """Return the features of the ``amd`` namespace, the most preferred first.

    ROCm makes no promise between versions, so the installed one is the only one.
    """
    lists = {
        "gfx_arch": tuple(dict.fromkeys(gpu.gfx)),
        "rocm_version": (gpu.rocm,) if gpu.rocm else (),
    }
    return {feature: values for feature, values in lists.items() if values}


def detect(machine: Machine) -> AmdGpu | None:
    """Return this machine's ROCm and GPUs; None where ROCm is not installed.

    The GPUs are sorted by name, as the published provider sorts them: the order in
    which they are found says nothing about which is better.
    """
    if machine.system != "Linux":
        return None
    version = _VERSION.match((machine.read_text(_VERSION_FILE) or "").strip())
    if version is None:
        return None
    names = _AGENT.findall(_ask(machine, "rocminfo"))
    if not names:
        names = _LISTED_AGENT.findall(_ask(machine, "rocm_agent_enumerator", "-name"))
    gfx = tuple(sorted(set(names) - {_CPU_AGENT}))
    return AmdGpu(rocm=f"{int(version[1])}.{int(version[2])}", gfx=gfx)


def _ask(machine: Machine, command: str, *arguments: str) -> str:
    """Run a command of ROCm from the path, else from where ROCm is installed."""
    for program in (command, f"/opt/rocm/bin/{command}"):
        answer = machine.run(program, *arguments)
        if answer is not None:
            return answer
    return ""
