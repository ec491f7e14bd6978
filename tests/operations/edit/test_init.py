"""A project file for machines of all kinds."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from fakes.machine import FakeMachine
from polylock.errors import UsageError
from polylock.operations.edit.init import InitRequest, init
from polylock.project.settings import Settings
from polylock.providers.detect import detect_machine

if TYPE_CHECKING:
    from pathlib import Path

MAC = detect_machine(
    FakeMachine(system="Darwin", machine="arm64", glibc=None, macos="14.5")
)


def _settings(project: Path) -> Settings:
    return Settings(cache_dir=project / "cache", project=project)


@pytest.mark.parametrize(
    ("directory", "name"),
    [
        ("My App", "my-app"),
        ("a_b.c", "a-b-c"),
        ("(7)", "7"),
        ("été", "t"),
        ("é", "project"),
    ],
)
def test_name_comes_from_the_directory(
    tmp_path: Path, directory: str, name: str
) -> None:
    """What a project may not be called is left out of its name."""
    place = tmp_path / directory
    place.mkdir()
    init(_settings(place), InitRequest(machine=MAC, python="3.12"))
    data = tomllib.loads((place / "pyproject.toml").read_text("utf-8"))
    assert data["project"]["name"] == name


def test_machine_is_written_out(tmp_path: Path) -> None:
    """What was detected is in the file, with the Python that was asked for."""
    outcome = init(_settings(tmp_path), InitRequest(machine=MAC, python="3.12"))
    assert outcome.targets == ("macos-arm64",)
    data = tomllib.loads(outcome.path.read_text("utf-8"))
    assert data["tool"]["polylock"]["targets"]["macos-arm64"] == {
        "platform": "macos-arm64",
        "macos": "14.5",
        "python": "3.12",
    }


def test_project_without_a_table_of_its_own_stays_one(tmp_path: Path) -> None:
    """Where there are dependency groups alone, no [project] is added."""
    path = tmp_path / "pyproject.toml"
    path.write_text('[dependency-groups]\ntest = ["pytest"]\n', encoding="utf-8")
    outcome = init(_settings(path), InitRequest(presets=["l4"], python="3.12"))
    assert not outcome.created
    assert "project" not in tomllib.loads(path.read_text("utf-8"))


def test_nothing_asked_for_is_an_error(tmp_path: Path) -> None:
    """A project without targets could not be locked."""
    with pytest.raises(UsageError, match="no target is named"):
        init(_settings(tmp_path), InitRequest())
