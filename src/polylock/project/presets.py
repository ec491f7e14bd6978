"""Machines by name: raw target tables, and where their facts come from.

A preset names no Python. A GPU preset states the CUDA or ROCm version of a driver of
its time, which is software: whoever runs another one overrides it in the target. Its
processor is the weakest that such machines are sold with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PRESETS", "Preset"]


@dataclass(frozen=True, slots=True)
class Preset:
    """A target table as ``[tool.polylock.targets.NAME]`` would hold it.

    ``source`` says where the facts come from.
    """

    table: Mapping[str, Any]
    source: str


_LEVELS = "x86-64 psABI, micro-architecture levels"
_CUDA_GPUS = "NVIDIA's table of CUDA GPUs and their compute capability"
_DRIVER = "driver branch R570 offers CUDA 12.8"
_ARCHSPEC = "archspec's table of processors"
_GITHUB = "GitHub's list of hosted runners and runner-images"
_GITLAB = "GitLab's documentation of hosted runners"


def _nvidia(driver: str, compute: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # TOML values
    return {
        "platform": "linux-x86_64",
        "cpu": "x86-64-v3",
        "nvidia": {"driver": driver, "compute": [compute]},
        **more,
    }


def _apple(name: str, macos: str) -> Preset:
    return Preset(
        {"platform": "macos-arm64", "macos": macos, "cpu": name},
        f"{_ARCHSPEC}; macOS {macos} is the first on an {name.upper()} Mac",
    )


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

_NVIDIA = {
    "t4": Preset(_nvidia("12.8", "7.5"), f"{_CUDA_GPUS}; {_DRIVER}"),
    "v100": Preset(_nvidia("12.8", "7.0"), f"{_CUDA_GPUS}; {_DRIVER}"),
    "a100": Preset(_nvidia("12.8", "8.0"), f"{_CUDA_GPUS}; {_DRIVER}"),
    "a10": Preset(_nvidia("12.8", "8.6"), f"{_CUDA_GPUS}; {_DRIVER}"),
    "l4": Preset(_nvidia("12.8", "8.9"), f"{_CUDA_GPUS}; {_DRIVER}"),
    "l40s": Preset(_nvidia("12.8", "8.9"), f"{_CUDA_GPUS}; {_DRIVER}"),
    "rtx3090": Preset(_nvidia("12.8", "8.6"), f"{_CUDA_GPUS}; {_DRIVER}"),
    "rtx4090": Preset(_nvidia("12.8", "8.9"), f"{_CUDA_GPUS}; {_DRIVER}"),
    "rtx5090": Preset(_nvidia("12.8", "12.0"), f"{_CUDA_GPUS}; {_DRIVER}"),
    "h100": Preset(_nvidia("12.8", "9.0"), f"{_CUDA_GPUS}; {_DRIVER}"),
    "h200": Preset(_nvidia("12.8", "9.0"), f"{_CUDA_GPUS}; {_DRIVER}"),
    "b200": Preset(_nvidia("12.8", "10.0"), f"{_CUDA_GPUS}; {_DRIVER}"),
    "gh200": Preset(
        _nvidia("12.8", "9.0", platform="linux-aarch64", cpu="neoverse_v2"),
        f"{_CUDA_GPUS}; NVIDIA Grace is 72 Neoverse V2 cores; {_DRIVER}",
    ),
    "dgx-spark": Preset(
        _nvidia(
            "13.0",
            "12.1",
            platform="linux-aarch64",
            cpu={"level": "9.0a"},
            libc="glibc-2.39",
        ),
        f"{_CUDA_GPUS}; DGX OS 7 is Ubuntu 24.04 with CUDA 13.0; Armv9 cores",
    ),
    "jetson-orin": Preset(
        _nvidia(
            "12.6",
            "8.7",
            platform="linux-aarch64",
            cpu={"level": "8.2a"},
            libc="glibc-2.35",
        ),
        f"{_CUDA_GPUS}; JetPack 6 is Ubuntu 22.04 with CUDA 12.6; Cortex-A78AE",
    ),
    "jetson-thor": Preset(
        _nvidia(
            "13.0",
            "11.0",
            platform="linux-aarch64",
            cpu="neoverse_v3ae",
            libc="glibc-2.39",
        ),
        f"{_CUDA_GPUS}; JetPack 7 is Ubuntu 24.04 with CUDA 13.0; Neoverse V3AE",
    ),
}

_OTHER_HARDWARE = {
    "mi300x": Preset(
        {
            "platform": "linux-x86_64",
            "cpu": "x86-64-v3",
            "amd": {"rocm": "6.4", "gfx": ["gfx942"]},
        },
        "AMD's table of GPUs for ROCm; ROCm 6.4",
    ),
    "mi250x": Preset(
        {
            "platform": "linux-x86_64",
            "cpu": "x86-64-v3",
            "amd": {"rocm": "6.4", "gfx": ["gfx90a"]},
        },
        "AMD's table of GPUs for ROCm; ROCm 6.4",
    ),
    "graviton2": Preset(
        {"platform": "linux-aarch64", "libc": "glibc-2.34", "cpu": "neoverse_n1"},
        "AWS: Graviton2 is Neoverse N1; Amazon Linux 2023 has glibc 2.34",
    ),
    "graviton3": Preset(
        {"platform": "linux-aarch64", "libc": "glibc-2.34", "cpu": "neoverse_v1"},
        "AWS: Graviton3 is Neoverse V1; Amazon Linux 2023 has glibc 2.34",
    ),
    "graviton4": Preset(
        {"platform": "linux-aarch64", "libc": "glibc-2.34", "cpu": "neoverse_v2"},
        "AWS: Graviton4 is Neoverse V2; Amazon Linux 2023 has glibc 2.34",
    ),
    "apple-m1": _apple("m1", "11.0"),
    "apple-m2": _apple("m2", "12.4"),
    "apple-m3": _apple("m3", "14.0"),
    "apple-m4": _apple("m4", "15.0"),
}


def _github(runner: str, platform: str, **more: Any) -> Preset:  # noqa: ANN401  # TOML values
    return Preset({"platform": platform, **more, "runs-on": runner}, _GITHUB)


_RUNNERS = {
    "github-ubuntu-22.04": _github(
        "ubuntu-22.04", "linux-x86_64", libc="glibc-2.35", cpu="x86-64-v3"
    ),
    "github-ubuntu-24.04": _github(
        "ubuntu-24.04", "linux-x86_64", libc="glibc-2.39", cpu="x86-64-v3"
    ),
    "github-ubuntu-24.04-arm": _github(
        "ubuntu-24.04-arm", "linux-aarch64", libc="glibc-2.39"
    ),
    "github-macos-14": _github("macos-14", "macos-arm64", macos="14.0", cpu="m1"),
    "github-macos-15": _github("macos-15", "macos-arm64", macos="15.0", cpu="m1"),
    "github-macos-15-intel": _github("macos-15-intel", "macos-x86_64", macos="15.0"),
    "github-windows-2022": _github("windows-2022", "windows-x86_64", cpu="x86-64-v3"),
    "github-windows-2025": _github("windows-2025", "windows-x86_64", cpu="x86-64-v3"),
    "github-windows-11-arm": _github("windows-11-arm", "windows-arm64"),
    "gitlab-linux-amd64": Preset(
        {
            "platform": "linux-x86_64",
            "libc": "glibc-2.36",
            "runs-on": "saas-linux-small-amd64",
        },
        f"{_GITLAB}; the C library is that of a Debian 12 image",
    ),
    "gitlab-linux-arm64": Preset(
        {
            "platform": "linux-aarch64",
            "libc": "glibc-2.36",
            "runs-on": "saas-linux-small-arm64",
        },
        f"{_GITLAB}; the C library is that of a Debian 12 image",
    ),
    "gitlab-macos-m1": Preset(
        {
            "platform": "macos-arm64",
            "macos": "14.0",
            "cpu": "m1",
            "runs-on": "saas-macos-medium-m1",
        },
        _GITLAB,
    ),
}

PRESETS: Mapping[str, Preset] = {**_GENERIC, **_NVIDIA, **_OTHER_HARDWARE, **_RUNNERS}
"""Presets by name, generic ones first."""
