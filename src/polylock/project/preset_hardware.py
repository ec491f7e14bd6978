"""Presets of GPUs, NPUs, boards and processors that people own.

The processor of a GPU preset is the weakest that such cards are used with; its driver
is of a branch that serves the card today, and whoever runs another overrides it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.project.preset import Preset

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HARDWARE"]

_CUDA_GPUS = "NVIDIA, CUDA GPU Compute Capability (developer.nvidia.com/cuda-gpus)"
_DRIVERS = {
    "12.8": "NVIDIA, CUDA Toolkit Release Notes: driver branch R570 offers CUDA 12.8",
    "13.0": "NVIDIA, CUDA Toolkit Release Notes: driver branch R580 offers CUDA 13.0",
}
_ROCM = "AMD, ROCm documentation: accelerator and GPU hardware specifications"
_ARCHSPEC = "archspec, microarchitectures.json"
_LEVEL_ZERO = "intel-variant-provider 9516bd2, table of device IP versions"
_ASCEND = "huawei-ascend-variant-provider, names of npu-smi; Kunpeng 920 is Armv8.2"


def _nvidia(compute: str, driver: str = "12.8", **more: Any) -> Preset:  # noqa: ANN401  # TOML values
    table = {
        "platform": "linux-x86_64",
        "cpu": "x86-64-v3",
        "nvidia": {"driver": driver, "compute": [compute]},
        **more,
    }
    return Preset(table, f"{_CUDA_GPUS}; {_DRIVERS[driver]}")


def _nvidia_on_windows(compute: str) -> Preset:
    return _nvidia(compute, platform="windows-x86_64")


def _arm_board(
    compute: str, driver: str, cpu: object, libc: str, source: str
) -> Preset:
    table = {
        "platform": "linux-aarch64",
        "libc": libc,
        "cpu": cpu,
        "nvidia": {"driver": driver, "compute": [compute]},
    }
    return Preset(table, f"{_CUDA_GPUS}; {source}")


def _amd(gfx: str, rocm: str, *, cpu: str = "x86-64-v3") -> Preset:
    table = {
        "platform": "linux-x86_64",
        "cpu": cpu,
        "amd": {"rocm": rocm, "gfx": [gfx]},
    }
    return Preset(table, f"{_ROCM}; ROCm {rocm}")


def _intel(device_ip: str, *, cpu: str = "x86-64-v3") -> Preset:
    table = {
        "platform": "linux-x86_64",
        "cpu": cpu,
        "intel": {"device-ip": [device_ip]},
    }
    return Preset(table, _LEVEL_ZERO)


def _ascend(npu: str) -> Preset:
    table = {
        "platform": "linux-aarch64",
        "cpu": {"level": "8.2a"},
        "ascend": {"npu": npu},
    }
    advice = "driver and CANN, which are software: state them with ascend = { … }"
    return Preset(table, _ASCEND, advice)


def _arm_server(cpu: str, source: str, *, libc: str = "glibc-2.34") -> Preset:
    table = {"platform": "linux-aarch64", "libc": libc, "cpu": cpu}
    return Preset(table, source)


def _apple(name: str, macos: str) -> Preset:
    return Preset(
        {"platform": "macos-arm64", "macos": macos, "cpu": name},
        f"{_ARCHSPEC}; macOS {macos} is the first on an {name.upper()} Mac",
    )


_AL2023 = "Amazon Linux 2023 has glibc 2.34"
_GRACE = "NVIDIA, Grace CPU data sheet: 72 Arm Neoverse V2 cores"

HARDWARE: Mapping[str, Preset] = {
    "t4": _nvidia("7.5"),
    "v100": _nvidia("7.0"),
    "a100": _nvidia("8.0"),
    "a10": _nvidia("8.6"),
    "a40": _nvidia("8.6"),
    "l4": _nvidia("8.9"),
    "l40s": _nvidia("8.9"),
    "h100": _nvidia("9.0"),
    "h200": _nvidia("9.0"),
    "b200": _nvidia("10.0"),
    "b300": _nvidia("10.3", "13.0"),
    "rtx2080": _nvidia("7.5"),
    "rtx3060": _nvidia("8.6"),
    "rtx3090": _nvidia("8.6"),
    "rtx4060": _nvidia("8.9"),
    "rtx4090": _nvidia("8.9"),
    "rtx5070": _nvidia("12.0"),
    "rtx5090": _nvidia("12.0"),
    "rtx-pro-6000": _nvidia("12.0", "13.0"),
    "windows-rtx3090": _nvidia_on_windows("8.6"),
    "windows-rtx4090": _nvidia_on_windows("8.9"),
    "windows-rtx5090": _nvidia_on_windows("12.0"),
    "gh200": _arm_board(
        "9.0", "12.8", "neoverse_v2", "glibc-2.35", f"{_GRACE}; {_DRIVERS['12.8']}"
    ),
    "gb200": _arm_board(
        "10.0", "12.8", "neoverse_v2", "glibc-2.35", f"{_GRACE}; {_DRIVERS['12.8']}"
    ),
    "dgx-spark": _arm_board(
        "12.1",
        "13.0",
        {"level": "9.0a"},
        "glibc-2.39",
        "NVIDIA, DGX Spark User Guide: DGX OS 7 is Ubuntu 24.04 with CUDA 13.0; "
        "Cortex-X925 and Cortex-A725 cores, which are Armv9.2",
    ),
    "jetson-orin": _arm_board(
        "8.7",
        "12.6",
        {"level": "8.2a"},
        "glibc-2.35",
        "NVIDIA, JetPack 6 documentation: Ubuntu 22.04 with CUDA 12.6; Cortex-A78AE",
    ),
    "jetson-thor": _arm_board(
        "11.0",
        "13.0",
        "neoverse_v3ae",
        "glibc-2.39",
        "NVIDIA, JetPack 7 documentation: Ubuntu 24.04 with CUDA 13.0; Neoverse V3AE",
    ),
    "mi210": _amd("gfx90a", "6.4"),
    "mi250x": _amd("gfx90a", "6.4"),
    "mi300a": _amd("gfx942", "6.4", cpu="zen4"),
    "mi300x": _amd("gfx942", "6.4"),
    "mi325x": _amd("gfx942", "6.4"),
    "mi355x": _amd("gfx950", "7.0"),
    "rx7900xtx": _amd("gfx1100", "6.4"),
    "rx9070xt": _amd("gfx1201", "7.0"),
    "ryzen-ai-max": _amd("gfx1151", "7.0", cpu="zen5"),
    "arc-a770": _intel("12.55.8"),
    "arc-b580": _intel("20.1.0"),
    "data-center-gpu-max": _intel("12.60.7", cpu="sapphirerapids"),
    "ascend-910b": _ascend("910b"),
    "ascend-a3": _ascend("a3"),
    "ascend-310p": _ascend("310p"),
    "graviton2": _arm_server(
        "neoverse_n1", f"AWS, Graviton: Graviton2 is Neoverse N1; {_AL2023}"
    ),
    "graviton3": _arm_server(
        "neoverse_v1", f"AWS, Graviton: Graviton3 is Neoverse V1; {_AL2023}"
    ),
    "graviton4": _arm_server(
        "neoverse_v2", f"AWS, Graviton: Graviton4 is Neoverse V2; {_AL2023}"
    ),
    "grace": _arm_server("neoverse_v2", _GRACE, libc="glibc-2.35"),
    "ampere-altra": _arm_server(
        "neoverse_n1",
        "Ampere, Altra product brief: Neoverse N1 cores",
        libc="glibc-2.35",
    ),
    "ampereone": _arm_server(
        "ampere1",
        f"{_ARCHSPEC}: recorded on Ubuntu 22.04",
        libc="glibc-2.35",
    ),
    "azure-cobalt": _arm_server(
        "neoverse_n2",
        "Microsoft, Azure Cobalt 100 VMs: Neoverse N2 cores",
        libc="glibc-2.35",
    ),
    "gcp-axion": _arm_server(
        "neoverse_v2",
        "Google, Axion processors: Neoverse V2 cores",
        libc="glibc-2.35",
    ),
    "raspberry-pi-4": _arm_server(
        "cortex_a72",
        "Raspberry Pi documentation: BCM2711 has Cortex-A72 cores; "
        "Raspberry Pi OS 12 is Debian 12",
        libc="glibc-2.36",
    ),
    "raspberry-pi-5": Preset(
        {"platform": "linux-aarch64", "libc": "glibc-2.36", "cpu": {"level": "8.2a"}},
        "Raspberry Pi documentation: BCM2712 has Cortex-A76 cores, which are Armv8.2; "
        "Raspberry Pi OS 12 is Debian 12",
    ),
    "apple-m1": _apple("m1", "11.0"),
    "apple-m2": _apple("m2", "12.4"),
    "apple-m3": _apple("m3", "14.0"),
    "apple-m4": _apple("m4", "15.0"),
}
"""Presets by name."""
