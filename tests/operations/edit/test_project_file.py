"""Project files are read as text, and new targets completed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from polylock.errors import ProjectError
from polylock.operations.edit.project_file import (
    complete_targets,
    parse_release,
    read_text,
    running_python,
)

PATH = Path("pyproject.toml")
LINUX = {"box": {"platform": "linux-x86_64", "cpu": "zen3"}}


def test_running_python_has_no_patch_release() -> None:
    """A target is meant for every patch of it."""
    found = running_python()
    assert (found.major, found.minor) == sys.version_info[:2]
    assert found.patch is None
    assert parse_release(None) == found


def test_python_follows_the_platform() -> None:
    """The keys are in the order in which people write them."""
    table, descriptions = complete_targets(None, LINUX, python="3.12.7", path=PATH)[
        "box"
    ]
    assert list(table) == ["platform", "python", "cpu"]
    assert str(descriptions[0].python) == "3.12.7"


def test_default_of_the_project_makes_a_target_for_each_python() -> None:
    """A list of Pythons under [tool.polylock] holds for new targets too."""
    text = '[tool.polylock]\npython = ["3.12", "3.13"]\n'
    table, descriptions = complete_targets(text, LINUX, python=None, path=PATH)["box"]
    assert "python" not in table
    assert [each.name for each in descriptions] == ["box-py312", "box-py313"]


@pytest.mark.parametrize(
    "text",
    [
        "[tool",
        "tool = 1",
        "[tool]\npolylock = []",
        "[project]\nrequires-python = 3",
        "dependency-groups = 1",
    ],
)
def test_damaged_files_are_told(text: str) -> None:
    """The error names the file and the key, never a traceback."""
    with pytest.raises(ProjectError, match=r"pyproject\.toml"):
        complete_targets(text, LINUX, python="3.12", path=PATH)


def test_unreadable_files_are_told(tmp_path: Path) -> None:
    """One that is missing, a directory, bytes that are no UTF-8."""
    with pytest.raises(ProjectError, match="does not exist"):
        read_text(tmp_path / "pyproject.toml")
    with pytest.raises(ProjectError):
        read_text(tmp_path)
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# \xe9")
    with pytest.raises(ProjectError, match="is not UTF-8"):
        read_text(path)


def test_line_endings_are_kept(tmp_path: Path) -> None:
    """The text is as it is in the file, for an edit must not change them."""
    path = tmp_path / "pyproject.toml"
    path.write_bytes(b"[project]\r\n")
    assert read_text(path) == "[project]\r\n"
