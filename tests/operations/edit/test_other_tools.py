"""What other tools left beside a project, and the steps that follow."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from fakes.command_line import LONE_TARGET
from polylock.errors import UsageError
from polylock.operations.edit.other_tools import (
    inspect_surroundings,
    require_project_table,
)

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = '[project]\nname = "demo"\ndependencies = []\n'
WITH = '[project]\nname = "demo"\ndependencies = ["a"]\n'


def steps(directory: Path, text: str = WITH, **files: str) -> tuple[str, ...]:
    """Write files, by names with a dot for each underscore, and look around."""
    for name, content in files.items():
        (directory / name.replace("_", ".")).write_text(content, "utf-8")
    return inspect_surroundings(directory, tomllib.loads(text)).steps


def notes(directory: Path, text: str) -> tuple[str, ...]:
    """Return what is told of a project file alone."""
    return inspect_surroundings(directory, tomllib.loads(text)).notes


@pytest.mark.parametrize(
    ("files", "last"),
    [
        ({}, "polylock lock"),
        ({"uv_lock": ""}, "polylock lock --pins-from uv.lock"),
        ({"poetry_lock": "", "uv_lock": ""}, "polylock lock --pins-from uv.lock"),
        ({"poetry_lock": ""}, "polylock lock --pins-from poetry.lock"),
        ({"Pipfile_lock": ""}, "polylock lock --pins-from Pipfile.lock"),
        ({"requirements_txt": "a==1\n"}, "polylock lock --pins-from requirements.txt"),
        ({"requirements_txt": "a>=1\n"}, "polylock lock"),
        ({"requirements_txt": "a=1\n"}, "polylock lock"),
        ({"pylock_toml": "[tool.polylock]\n", "uv_lock": ""}, "polylock lock"),
        (
            {"pylock_toml": 'created-by = "uv"\n'},
            "polylock lock --pins-from pylock.toml",
        ),
    ],
)
def test_the_last_step_is_to_lock(
    tmp_path: Path, files: dict[str, str], last: str
) -> None:
    """With another tool's lock file its pins are taken, unless there is ours."""
    assert steps(tmp_path, **files) == (last,)


@pytest.mark.parametrize(
    ("files", "first"),
    [
        ({}, "polylock add NAME ..."),
        ({"requirements_in": "b>=2\n"}, "polylock init --from requirements"),
        ({"requirements_txt": "b==1\n"}, "polylock init --from requirements"),
        ({"requirements_txt": "b=1\n"}, "polylock init --from requirements"),
    ],
)
def test_an_empty_project_is_filled_first(
    tmp_path: Path, files: dict[str, str], first: str
) -> None:
    """The requirements of a requirements file are converted by a command."""
    assert steps(tmp_path, EMPTY, **files)[0] == first


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            (
                "[tool.uv]\nresolution = 'lowest'\npackage = true\n"
                "[tool.uv.sources]\na = { path = 'a' }\n"
            ),
            (
                "polylock does not read tool.uv.sources.a, tool.uv.resolution: "
                "`polylock init --from uv` converts it"
            ),
        ),
        (
            (
                "[tool.pdm]\ndev-dependencies = { a = ['a'], b = ['a'], c = ['a'], "
                "d = ['a'] }\n"
            ),
            (
                "polylock does not read tool.pdm.dev-dependencies.a, "
                "tool.pdm.dev-dependencies.b, tool.pdm.dev-dependencies.c, ...: "
                "`polylock init --from pdm` converts it"
            ),
        ),
    ],
)
def test_settings_of_other_tools_are_named(
    tmp_path: Path, text: str, told: str
) -> None:
    """What ``lock`` would refuse is a note, with the command that converts it."""
    assert notes(tmp_path, WITH + text) == (told,)


def test_conda_is_named(tmp_path: Path) -> None:
    """What conda installs besides Python packages is not for polylock."""
    (tmp_path / "environment.yml").write_text("dependencies: []\n", "utf-8")
    (note,) = notes(tmp_path, WITH + LONE_TARGET)
    assert note.startswith("environment.yml is not read")


@pytest.mark.parametrize(
    ("text", "file", "words"),
    [
        (
            "[tool.poetry]\nname = 'x'\n",
            None,
            r"in \[tool\.poetry\], which only Poetry",
        ),
        ("", "setup.py", r"setup\.py may have the requirements of this project"),
        ("[tool.ruff]\n", "setup.cfg", r"setup\.cfg may have"),
    ],
)
def test_a_project_that_only_others_can_read(
    tmp_path: Path, text: str, file: str | None, words: str
) -> None:
    """A new and empty [project] would be the one that counts, so none is written."""
    if file is not None:
        (tmp_path / file).touch()
    with pytest.raises(UsageError, match=words):
        require_project_table(tmp_path, tomllib.loads(text))


@pytest.mark.parametrize(
    "text", [WITH, "[dependency-groups]\ndev = []\n", WITH + "[tool.poetry]\n"]
)
def test_a_project_that_can_be_read(tmp_path: Path, text: str) -> None:
    """Beside [project] or groups the files of other tools are no obstacle."""
    (tmp_path / "setup.py").touch()
    require_project_table(tmp_path, tomllib.loads(text))


def test_a_project_above_is_told(tmp_path: Path) -> None:
    """One that lies in a directory above is another project, as far as git goes."""
    inner = tmp_path / "repository" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("", "utf-8")
    (told,) = notes(inner, WITH)
    assert told.startswith(f"{tmp_path} has a pyproject.toml too")
    (tmp_path / "repository" / ".git").mkdir()
    assert notes(inner, WITH) == ()
