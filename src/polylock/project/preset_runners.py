"""Presets of the machines that CI services run jobs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.project.preset import Preset

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RUNNERS"]

_GITHUB = "GitHub Docs, GitHub-hosted runners reference; actions/runner-images"
_GITLAB = "GitLab Docs, GitLab-hosted runners"
_PROCESSOR = "the processor, which the service does not promise"


def _github(runner: str, platform: str, **more: Any) -> Preset:  # noqa: ANN401  # TOML values
    unconfirmed = _PROCESSOR if "cpu" in more else None
    table = {"platform": platform, **more, "runs-on": runner}
    return Preset(table, _GITHUB, unconfirmed)


RUNNERS: Mapping[str, Preset] = {
    "github-ubuntu-22.04": _github(
        "ubuntu-22.04", "linux-x86_64", libc="glibc-2.35", cpu="x86-64-v3"
    ),
    "github-ubuntu-24.04": _github(
        "ubuntu-24.04", "linux-x86_64", libc="glibc-2.39", cpu="x86-64-v3"
    ),
    "github-ubuntu-24.04-arm": _github(
        "ubuntu-24.04-arm", "linux-aarch64", libc="glibc-2.39", cpu="neoverse_n2"
    ),
    "github-ubuntu-22.04-arm": _github(
        "ubuntu-22.04-arm", "linux-aarch64", libc="glibc-2.35", cpu="neoverse_n2"
    ),
    "github-macos-14": _github("macos-14", "macos-arm64", macos="14.0", cpu="m1"),
    "github-macos-15": _github("macos-15", "macos-arm64", macos="15.0", cpu="m1"),
    "github-macos-26": _github("macos-26", "macos-arm64", macos="26.0", cpu="m1"),
    "github-macos-15-intel": _github("macos-15-intel", "macos-x86_64", macos="15.0"),
    "github-windows-2022": _github("windows-2022", "windows-x86_64", cpu="x86-64-v3"),
    "github-windows-2025": _github("windows-2025", "windows-x86_64", cpu="x86-64-v3"),
    "github-windows-11-arm": _github(
        "windows-11-arm", "windows-arm64", cpu="neoverse_n2"
    ),
    "gitlab-linux-amd64": Preset(
        {
            "platform": "linux-x86_64",
            "libc": "glibc-2.36",
            "runs-on": "saas-linux-small-amd64",
        },
        f"{_GITLAB}; the C library is that of a Debian 12 image",
    ),
    "gitlab-linux-gpu": Preset(
        {
            "platform": "linux-x86_64",
            "libc": "glibc-2.36",
            "nvidia": {"driver": "12.8", "compute": ["7.5"]},
            "runs-on": "saas-linux-medium-amd64-gpu-standard",
        },
        f"{_GITLAB}: GPU-enabled runners have a T4; the C library is that of a Debian "
        "12 image",
        "the driver of its machines",
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
    "gitlab-windows": Preset(
        {"platform": "windows-x86_64", "runs-on": "saas-windows-medium-amd64"},
        _GITLAB,
    ),
}
"""Presets by name."""
