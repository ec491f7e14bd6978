"""AMD GPUs: the ``amd`` namespace, as amd-variant-provider defines it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.model.target import AmdGpu
from polylock.providers.machine import ask, ignore

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylock.providers.machine import Machine

__all__ = ["MULTI_VALUE", "derive", "detect"]

MULTI_VALUE = ("gfx_arch",)

_ROOT = "/opt/rocm"
_VERSION = re.compile(r"([0-9]+)\.([0-9]+)")
_AGENT = re.compile(r"^\s*Name:\s*(gfx[0-9a-f]+)(?::\S*)?\s*$", re.MULTILINE)
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


def detect(machine: Machine, warn: Callable[[str], None] = ignore) -> AmdGpu | None:
    """Return this machine's ROCm and GPUs; None where either is missing.

    The GPUs are sorted by name, as the published provider sorts them: the order in
    which they are found says nothing about which is better.
    """
    if machine.system != "Linux":
        return None
    roots = _roots(machine)
    version = _rocm_version(machine, roots)
    hindrances: list[str] = []
    gfx = _gpus(machine, roots, hindrances.append)
    if version is None and not gfx:
        return None
    for hindrance in hindrances:
        warn(hindrance)
    if version is None:
        warn(
            f"an AMD GPU ({', '.join(gfx)}) answers, but no ROCm says its version in "
            f"{' or '.join(roots)}: set ROCM_PATH"
        )
        return None
    if not gfx:
        warn(f"ROCm {version} is installed and shows no GPU: it is left out")
        return None
    if len(gfx) > 1:
        shown = ", ".join(gfx)
        warn(f"the AMD GPUs differ ({shown}): write the preferred one first")
    return AmdGpu(rocm=version, gfx=gfx)


def _roots(machine: Machine) -> tuple[str, ...]:
    """Return where ROCm may be installed, the likeliest first."""
    named = machine.variables.get("ROCM_PATH")
    return tuple(dict.fromkeys((*([named] if named else []), _ROOT)))


def _rocm_version(machine: Machine, roots: tuple[str, ...]) -> str | None:
    for root in roots:
        text = machine.read_text(f"{root}/.info/version") or ""
        version = _VERSION.match(text.strip())
        if version is not None:
            return f"{int(version[1])}.{int(version[2])}"
    return None


def _gpus(
    machine: Machine, roots: tuple[str, ...], warn: Callable[[str], None]
) -> tuple[str, ...]:
    """Return the GPUs that either tool of ROCm names.

    The published provider takes the answer of rocminfo only where it knows each GPU in
    it, and else that of rocm_agent_enumerator, which names the same ones. Here the
    answer does not depend on which of them is installed.
    """
    places = ("", *(f"{root}/bin/" for root in roots))
    programs = [f"{place}rocminfo" for place in places]
    report = ask(machine, warn, programs) or ""
    names = _AGENT.findall(report)
    if not names:
        programs = [f"{place}rocm_agent_enumerator" for place in places]
        names = _LISTED_AGENT.findall(ask(machine, warn, programs, "-name") or "")
    found = tuple(sorted(set(names) - {_CPU_AGENT}))
    if report and not found:
        if "/dev/kfd" in report:
            warn(
                "this user may not open /dev/kfd, or it is missing: join the groups "
                "render and video, or start the container with --device=/dev/kfd"
            )
        elif "NOT loaded" in report:
            warn("the kernel driver of AMD's GPUs (amdgpu) is not loaded")
    return found
