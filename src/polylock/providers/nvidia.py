"""NVIDIA GPUs: the ``nvidia`` namespace, as nvidia-variant-provider defines it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from polylock.model.target import NvidiaGpu
from polylock.providers.machine import Machine, ask, ignore
from polylock.variants.catalogue import (
    CUDA_MAJORS,
    CUDA_MINORS,
    OLDEST_COMPUTE_MAJOR,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


__all__ = ["MULTI_VALUE", "derive", "detect", "feature_lists"]

MULTI_VALUE = ("sm_arch",)

SILENT = ""
"""Stands in ``compute``, while a machine is asked, for a GPU that reports none."""

_CUDA_LINE = r"CUDA (?:UMD )?Version\s*:\s*([0-9]+)\.([0-9]+)"
_ATTACHED = r"Attached GPUs\s*:\s*([0-9]{1,3})"
_CAPABILITY = r"\s*([0-9]+)\.([0-9]+)\s*"
_SMI_PROGRAMS = ("nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi")
_QUOTED_CHARACTERS = 120
_KERNEL_FILE = "/proc/driver/nvidia/version"
_KERNEL_DRIVER = r"Kernel Module[^0-9]*(?:for \S+\s+)?([0-9]+(?:\.[0-9]+)+)"
_BOARD_FILE = "/proc/device-tree/model"
_WSL_DEVICE = "dxg"


def derive(gpu: NvidiaGpu) -> dict[str, tuple[str, ...]]:
    """Return the features of the ``nvidia`` namespace, the most preferred first.

    A driver outside 11.0 to 15.20 supports nothing, as in the published provider.
    """
    driver = _pair(gpu.driver)
    oldest, newest = (CUDA_MAJORS[-1], 0), (CUDA_MAJORS[0], CUDA_MINORS[0])
    if not oldest <= driver <= newest:
        return {}
    return feature_lists(driver, [_pair(compute) for compute in gpu.compute])


def feature_lists(
    driver: tuple[int, int], compute: list[tuple[int, int]]
) -> dict[str, tuple[str, ...]]:
    """Return the lists for a driver's CUDA version and all compute capabilities.

    Of several GPUs the highest capability counts, as in the published provider; one
    below 5.0 is ignored. A feature without values is omitted.
    """
    lists = {
        "cuda_version_lower_bound": tuple(_at_least(driver)),
        "cuda_version_upper_bound": tuple(_below(driver)),
        "sm_arch": tuple(_architectures(max(compute))) if compute else (),
    }
    return {feature: values for feature, values in lists.items() if values}


def _at_least(driver: tuple[int, int]) -> Iterator[str]:
    """Yield each version up to the driver's, the newest first.

    A bare major version comes after its ``.0``.
    """
    major, minor = driver
    if major >= CUDA_MAJORS[-1]:
        yield from (f"{major}.{older}" for older in range(minor, -1, -1))
        yield str(major)
    for older_major in CUDA_MAJORS:
        if older_major < major:
            yield from (f"{older_major}.{older}" for older in CUDA_MINORS)
            yield str(older_major)


def _below(driver: tuple[int, int]) -> Iterator[str]:
    """Yield each version above the driver's, the loosest bound first."""
    major, minor = driver
    for newer_major in CUDA_MAJORS:
        if newer_major > major:
            yield from (f"{newer_major}.{newer}" for newer in CUDA_MINORS)
            yield str(newer_major)
    if major <= CUDA_MAJORS[0]:
        yield from (f"{major}.{newer}" for newer in CUDA_MINORS if newer > minor)


def _architectures(capability: tuple[int, int]) -> Iterator[str]:
    """Yield the real architectures of this major version, then its virtual one."""
    major, minor = capability
    if major >= OLDEST_COMPUTE_MAJOR:
        yield from (f"{major}{older}_real" for older in range(minor, -1, -1))
        yield f"{major}0_virtual"


def detect(machine: Machine, warn: Callable[[str], None] = ignore) -> NvidiaGpu | None:
    """Return the driver and GPUs of a machine; None without a usable driver.

    NVML is queried first, then ``nvidia-smi``. Without a GPU there are no compute
    capabilities. MIG instances appear as their parent GPU, which has the same
    capability. Each capability is listed once, in the order of the GPUs.
    """
    problems: list[str] = []
    found = _ask_libraries(machine, problems.append)
    if found is None:
        found = _ask_nvidia_smi(machine, problems.append)
        if found is None:
            _explain(machine, problems, warn)
            return None
    for problem in problems:
        warn(problem)
    silent = found.compute.count(SILENT)
    if silent:
        gpus = "a GPU did" if silent == 1 else f"{silent} GPUs did"
        warn(
            f"{gpus} not report a compute capability: if wheels are to use it, add it "
            "to compute, as NVIDIA's list of GPUs has it"
        )
    reported = (each for each in found.compute if each != SILENT)
    found = NvidiaGpu(driver=found.driver, compute=tuple(dict.fromkeys(reported)))
    return _usable(found, warn, silent=silent)


def _ask_libraries(machine: Machine, warn: Callable[[str], None]) -> NvidiaGpu | None:
    for name in _libraries(machine):
        library = machine.load_library(name)
        if library is None:
            continue
        from polylock.providers.nvml import ask_nvml  # noqa: PLC0415 - 2 ms with ctypes

        found = ask_nvml(library, warn)
        if found is not None:
            return found
    return None


