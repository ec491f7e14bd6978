"""Machines of all kinds as targets."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from fakes.machine import FakeMachine, FakeNvml
from polylock.errors import ProjectError, UsageError
from polylock.operations.edit.detect import detect_target, write_detected
from polylock.project.settings import Settings
from polylock.providers.detect import detect_machine

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.providers.detect import DetectedMachine

GPU = FakeMachine(libraries={"libnvidia-ml.so.1": FakeNvml(13000, ((9, 0), (8, 0)))})
MAC = FakeMachine(system="Darwin", machine="arm64", glibc=None, macos="14.5")
PLAIN = FakeMachine(glibc="2.31")


def _machine(fake: FakeMachine) -> DetectedMachine:
    return detect_machine(fake)


def _settings(directory: Path, text: str) -> Settings:
    (directory / "pyproject.toml").write_text(text, encoding="utf-8")
    return Settings(cache_dir=directory / "cache", project=directory)


@pytest.mark.parametrize(
    ("fake", "name", "keys"),
    [
        (PLAIN, "linux-x86-64", {"platform": "linux-x86_64", "libc": "glibc-2.31"}),
        (MAC, "macos-arm64", {"platform": "macos-arm64", "macos": "14.5"}),
        (
            GPU,
            "linux-x86-64-nvidia",
            {"nvidia": {"driver": "13.0", "compute": ["9.0", "8.0"]}},
        ),
    ],
)
def test_machine_is_a_table(
    fake: FakeMachine, name: str, keys: dict[str, object]
) -> None:
    """What is there is in the table, what is not is left out."""
    found = detect_target(_machine(fake), "3.12")
    assert found.description.name == name
    data = tomllib.loads(found.text)["tool"]["polylock"]["targets"][name]
    assert data | keys == data
    assert data["python"] == "3.12"
    assert ("nvidia" in data) is (fake is GPU)


def test_derived_properties_are_in_the_document() -> None:
    """The JSON says what such a machine supports."""
    document = detect_target(_machine(GPU), "3.12").to_json()
    assert document["properties"]["nvidia"]["cuda_version_lower_bound"][0] == "13.0"
    assert document["written"] is None


def test_written_target_follows_the_projects_python(tmp_path: Path) -> None:
    """A default of the project is not repeated in the target."""
    settings = _settings(tmp_path, '[tool.polylock]\npython = "3.12"\n')
    found = write_detected(settings, _machine(PLAIN), "mine", None)
    assert str(found.description.python) == "3.12"
    written = (tmp_path / "pyproject.toml").read_text("utf-8")
    table = tomllib.loads(written)["tool"]["polylock"]["targets"]["mine"]
    assert "python" not in table
    assert table["libc"] == "glibc-2.31"


def test_nothing_is_written_after_an_error(tmp_path: Path) -> None:
    """A Python that the project excludes, or one that is none, changes nothing."""
    text = '[project]\nname = "demo"\nrequires-python = ">=3.12"\n'
    settings = _settings(tmp_path, text)
    with pytest.raises(ProjectError, match="outside requires-python"):
        write_detected(settings, _machine(PLAIN), "mine", "3.11")
    with pytest.raises(UsageError, match="is not a Python"):
        write_detected(settings, _machine(PLAIN), "mine", "new")
    assert (tmp_path / "pyproject.toml").read_text("utf-8") == text
