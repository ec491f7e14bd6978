"""Machines by name."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # ships no py.typed
import pytest

from polylock.project.presets import (
    assumed,
    find_name,
    preset_names,
    preset_table,
    presets,
    search,
)
from polylock.project.targets import parse_targets
from polylock.providers.derive import derive

SCHEMA = Path(__file__).parents[2] / "schemas" / "presets.schema.json"


def _json(value: object) -> object:
    """Return what TOML holds as JSON would: dates are text."""
    return json.loads(json.dumps(value, default=str))


def test_file_keeps_its_schema() -> None:
    """Every entry has the keys that the schema asks for and no other."""
    text = files("polylock.project").joinpath("presets.toml").read_text("utf-8")
    document = tomllib.loads(text)
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(_json(document))
    used = {
        source
        for group, entries in document.items()
        if group != "sources"
        for entry in entries.values()
        for source in entry["sources"]
    }
    assert used == set(document["sources"])


def test_one_preset_read_alone_is_the_same() -> None:
    """Its table is that of the whole file; there is none for another name."""
    assert {name: preset_table(name) for name in preset_names()} == {
        name: preset.table for name, preset in presets().items()
    }
    assert preset_table("no-such-machine") is None


@pytest.mark.parametrize("name", preset_names())
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
        for table in ({"preset": name}, dict(presets()[name].table))
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("name", preset_names())
def test_preset_names_its_source_and_no_python(name: str) -> None:
    """The facts of a preset have a source; its Python is the project's."""
    assert presets()[name].source
    assert not {"python", "extends", "preset"} & set(presets()[name].table)


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
    assert wanted <= set(presets())
    assert len(presets()) >= 100


@pytest.mark.parametrize("name", preset_names())
def test_preset_derives_what_its_hardware_supports(name: str) -> None:
    """Each accelerator of a preset gives its namespace values, and so does its CPU."""
    table = presets()[name].table
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
    for preset in presets().values():
        assert "pypi" not in preset.source.lower()
        assert preset.unconfirmed is None or len(preset.unconfirmed) > 10


@pytest.mark.parametrize(
    ("words", "some", "others"),
    [
        ("h100", {"h100", "azure-nc-h100-v5"}, {"t4", "linux-x86_64"}),
        ("H100 cloud", {"azure-nc-h100-v5"}, {"h100"}),
        ("arm64", {"macos-arm64", "graviton3", "github-ubuntu-24.04-arm"}, {"t4"}),
        ("mac", {"macos-arm64", "apple-m1", "github-macos-15"}, {"gcp-a3", "t4"}),
        ("ci windows", {"github-windows-2025", "gitlab-windows"}, {"windows-x86_64"}),
        ("runner gpu", {"gitlab-linux-gpu"}, {"github-ubuntu-24.04", "t4"}),
        ("alpine", {"linux-x86_64-musl"}, {"linux-x86_64"}),
        ("laptop", {"macos-arm64", "windows-x86_64"}, {"linux-x86_64"}),
        ("server x86-64-v3", {"linux-x86_64-v3"}, {"macos-x86_64"}),
        ("gfx942", {"mi300x"}, {"h100"}),
    ],
)
def test_every_word_counts(words: str, some: set[str], others: set[str]) -> None:
    """A word is a part of a name or value, or a purpose; all have to be true."""
    found = set(search(words))
    assert some <= found
    assert not others & found


def test_no_words_mean_all_and_nonsense_none() -> None:
    """The order is that of the presets."""
    assert list(search(" ")) == list(presets())
    assert not search("h100 mac")


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("A100", "a100"),
        ("rtx 4090", "rtx4090"),
        ("AWS_P5", "aws-p5"),
        ("macbook", "macos-arm64"),
        ("Apple Silicon", "macos-arm64"),
        ("cpu", "linux-x86_64"),
        ("gpu", None),
        ("", None),
    ],
)
def test_preset_is_found_as_people_call_it(called: str, name: str | None) -> None:
    """Case, spaces and hyphens do not count; a word for many is no name of one."""
    assert find_name(called) == name


def test_no_two_presets_are_called_the_same() -> None:
    """Neither is one called as another is named."""
    called = [word for preset in presets().values() for word in preset.called]
    assert len(called) == len(set(called))
    for name, preset in presets().items():
        assert {find_name(word) for word in (name, *preset.called)} == {name}


def test_software_of_a_machine_is_assumed() -> None:
    """Assumed are the driver, ROCm and macOS, except those of a CI runner."""
    found = presets()
    assert assumed(found["h100"]) == {"nvidia": {"driver": "13.0"}}
    assert assumed(found["mi300x"]) == {"amd": {"rocm": "7.1"}}
    assert assumed(found["apple-m3"]) == {"macos": "14.0"}
    assert assumed(found["linux-x86_64"]) == {}
    assert assumed(found["github-macos-14"]) == {}


@pytest.mark.parametrize("name", preset_names())
def test_assumed_software_is_what_is_run_today(name: str) -> None:
    """A macOS with current wheels; CUDA 13 for GPUs that it has code for."""
    table = presets()[name].table
    if "macos" in table:
        assert tuple(map(int, table["macos"].split("."))) >= (14, 0)
    if "nvidia" in table and "jetson" not in name:
        old = all(float(each) < 7.5 for each in table["nvidia"]["compute"])
        assert table["nvidia"]["driver"] == ("12.8" if old else "13.0")
