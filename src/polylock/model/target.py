"""Targets: the kinds of machine that a project runs on."""

from __future__ import annotations

import enum
from functools import cached_property
from typing import TYPE_CHECKING

from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.model.filenames import WheelFilename
    from polylock.variants.properties import SupportedProperties

    WheelOrder = tuple[int, int, str]

__all__ = [
    "AmdGpu",
    "Architecture",
    "AscendNpu",
    "Cpu",
    "IntelGpu",
    "MachineDescription",
    "NvidiaGpu",
    "OperatingSystem",
    "PythonRelease",
    "Target",
    "TargetDescription",
    "usual_platform",
]

_NEWEST_PATCH = 999
"""Represents the newest patch release of a Python, now or later."""


class OperatingSystem(enum.StrEnum):
    """The operating system of a target."""

    LINUX = "linux"
    MACOS = "macos"
    WINDOWS = "windows"


class Architecture(enum.StrEnum):
    """The processor family of a target."""

    X86_64 = "x86_64"
    AARCH64 = "aarch64"


def usual_platform(platform: str) -> str:
    """Return the usual name of a platform: ``macos-arm64`` for ``macos-aarch64``.

    For display: lock files and cache keys use ``aarch64`` on all systems.
    """
    if platform.startswith(OperatingSystem.LINUX):
        return platform
    return platform.replace(Architecture.AARCH64, "arm64")


class PythonRelease(Value, frozen=True, kw_only=True):
    """The Python of a target: ``3.12``, ``3.12.7``, ``3.13t`` or ``pypy3.11``.

    Without ``patch`` it stands for every patch release of the minor version.
    """

    implementation: str = "cpython"
    major: int
    minor: int
    patch: int | None = None
    free_threaded: bool = False

    def __str__(self) -> str:
        prefix = "" if self.implementation == "cpython" else self.implementation
        patch = "" if self.patch is None else f".{self.patch}"
        threads = "t" if self.free_threaded else ""
        return f"{prefix}{self.major}.{self.minor}{patch}{threads}"

    @property
    def minor_version(self) -> str:
        """Return ``3.12``, the value of the marker ``python_version``."""
        return f"{self.major}.{self.minor}"

    @property
    def newest(self) -> str:
        """Return the newest release that it stands for, to compare with specifiers."""
        patch = _NEWEST_PATCH if self.patch is None else self.patch
        return f"{self.minor_version}.{patch}"


class Cpu(Value, frozen=True, kw_only=True):
    """A processor: an archspec name, or a level, with features added or removed.

    ``level`` is ``v3`` on x86-64 and ``8.4a`` on AArch64; a feature that starts
    with a hyphen is removed.
    """

    microarchitecture: str | None = None
    level: str | None = None
    features: tuple[str, ...] = ()


class NvidiaGpu(Value, frozen=True, kw_only=True):
    """NVIDIA hardware and its driver.

    ``driver`` is the CUDA version that the driver offers, ``13.0``; ``compute`` holds
    the compute capabilities of all GPUs, ``9.0``, empty if there is no GPU.
    """

    driver: str
    compute: tuple[str, ...] = ()


class AmdGpu(Value, frozen=True, kw_only=True):
    """ROCm version ``6.4`` and gfx architectures, the preferred one first."""

    rocm: str
    gfx: tuple[str, ...] = ()


class IntelGpu(Value, frozen=True, kw_only=True):
    """IP versions of the devices, ``20.1.0``, in device order."""

    device_ip: tuple[str, ...]


class AscendNpu(Value, frozen=True, kw_only=True):
    """NPU type ``910b``, driver and CANN version."""

    npu: str
    driver: str | None = None
    cann: str | None = None


class MachineDescription(Value, frozen=True, kw_only=True):
    """A machine, as described by the user or detected.

    ``libc`` is ``glibc-2.28`` or ``musl-1.2`` on Linux and None elsewhere, ``macos``
    the lowest macOS version and None elsewhere. ``properties`` are ordered static
    lists, namespace to feature to values (PEP 850, Providers, step 3).
    """

    system: OperatingSystem
    architecture: Architecture
    libc: str | None = None
    macos: str | None = None
    cpu: Cpu | None = None
    nvidia: NvidiaGpu | None = None
    amd: AmdGpu | None = None
    intel: IntelGpu | None = None
    ascend: AscendNpu | None = None
    tpu: bool = False
    properties: Mapping[str, Mapping[str, tuple[str, ...]]] = field(
        default_factory=dict
    )


class TargetDescription(MachineDescription, frozen=True, kw_only=True):
    """The description of a target, with ``extends`` and ``preset`` applied.

    ``variants`` maps the normalized name of a project to the only label allowed, empty
    for the wheel without a label. ``exclude_variants`` and ``prefer_variants`` replace
    those of the project unless None; ``require_variants`` replaces them project by
    project. So does ``torch_backend``. ``venv`` is the path of its environment, None
    for the usual one.
    """

    name: str
    python: PythonRelease
    runs_on: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    variants: Mapping[str, str] = field(default_factory=dict)
    exclude_variants: tuple[str, ...] | None = None
    prefer_variants: tuple[str, ...] | None = None
    require_variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    torch_backend: str | None = None
    venv: str | None = None


class Target(Value, frozen=True, kw_only=True, eq=False, dict=True):
    """A marker environment, ordered compatibility tags and supported properties.

    ``marker_environment`` lacks the fields that the target does not fix: the patch
    release of its Python unless the description has it, ``platform_release``,
    ``platform_version``. ``tags`` are ordered from the most to the least preferred.
    ``stated`` are the user's lists, ``derived`` those that follow from the description
    of the hardware; ``polylock.variants.authority`` chooses between them for a release.
    """

    description: TargetDescription
    marker_environment: Mapping[str, str]
    tags: tuple[str, ...]
    stated: SupportedProperties
    derived: SupportedProperties

    @property
    def name(self) -> str:
        """Return the name of the target."""
        return self.description.name

    @cached_property
    def _tag_ranks(self) -> dict[str, int]:
        # Reversed, so that the first of equal tags counts.
        return {tag: rank for rank, tag in reversed(tuple(enumerate(self.tags)))}

    def tag_rank(self, filename: WheelFilename) -> int | None:
        """Return the rank of the wheel's best tag, 0 the best, None if incompatible."""
        ranks = self._tag_ranks
        found = [ranks[tag] for tag in filename.tags if tag in ranks]
        return min(found) if found else None

    def wheel_order(self, filename: WheelFilename) -> WheelOrder | None:
        """Return the key by which wheels of one label compare, None if incompatible.

        The highest is the best: by tags, then by build number (binary distribution
        format, "File name convention").
        """
        rank = self.tag_rank(filename)
        return None if rank is None else (-rank, *filename.build_number)
