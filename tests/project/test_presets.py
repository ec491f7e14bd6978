"""Machines by name."""

from __future__ import annotations

import pytest

from polylock.project.presets import PRESETS
from polylock.project.targets import parse_targets
from polylock.providers.derive import derive


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
        "aws-p5",
        "gcp-a3",
        "azure-nd-h100-v5",
        "gcp-tpu-v5e",
        "ascend-910b",
        "raspberry-pi-5",
        "arc-b580",
        "windows-rtx4090",
    }
    assert wanted <= set(PRESETS)
    assert len(PRESETS) >= 100


@pytest.mark.parametrize("name", PRESETS)
def test_preset_derives_what_its_hardware_supports(name: str) -> None:
    """Each accelerator of a preset gives its namespace values, and so does its CPU."""
    table = PRESETS[name].table
    (description,) = parse_targets(
        {"t": table},
        path="pyproject.toml",
        default_python="3.13",
        reserved=(),
        requires_python="",
    )
    namespaces = derive(description).namespaces
    expected = {
        key for key in ("nvidia", "amd", "intel", "ascend", "tpu") if table.get(key)
    }
    assert set(namespaces) == expected | {description.architecture.value}
    if "nvidia" in expected:
        assert namespaces["nvidia"]["sm_arch"]


def test_sources_name_no_index() -> None:
    """A source is a document; what could not be confirmed is said in words."""
    for preset in PRESETS.values():
        assert "pypi" not in preset.source.lower()
        assert preset.unconfirmed is None or len(preset.unconfirmed) > 10
