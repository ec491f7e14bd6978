"""Marker environment and compatibility tags of machines other than this one.

packaging knows the order of tags for every interpreter and for macOS, but its Linux
tags inspect the running interpreter. So the Linux platforms are listed here, in the
order in which packaging lists them on such a host; the rest comes from packaging's
public functions with every argument given.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from packaging import tags

from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    TargetDescription,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = [
    "DEFAULT_LIBC",
    "DEFAULT_MACOS",
    "compatibility_tags",
    "marker_environment",
    "platform_tags",
]

DEFAULT_LIBC = "glibc-2.28"
"""The default C library of a Linux target: RHEL 8, Debian 10 and later."""

DEFAULT_MACOS = "14.0"
"""The default macOS of a target: scientific wheels now require 14."""

_OLDEST_GLIBC = {Architecture.X86_64: 5, Architecture.AARCH64: 17}
_LAST_GLIBC_MINOR = 50  # packaging's guess for a glibc 2 before a later major version
_LEGACY_MANYLINUX = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_PYPY_ABI = "pp73"  # the ABI of PyPy 7.3, unchanged since 2019

_SYSTEM_MARKERS = {
    OperatingSystem.LINUX: ("posix", "linux", "Linux"),
    OperatingSystem.MACOS: ("posix", "darwin", "Darwin"),
    OperatingSystem.WINDOWS: ("nt", "win32", "Windows"),
}
_MACHINES = {
    (OperatingSystem.MACOS, Architecture.AARCH64): "arm64",
    (OperatingSystem.WINDOWS, Architecture.AARCH64): "ARM64",
    (OperatingSystem.WINDOWS, Architecture.X86_64): "AMD64",
}
_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy"}


def marker_environment(description: TargetDescription) -> dict[str, str]:
    """Return the environment markers that the description fixes (PEP 508).

    The patch release of Python is fixed only if the description has it, and PyPy's own
    version not even then; ``platform_release`` and ``platform_version`` never are.
    """
    python = description.python
    os_name, sys_platform, platform_system = _SYSTEM_MARKERS[description.system]
    environment = {
        "implementation_name": python.implementation,
        "os_name": os_name,
        "platform_machine": _machine(description),
        "platform_python_implementation": _IMPLEMENTATIONS[python.implementation],
        "platform_system": platform_system,
        "python_version": python.minor_version,
        "sys_platform": sys_platform,
    }
    if python.patch is not None:
        full = f"{python.minor_version}.{python.patch}"
        environment["python_full_version"] = full
        if python.implementation == "cpython":
            environment["implementation_version"] = full
    return environment


def compatibility_tags(description: TargetDescription) -> tuple[str, ...]:
    """Return the compatibility tags, the most preferred first."""
    return _interpreter_tags(description.python, platform_tags(description))


def platform_tags(description: TargetDescription) -> tuple[str, ...]:
    """Return the platform tags, the most preferred first."""
    match description.system:
        case OperatingSystem.LINUX:
            libc = description.libc or DEFAULT_LIBC
            return tuple(_linux_platforms(libc, description.architecture))
        case OperatingSystem.MACOS:
            macos = description.macos or DEFAULT_MACOS
            major, _, minor = macos.partition(".")
            version = (int(major), int(minor or 0))
            return tuple(tags.mac_platforms(version, _machine(description)))
        case OperatingSystem.WINDOWS:
            return (f"win_{_machine(description).lower()}",)


@lru_cache(maxsize=64)
def _interpreter_tags(
    python: PythonRelease, platforms: tuple[str, ...]
) -> tuple[str, ...]:
    version = (python.major, python.minor)
    number = f"{python.major}{python.minor}"
    found: Iterator[tags.Tag]
    if python.implementation == "pypy":
        abi = f"pypy{number}_{_PYPY_ABI}"
        found = tags.generic_tags(f"pp{number}", [abi], platforms)
        interpreter = f"pp{python.major}"
    else:
        threads = "t" if python.free_threaded else ""
        found = tags.cpython_tags(version, [f"cp{number}{threads}"], platforms)
        interpreter = f"cp{number}"
    compatible = tags.compatible_tags(version, interpreter, platforms)
    return tuple(dict.fromkeys(str(tag) for tag in (*found, *compatible)))


def _machine(description: TargetDescription) -> str:
    key = (description.system, description.architecture)
    return _MACHINES.get(key, description.architecture.value)


def _linux_platforms(libc: str, architecture: Architecture) -> Iterator[str]:
    yield f"linux_{architecture}"
    family, _, version = libc.partition("-")
    major, minor = (int(part) for part in version.split("."))
    if family == "musl":
        for older in range(minor, -1, -1):
            yield f"musllinux_{major}_{older}_{architecture}"
        return
    for glibc_major in range(major, 1, -1):
        newest = minor if glibc_major == major else _LAST_GLIBC_MINOR
        oldest = _OLDEST_GLIBC[architecture] if glibc_major == 2 else 0
        for older in range(newest, oldest - 1, -1):
            yield f"manylinux_{glibc_major}_{older}_{architecture}"
            if glibc_major == 2 and older in _LEGACY_MANYLINUX:
                yield f"{_LEGACY_MANYLINUX[older]}_{architecture}"
