"""A target is written as it would be read."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from polylock.operations.edit.target_table import (
    accelerators,
    cpu_name,
    platform_name,
    table_text,
    target_table,
)
from polylock.project.presets import preset_names
from polylock.project.targets import parse_targets

if TYPE_CHECKING:
    from polylock.model.target import TargetDescription

EVERYTHING = """
platform = "linux-aarch64"
libc = "musl-1.2"
python = "3.13t"
cpu = { level = "8.4a", features = ["sve", "-aes"] }
intel = { device-ip = ["20.1.0"] }
ascend = { npu = "910b", driver = "25.0" }
tpu = true
properties = { myns = { feature = ["v2", "v1"] } }
runs-on = ["self-hosted", "npu"]
dependencies = ["a>=1", "b"]
"""


def _parse(text: str) -> TargetDescription:
    (found,) = parse_targets(
        {"box": tomllib.loads(text)},
        path="pyproject.toml",
        default_python="3.12",
        reserved=(),
        requires_python="",
    )
    return found


def _again(description: TargetDescription) -> TargetDescription:
    text = table_text("box", target_table(description))
    head, _, body = text.partition("\n")
    assert head == "[tool.polylock.targets.box]"
    return _parse(body)


@pytest.mark.parametrize("preset", preset_names())
def test_presets_survive(preset: str) -> None:
    """Each preset, written out and read again, is the same target."""
    description = _parse(f'preset = "{preset}"')
    assert "preset" not in target_table(description)
    assert _again(description) == description


def test_every_key_survives() -> None:
    """So is a target that uses the keys that no preset has."""
    description = _parse(EVERYTHING)
    assert _again(description) == description


def test_architecture_is_spelled_as_its_system_does() -> None:
    """arm64 on macOS and Windows, aarch64 on Linux."""
    for platform in ("macos-arm64", "windows-arm64", "linux-aarch64", "linux-x86_64"):
        assert platform_name(_parse(f'platform = "{platform}"')) == platform


@pytest.mark.parametrize(
    ("cpu", "name"),
    [
        ("", "baseline"),
        ('cpu = "zen3"', "zen3"),
        ('cpu = "x86-64-v3"', "x86-64-v3"),
        ('cpu = { level = "v3", features = ["vaes", "-fma"] }', "x86-64-v3 +vaes -fma"),
        ('cpu = { features = ["vaes"] }', "baseline +vaes"),
    ],
)
def test_processor_in_short(cpu: str, name: str) -> None:
    """What was said of the processor, in a word where one is enough."""
    assert cpu_name(_parse(f'platform = "linux-x86_64"\n{cpu}')) == name


def test_accelerators_in_short() -> None:
    """Each with the version of what drives it."""
    nvidia = 'platform = "linux-x86_64"\nnvidia = { driver = "13.0", compute = [] }'
    assert accelerators(_parse(nvidia)) == ("nvidia no GPU (CUDA 13.0)",)
    amd = _parse('preset = "mi300x"')
    assert accelerators(amd) == ("amd gfx942 (ROCm 7.1)",)
    assert accelerators(_parse(EVERYTHING)) == ("intel 20.1.0", "ascend 910b", "tpu")
    assert cpu_name(_parse(EVERYTHING)) == "Arm 8.4a +sve -aes"
