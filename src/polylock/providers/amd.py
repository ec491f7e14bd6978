"""AMD GPUs: the ``amd`` namespace, as amd-variant-provider defines it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.model.target import AmdGpu
from polylock.providers.machine import Machine, ask, ignore

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["MULTI_VALUE", "derive", "detect"]

MULTI_VALUE = ("gfx_arch",)

_ROOT = "/opt/rocm"
_VERSION = r"([0-9]+)\.([0-9]+)"
_AGENT = r"(?m)^\s*Name:\s*(gfx[0-9a-f]+)(?::\S*)?\s*$"
_LISTED_AGENT = r"(?m)^\s*(gfx[0-9a-f]+)\s*$"
_CPU_AGENT = "gfx000"


def derive(gpu: AmdGpu) -> dict[str, tuple[str, ...]]:
    """Return the features of the ``amd`` namespace, the most preferred first.

    ROCm versions are not compatible, so only the installed one is supported.
    """
    lists = {
        "gfx_arch": tuple(dict.fromkeys(gpu.gfx)),
        "rocm_version": (gpu.rocm,) if gpu.rocm else (),
    }
    return {feature: values for feature, values in lists.items() if values}


def detect(machine: Machine, warn: Callable[[str], None] = ignore) -> AmdGpu | None:
    """Return the ROCm version and GPUs of a machine; None if either is missing.

    The GPUs are sorted by name, as by the published provider: the order in which they
    are found is not one of preference.
    """
    if machine.system != "Linux":
        return None
    roots = _roots(machine)
    version = _rocm_version(machine, roots)
    problems: list[str] = []
    gfx = _gpus(machine, roots, problems.append)
    if version is None and not gfx:
        return None
    for problem in problems:
        warn(problem)
    if version is None:
        warn(
            f"there is an AMD GPU ({', '.join(gfx)}), but no version of ROCm in "
            f"{' or '.join(roots)}: set ROCM_PATH"
        )
        return None
    if not gfx:
        warn(f"ROCm {version} is installed, but shows no GPU: it is ignored")
        return None
    if len(gfx) > 1:
        shown = ", ".join(gfx)
        warn(f"the AMD GPUs differ ({shown}): write the preferred one first")
    return AmdGpu(rocm=version, gfx=gfx)


def _roots(machine: Machine) -> tuple[str, ...]:
    """Return the directories to search for ROCm, in order."""
    named = machine.variables.get("ROCM_PATH")
    return tuple(dict.fromkeys((*([named] if named else []), _ROOT)))


def _rocm_version(machine: Machine, roots: tuple[str, ...]) -> str | None:
    for root in roots:
        text = machine.read_text(f"{root}/.info/version") or ""
        version = re.match(_VERSION, text.strip())
        if version is not None:
            return f"{int(version[1])}.{int(version[2])}"
    return None


def _gpus(
    machine: Machine, roots: tuple[str, ...], warn: Callable[[str], None]
) -> tuple[str, ...]:
    """Return the GPUs that rocminfo lists, or else rocm_agent_enumerator.

    The published provider uses the output of rocminfo only if it knows each GPU in it,
    and otherwise that of rocm_agent_enumerator, which lists the same ones. Here the
    result does not depend on which tool is installed.
    """
    places = ("", *(f"{root}/bin/" for root in roots))
    programs = [f"{place}rocminfo" for place in places]
    report = ask(machine, warn, programs) or ""
    names = re.findall(_AGENT, report)
    if not names:
        programs = [f"{place}rocm_agent_enumerator" for place in places]
        names = re.findall(_LISTED_AGENT, ask(machine, warn, programs, "-name") or "")
    found = tuple(sorted(set(names) - {_CPU_AGENT}))
    if report and not found:
        if "/dev/kfd" in report:
            warn(
                "/dev/kfd is missing or not accessible to this user: join the groups "
                "render and video, or start the container with --device=/dev/kfd"
            )
        elif "NOT loaded" in report:
            warn("the kernel driver of AMD's GPUs (amdgpu) is not loaded")
    return found
