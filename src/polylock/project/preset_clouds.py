"""Presets of the clouds' instances with accelerators.

GPU and instance are what the provider's table says. Of processors that table was at
hand for some instances alone; the others are marked. The driver and the C library are
those of the images that the provider offers for such instances, and change with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.project.preset import Preset

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CLOUDS"]

_AWS = "AWS, Amazon EC2 accelerated computing instances; Amazon Linux 2023"
_GOOGLE = "Google Cloud, Accelerator-optimized machine family"
_AZURE = "Microsoft Learn, GPU accelerated sizes of Azure virtual machines"
_TPU = "Google Cloud, TPU documentation: TPU VMs run Ubuntu 22.04"

_PROCESSOR = "the processor's generation"


def _instance(
    source: str,
    cpu: str,
    compute: str,
    driver: str = "12.8",
    **more: Any,  # noqa: ANN401  # TOML values
) -> Preset:
    unconfirmed = more.pop("unconfirmed", None)
    table = {
        "platform": "linux-x86_64",
        "libc": "glibc-2.35",
        "cpu": cpu,
        "nvidia": {"driver": driver, "compute": [compute]},
        **more,
    }
    return Preset(table, source, unconfirmed)


def _aws(cpu: str, compute: str, driver: str = "12.8", **more: Any) -> Preset:  # noqa: ANN401  # TOML values
    return _instance(_AWS, cpu, compute, driver, libc="glibc-2.34", **more)


def _google(cpu: str, compute: str, driver: str = "12.8", **more: Any) -> Preset:  # noqa: ANN401  # TOML values
    return _instance(_GOOGLE, cpu, compute, driver, **more)


def _azure(cpu: str, compute: str, driver: str = "12.8", **more: Any) -> Preset:  # noqa: ANN401  # TOML values
    return _instance(_AZURE, cpu, compute, driver, **more)


def _tpu(generation: str) -> Preset:
    table = {
        "platform": "linux-x86_64",
        "libc": "glibc-2.35",
        "cpu": "x86-64-v3",
        "tpu": True,
    }
    return Preset(
        table,
        f"{_TPU}; {generation}",
        f"{_PROCESSOR}: a level that all have is stated",
    )


_ARM = {"platform": "linux-aarch64"}

CLOUDS: Mapping[str, Preset] = {
    "aws-p3": _aws("broadwell", "7.0", unconfirmed=_PROCESSOR),
    "aws-g4dn": _aws("cascadelake", "7.5", unconfirmed=_PROCESSOR),
    "aws-p4d": _aws("cascadelake", "8.0"),
    "aws-g5": _aws("zen2", "8.6"),
    "aws-g5g": _aws("neoverse_n1", "7.5", **_ARM, unconfirmed=_PROCESSOR),
    "aws-g6": _aws("zen3", "8.9", unconfirmed=_PROCESSOR),
    "aws-g6e": _aws("zen3", "8.9", unconfirmed=_PROCESSOR),
    "aws-p5": _aws("zen3", "9.0", unconfirmed=_PROCESSOR),
    "aws-p5en": _aws("sapphirerapids", "9.0", unconfirmed=_PROCESSOR),
    "aws-p6-b200": _aws("sapphirerapids", "10.0", unconfirmed=_PROCESSOR),
    "gcp-n1-t4": _google("x86-64-v3", "7.5"),
    "gcp-g2": _google("cascadelake", "8.9", unconfirmed=_PROCESSOR),
    "gcp-a2": _google("cascadelake", "8.0", unconfirmed=_PROCESSOR),
    "gcp-a3": _google("sapphirerapids", "9.0", unconfirmed=_PROCESSOR),
    "gcp-a3-ultra": _google("sapphirerapids", "9.0", unconfirmed=_PROCESSOR),
    "gcp-a4": _google("sapphirerapids", "10.0", unconfirmed=_PROCESSOR),
    "gcp-a4x": _google("neoverse_v2", "10.0", **_ARM),
    "gcp-tpu-v5e": _tpu("v5e"),
    "gcp-tpu-v6e": _tpu("v6e"),
    "azure-ncast4-v3": _azure("zen2", "7.5", unconfirmed=_PROCESSOR),
    "azure-nc-a100-v4": _azure("zen3", "8.0"),
    "azure-nd-a100-v4": _azure("zen2", "8.0"),
    "azure-nva10-v5": _azure("zen3", "8.6", unconfirmed=_PROCESSOR),
    "azure-nc-h100-v5": _azure("zen4", "9.0", unconfirmed=_PROCESSOR),
    "azure-nd-h100-v5": _azure("sapphirerapids", "9.0"),
    "azure-nd-gb200-v6": _azure("neoverse_v2", "10.0", **_ARM),
    "azure-nd-mi300x-v5": Preset(
        {
            "platform": "linux-x86_64",
            "libc": "glibc-2.35",
            "cpu": "sapphirerapids",
            "amd": {"rocm": "6.4", "gfx": ["gfx942"]},
        },
        _AZURE,
        _PROCESSOR,
    ),
}
"""Presets by name, of each cloud the oldest first."""
