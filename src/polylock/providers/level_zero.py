"""Intel's Level Zero library: the IP versions of GPUs, by its C functions.

Calls and structures are those of the Level Zero specification, ``ze_api.h``, with the
extension ``ZE_extension_device_ip_version``; their order is intel-variant-provider's.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DeviceProperties", "IpVersion", "ask_level_zero", "decode_ip_version"]

_GPU_ONLY = 1
_STRUCTURE_DEVICE_PROPERTIES = 0x3
_STRUCTURE_INIT_DRIVERS = 0x20021
_STRUCTURE_IP_VERSION = 0x1000F
_MOST_HANDLES = 1024
_STATUSES = {
    0x70000001: "the device is lost",
    0x70010000: "this user has no permission",
    0x70020000: "a dependency is missing",
    0x78000001: "it has no driver",
    0x78000002: "this version does not support it",
    0x78000003: "this system does not support it",
}
"""Level Zero's result codes, ``ze_result_t``."""


class DriverType(ctypes.Structure):
    """``ze_init_driver_type_desc_t``: the drivers to start."""

    _fields_ = [  # type: ignore[mutable-override]  # as ctypes is used
        ("stype", ctypes.c_uint32),
        ("next", ctypes.c_void_p),
        ("flags", ctypes.c_uint32),
    ]


class IpVersion(ctypes.Structure):
    """``ze_device_ip_version_ext_t``: the IP version of a device."""

    _fields_ = [  # type: ignore[mutable-override]  # as ctypes is used
        ("stype", ctypes.c_uint32),
        ("next", ctypes.c_void_p),
        ("ip_version", ctypes.c_uint32),
    ]


class DeviceProperties(ctypes.Structure):
    """``ze_device_properties_t``; most fields are unused."""

    _fields_ = [  # type: ignore[mutable-override]  # as ctypes is used
        ("stype", ctypes.c_uint32),
        ("next", ctypes.c_void_p),
        ("type", ctypes.c_uint32),
        ("vendor_id", ctypes.c_uint32),
        ("device_id", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("subdevice_id", ctypes.c_uint32),
        ("core_clock_rate", ctypes.c_uint32),
        ("max_allocation", ctypes.c_uint64),
        ("max_hardware_contexts", ctypes.c_uint32),
        ("max_queue_priority", ctypes.c_uint32),
        ("threads_per_unit", ctypes.c_uint32),
        ("simd_width", ctypes.c_uint32),
        ("units_per_subslice", ctypes.c_uint32),
        ("subslices_per_slice", ctypes.c_uint32),
        ("slices", ctypes.c_uint32),
        ("timer_resolution", ctypes.c_uint64),
        ("timestamp_bits", ctypes.c_uint32),
        ("kernel_timestamp_bits", ctypes.c_uint32),
        ("uuid", ctypes.c_uint8 * 16),
        ("name", ctypes.c_char * 256),
    ]


class _Failed(Exception):
    """A failed call; the message is a clause."""


def decode_ip_version(version: int) -> str:
    """Return ``architecture.release.revision``: bits 22 and up, 14 to 21, 0 to 5."""
    return f"{version >> 22}.{version >> 14 & 0xFF}.{version & 0x3F}"


def ask_level_zero(library: Any, warn: Callable[[str], None]) -> tuple[str, ...]:  # noqa: ANN401  # a C library
    """Return the IP version of each GPU, in device order; empty after a failure."""
    try:
        return tuple(
            _ip_version(library, device)
            for driver in _drivers(library)
            for device in _handles(library.zeDeviceGet, driver)
        )
    except AttributeError:  # a library that lacks a function
        warn("Intel's Level Zero does not answer: the library is too old")
    except _Failed as error:
        warn(f"Intel's Level Zero does not answer: {error}")
    return ()


def _check(result: int) -> None:
    result &= 0xFFFFFFFF
    if result != 0:
        raise _Failed(f"{_STATUSES.get(result, 'unknown error')} (code {result:#x})")


def _drivers(library: Any) -> list[ctypes.c_void_p]:  # noqa: ANN401  # a C library
    """Start the drivers of GPUs; versions before 1.10 use another call."""
    start = getattr(library, "zeInitDrivers", None)
    if start is None:
        _check(library.zeInit(ctypes.c_uint32(_GPU_ONLY)))
        return _handles(library.zeDriverGet)
    wanted = DriverType(stype=_STRUCTURE_INIT_DRIVERS, flags=_GPU_ONLY)

    def get(count: Any, handles: Any) -> int:  # noqa: ANN401  # C pointers
        return int(start(count, handles, ctypes.byref(wanted)))

    return _handles(get)


def _handles(
    get: Callable[..., int], *before: ctypes.c_void_p
) -> list[ctypes.c_void_p]:
    """Return the handles that a function lists; it is called for their count first."""
    count = ctypes.c_uint32(0)
    _check(get(*before, ctypes.byref(count), None))
    if not 0 < count.value <= _MOST_HANDLES:
        return []
    handles = (ctypes.c_void_p * count.value)()
    _check(get(*before, ctypes.byref(count), handles))
    return [ctypes.c_void_p(handle) for handle in handles[: count.value]]


def _ip_version(library: Any, device: ctypes.c_void_p) -> str:  # noqa: ANN401  # a C library
    version = IpVersion(stype=_STRUCTURE_IP_VERSION)
    properties = DeviceProperties(
        stype=_STRUCTURE_DEVICE_PROPERTIES, next=ctypes.addressof(version)
    )
    _check(library.zeDeviceGetProperties(device, ctypes.byref(properties)))
    return decode_ip_version(version.ip_version)
