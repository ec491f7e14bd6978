"""Machines by name."""

from __future__ import annotations

import pytest

from polylock.project.presets import PRESETS
from polylock.project.targets import parse_targets


@pytest.mark.parametrize("name", PRESETS)
def test_preset_is_a_valid_target(name: str) -> None:
    """Each preset alone is a target, and its table could stand in a project file."""
    found = [
        parse_targets(
            {"t": table},
            path="pyproject.toml",
            default_python="3.13",
            reserved=(),
            requires_python="",
        )
        for table in ({"preset": name}, dict(PRESETS[name].table))
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("name", PRESETS)
def test_preset_names_its_source_and_no_python(name: str) -> None:
    """The facts of a preset have a source; its Python is the project's."""
    assert PRESETS[name].source
    assert not {"python", "extends", "preset"} & set(PRESETS[name].table)


def test_presets_cover_the_machines_that_projects_name() -> None:
    """Generic machines, GPUs of each maker, Apple's and hosted runners are there."""
    wanted = {
        "linux-x86_64",
        "linux-x86_64-v3",
        "linux-aarch64",
        "linux-x86_64-musl",
        "macos-arm64",
        "windows-x86_64",
        "h100",
        "rtx4090",
        "gh200",
        "mi300x",
        "graviton3",
        "apple-m4",
        "dgx-spark",
        "jetson-thor",
        "github-ubuntu-24.04",
        "gitlab-linux-amd64",
    }
    assert wanted <= set(PRESETS)
