"""NVIDIA's management library (NVML), queried by its C functions.

The calls and their order are those of nvidia-variant-provider: initialisation, driver
version, CUDA version, number of GPUs, then handle and compute capability of each GPU.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from polylock.model.target import NvidiaGpu

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ask_nvml"]

_DRIVER_BYTES = 80
_LIBRARY_NOT_FOUND = 12
_FUNCTION_NOT_FOUND = 13
_STATUSES = {
    3: "this system does not support it",
    4: "this user has no permission",
    9: "the driver is not loaded",
    12: "a library of the driver is missing",
    13: "the library is too old",
    15: "the GPU is lost",
    17: "the operating system blocks it",
    18: "library and driver have different versions: reboot after a driver update",
    999: "unknown error",
}
"""NVML's return codes, ``nvmlReturn_t`` in nvml.h."""


class _Failed(Exception):
    """A failed call; the message is a clause."""


def ask_nvml(library: Any, warn: Callable[[str], None]) -> NvidiaGpu | None:  # noqa: ANN401  # a C library
    """Return driver and GPUs from the library; None, with a warning, if it fails.

    A GPU that cannot be opened, such as a lost one, or that reports no compute
    capability has an empty one: it still exists. The published provider fails
    for the former.
    """
    try:
        _check(library.nvmlInitWithFlags(0), "it does not start")
    except (AttributeError, _Failed) as error:
        warn(f"NVIDIA's management library does not answer: {_reason(error)}")
        return None
    try:
        name = ctypes.create_string_buffer(_DRIVER_BYTES)
        status = library.nvmlSystemGetDriverVersion(name, ctypes.c_uint(_DRIVER_BYTES))
        _check(status, "no driver version")
        driver = _cuda_version(library, warn)
        return NvidiaGpu(driver=driver, compute=_capabilities(library, warn))
    except (AttributeError, _Failed) as error:
        warn(f"NVIDIA's management library does not answer: {_reason(error)}")
        return None
    finally:
        _shut_down(library)


def _check(status: int, what: str) -> None:
    if status != 0:
        reason = _STATUSES.get(status, "unknown error")
        raise _Failed(f"{what}: {reason} (code {status})")


def _reason(error: Exception) -> str:
    if isinstance(error, AttributeError):  # a library that lacks a function
        return _STATUSES[_FUNCTION_NOT_FOUND]
    return str(error)


def _shut_down(library: Any) -> None:  # noqa: ANN401  # a C library
    # Its status no longer matters.
    shut_down = getattr(library, "nvmlShutdown", None)
    if shut_down is not None:
        shut_down()


def _cuda_version(library: Any, warn: Callable[[str], None]) -> str:  # noqa: ANN401  # a C library
    """Return the CUDA version that the driver offers.

    The second form of the call asks libcuda. If it fails, the first form is used, as in
    the published provider. That may return a version even without libcuda; then no CUDA
    program runs, which is worth a warning.
    """
    version = ctypes.c_int(0)
    try:
        status = library.nvmlSystemGetCudaDriverVersion_v2(ctypes.byref(version))
    except AttributeError:
        status = _FUNCTION_NOT_FOUND
    if status != 0:
        first = library.nvmlSystemGetCudaDriverVersion(ctypes.byref(version))
        _check(first, "no CUDA version")
        if status == _LIBRARY_NOT_FOUND:
            warn(
                "libcuda is missing, so CUDA programs will not run here; the CUDA "
                "version is that of NVIDIA's management library"
            )
    if version.value <= 0:
        raise _Failed("no CUDA version")
    return f"{version.value // 1000}.{version.value % 1000 // 10}"


def _capabilities(library: Any, warn: Callable[[str], None]) -> tuple[str, ...]:  # noqa: ANN401  # a C library
    """Return the compute capabilities of the GPUs, in NVML's order."""
    count = ctypes.c_uint(0)
    _check(library.nvmlDeviceGetCount_v2(ctypes.byref(count)), "no number of GPUs")
    found = []
    for index in range(count.value):
        device = ctypes.c_void_p()
        status = library.nvmlDeviceGetHandleByIndex_v2(
            ctypes.c_uint(index), ctypes.byref(device)
        )
        if status != 0:
            reason = _STATUSES.get(status, "unknown error")
            warn(f"GPU {index} cannot be opened: {reason} (code {status})")
            found.append("")
            continue
        major, minor = ctypes.c_int(0), ctypes.c_int(0)
        status = library.nvmlDeviceGetCudaComputeCapability(
            device, ctypes.byref(major), ctypes.byref(minor)
        )
        if status == 0:
            found.append(f"{major.value}.{minor.value}")
        else:
            reason = _STATUSES.get(status, "unknown error")
            warn(f"GPU {index} reports no compute capability: {reason} (code {status})")
            found.append("")
    return tuple(found)