def _libraries(machine: Machine) -> tuple[str, ...]:
    """Return the paths to search for NVML, in order."""
    if machine.system == "Linux":
        # Under WSL the library may be outside the loader's path.
        return "libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"
    if machine.system == "Windows":
        windows = machine.variables.get("WINDIR") or "C:/Windows"
        programs = machine.variables.get("PROGRAMFILES") or "C:/Program Files"
        # The system folder, and the folder of older drivers.
        return (
            f"{windows}/System32/nvml.dll",
            f"{programs}/NVIDIA Corporation/NVSMI/nvml.dll",
        )
    return ()


def _ask_nvidia_smi(machine: Machine, warn: Callable[[str], None]) -> NvidiaGpu | None:
    report = ask(machine, warn, _SMI_PROGRAMS, "-q")
    if report is None:
        return None
    line = re.search(_CUDA_LINE, report)
    if line is None:
        words = " ".join(report.split())[:_QUOTED_CHARACTERS]
        plain = "".join(c if c.isprintable() else "?" for c in words)
        warn(f"nvidia-smi reports no CUDA version; its output: {plain or 'none'}")
        return None
    query = ("--query-gpu=compute_cap", "--format=csv,noheader")
    # Drivers before 470 do not know the field, and a lost GPU fails the query.
    answer = ask(machine, warn, _SMI_PROGRAMS, *query) or ""
    found = (re.fullmatch(_CAPABILITY, text) for text in answer.splitlines())
    compute = [f"{int(gpu[1])}.{int(gpu[2])}" for gpu in found if gpu]
    attached = re.search(_ATTACHED, report)
    if attached is not None:
        compute += [SILENT] * (int(attached[1]) - len(compute))
    return NvidiaGpu(driver=f"{int(line[1])}.{int(line[2])}", compute=tuple(compute))


def _usable(
    gpu: NvidiaGpu, warn: Callable[[str], None], *, silent: int
) -> NvidiaGpu | None:
    """Return the part that targets support, with warnings about the rest.

    ``silent`` is the number of GPUs that reported no compute capability.
    """
    oldest, newest = (CUDA_MAJORS[-1], 0), (CUDA_MAJORS[0], CUDA_MINORS[0])
    if not oldest <= _pair(gpu.driver) <= newest:
        warn(
            f"the NVIDIA driver offers CUDA {gpu.driver}, but variants support 11.0 to "
            "15.20: it is ignored"
        )
        return None
    if not gpu.compute and not silent:
        warn(
            f"the NVIDIA driver (CUDA {gpu.driver}) shows no GPU: wheels that need "
            "an architecture will not be chosen"
        )
    elif len(gpu.compute) > 1:
        warn(_difference(gpu.compute))
    if gpu.compute and _pair(max(gpu.compute, key=_pair))[0] < OLDEST_COMPUTE_MAJOR:
        warn(
            f"compute capability {', '.join(gpu.compute)} is below 5.0, for which "
            "variants have no architecture"
        )
    return gpu


def _difference(compute: tuple[str, ...]) -> str:
    """Return the warning for GPUs of several compute capabilities.

    Code for an architecture runs on later GPUs of the same major version, never on
    those of another one (CUDA C++ Programming Guide, "Binary Compatibility").
    """
    ordered = sorted(compute, key=_pair)
    lowest, highest = ordered[0], ordered[-1]
    majors = {_pair(each)[0]: each for each in reversed(ordered)}
    shown = f"the GPUs differ (compute capability {', '.join(compute)})"
    if len(majors) == 1:
        return (
            f"{shown}, and wheels are chosen for the highest: for wheels that run on "
            f'each, write compute = ["{lowest}"]'
        )
    others = " and ".join(
        f'one with compute = ["{each}"]'
        for major, each in sorted(majors.items())
        if major != _pair(highest)[0]
    )
    return (
        f"{shown}, and code for one major version does not run on another: wheels are "
        f"chosen for {highest}. For the other GPUs declare further targets, {others}, "
        "and set CUDA_VISIBLE_DEVICES to run in the environment of each"
    )


def _explain(
    machine: Machine, problems: list[str], warn: Callable[[str], None]
) -> None:
    """Warn if there are signs of a GPU, but none was detected."""
    kernel = re.search(_KERNEL_DRIVER, machine.read_text(_KERNEL_FILE) or "")
    model = (machine.read_text(_BOARD_FILE) or "").strip("\0\n ")
    if "Jetson" in model or model.startswith("NVIDIA"):
        warn(
            f"this is a {model}, whose system has no NVML: "
            "choose a Jetson target from `polylock targets presets`"
        )
        return
    for problem in problems:
        warn(problem)
    if kernel is not None and not problems:
        warn(
            f"the kernel has NVIDIA's driver {kernel[1]}, but neither its management "
            "library nor nvidia-smi was found: a container needs to be started with "
            "GPUs (--gpus all)"
        )
    elif _WSL_DEVICE in machine.list_names("/dev") and not problems:
        warn(
            "Windows provides a GPU to WSL, but NVIDIA's driver shows none: if it is "
            "an NVIDIA GPU, update the driver in Windows"
        )


def _pair(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor or 0)
