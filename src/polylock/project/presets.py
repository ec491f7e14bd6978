"""Machines by name: raw target tables, and where their facts come from.

A preset names no Python. A GPU preset states the CUDA or ROCm version of a driver of
its time, which is software: whoever runs another one overrides it in the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.project.preset import Preset
from polylock.project.preset_clouds import CLOUDS
from polylock.project.preset_hardware import HARDWARE
from polylock.project.preset_runners import RUNNERS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PRESETS", "Preset"]

_LEVELS = "x86-64 psABI, micro-architecture levels"

_GENERIC = {
    "linux-x86_64": Preset(
        {"platform": "linux-x86_64", "libc": "glibc-2.28"},
        "manylinux_2_28, the floor of most published wheels",
    ),
    "linux-x86_64-v2": Preset(
        {"platform": "linux-x86_64", "libc": "glibc-2.28", "cpu": "x86-64-v2"}, _LEVELS
    ),
    "linux-x86_64-v3": Preset(
        {"platform": "linux-x86_64", "libc": "glibc-2.28", "cpu": "x86-64-v3"}, _LEVELS
    ),
    "linux-x86_64-v4": Preset(
        {"platform": "linux-x86_64", "libc": "glibc-2.28", "cpu": "x86-64-v4"}, _LEVELS
    ),
    "linux-aarch64": Preset(
        {"platform": "linux-aarch64", "libc": "glibc-2.28"},
        "manylinux_2_28, the floor of most published wheels",
    ),
    "linux-x86_64-musl": Preset(
        {"platform": "linux-x86_64", "libc": "musl-1.2"}, "Alpine 3.13 and later"
    ),
    "linux-aarch64-musl": Preset(
        {"platform": "linux-aarch64", "libc": "musl-1.2"}, "Alpine 3.13 and later"
    ),
    "macos-arm64": Preset(
        {"platform": "macos-arm64", "macos": "13.0"},
        "the oldest macOS that current scientific wheels support",
    ),
    "macos-x86_64": Preset(
        {"platform": "macos-x86_64", "macos": "13.0"},
        "the oldest macOS that current scientific wheels support",
    ),
    "windows-x86_64": Preset({"platform": "windows-x86_64"}, "CPython's installers"),
    "windows-arm64": Preset({"platform": "windows-arm64"}, "CPython's installers"),
}

PRESETS: Mapping[str, Preset] = {**_GENERIC, **HARDWARE, **CLOUDS, **RUNNERS}
"""Presets by name, generic ones first."""
