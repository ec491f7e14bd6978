"""NVIDIA GPUs: the ``nvidia`` namespace, as nvidia-variant-provider defines it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from polylock.model.target import NvidiaGpu
from polylock.variants.catalogue import (
    CUDA_MAJORS,
    CUDA_MINORS,
    OLDEST_COMPUTE_MAJOR,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.providers.machine import Machine

__all__ = ["MULTI_VALUE", "derive", "detect", "feature_lists"]

MULTI_VALUE = ("sm_arch",)

_LIBRARIES = {
    # Under WSL the library may lie outside the loader's path.
    "Linux": ("libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"),
    # The system folder; the second is where older drivers put it.
    "Windows": (
        "nvml.dll",
        "C:/Program Files/NVIDIA Corporation/NVSMI/nvml.dll",
    ),
}
_FUNCTION_NOT_FOUND = 13
_CUDA_LINE = re.compile(r"CUDA (?:UMD )?Version\s*:\s*([0-9]+)\.([0-9]+)")
_CAPABILITY = re.compile(r"\s*([0-9]+)\.([0-9]+)\s*")


def derive(gpu: NvidiaGpu) -> dict[str, tuple[str, ...]]:
    """Return the features of the ``nvidia`` namespace, the most preferred first.

    A driver outside 11.0 to 15.20 supports nothing, as with the published provider.
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

    Of several GPUs the one with the highest capability counts, as with the published
    provider; a capability below 5.0 is none. A feature without values is left out.
    """
    lists = {
        "cuda_version_lower_bound": tuple(_at_least(driver)),
        "cuda_version_upper_bound": tuple(_below(driver)),
        "sm_arch": tuple(_architectures(max(compute))) if compute else (),
    }
    return {feature: values for feature, values in lists.items() if values}


def _at_least(driver: tuple[int, int]) -> Iterator[str]:
    """Yield each version that the driver is not older than.

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
    """Yield each version that the driver is older than, the loosest bound first."""
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


def detect(machine: Machine) -> NvidiaGpu | None:
    """Return this machine's driver and GPUs; None without a working driver.

    NVML is asked first, then ``nvidia-smi``. A driver without a GPU is a driver with
    no compute capability; a GPU that does not answer is passed over.
    """
    for name in _LIBRARIES.get(machine.system, ()):
        library = machine.load_library(name)
        if library is not None:
            found = _ask_nvml(library)
            if found is not None:
                return found
    return _ask_nvidia_smi(machine)


def _ask_nvml(library: Any) -> NvidiaGpu | None:  # noqa: ANN401  # a C library
    try:
        if library.nvmlInitWithFlags(0) != 0:
            return None
    except AttributeError:
        return None
    try:
        driver = _nvml_cuda_version(library)
        if driver is None:
            return None
        return NvidiaGpu(driver=driver, compute=tuple(_nvml_capabilities(library)))
    except AttributeError:  # a library without one of the functions is too old
        return None
    finally:
        library.nvmlShutdown()


def _nvml_cuda_version(library: Any) -> str | None:  # noqa: ANN401  # a C library
    import ctypes  # noqa: PLC0415 - 1 ms, where there is a driver

    version = ctypes.c_int(0)
    try:
        status = library.nvmlSystemGetCudaDriverVersion_v2(ctypes.byref(version))
    except AttributeError:
        status = _FUNCTION_NOT_FOUND
    if status == _FUNCTION_NOT_FOUND:
        # The first form may name a version although libcuda is missing, so it is
        # asked only of a driver too old to have the second.
        status = library.nvmlSystemGetCudaDriverVersion(ctypes.byref(version))
    if status != 0 or version.value <= 0:
        return None
    return f"{version.value // 1000}.{version.value % 1000 // 10}"


def _nvml_capabilities(library: Any) -> Iterator[str]:  # noqa: ANN401  # a C library
    import ctypes  # noqa: PLC0415 - as above

    count = ctypes.c_uint(0)
    if library.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
        return
    for index in range(count.value):
        device = ctypes.c_void_p()
        status = library.nvmlDeviceGetHandleByIndex_v2(
            ctypes.c_uint(index), ctypes.byref(device)
        )
        major, minor = ctypes.c_int(0), ctypes.c_int(0)
        if status == 0:
            status = library.nvmlDeviceGetCudaComputeCapability(
                device, ctypes.byref(major), ctypes.byref(minor)
            )
        if status == 0:
            yield f"{major.value}.{minor.value}"


def _ask_nvidia_smi(machine: Machine) -> NvidiaGpu | None:
    report = machine.run("nvidia-smi", "-q")
    line = _CUDA_LINE.search(report) if report else None
    if line is None:
        return None
    answer = machine.run(
        "nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"
    )
    found = (_CAPABILITY.fullmatch(text) for text in (answer or "").splitlines())
    return NvidiaGpu(
        driver=f"{int(line[1])}.{int(line[2])}",
        compute=tuple(f"{int(gpu[1])}.{int(gpu[2])}" for gpu in found if gpu),
    )


def _pair(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor or 0)
