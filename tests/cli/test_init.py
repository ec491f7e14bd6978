"""``polylock init`` writes a project file, or targets into one."""

from __future__ import annotations

import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fakes.command_line import CommandLine

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


def _data(polylock: CommandLine) -> dict[str, Any]:
    return tomllib.loads(polylock.read())


def test_new_project_has_this_machine(polylock: CommandLine) -> None:
    """Without options the project is named as its directory and can be locked."""
    ran = polylock.succeed("init", "--python", RUNNING)
    assert ran.err.startswith("wrote pyproject.toml: ")
    data = _data(polylock)
    assert data["project"]["name"] == "project"
    assert data["project"]["requires-python"] == f">={RUNNING}"
    (target,) = data["tool"]["polylock"]["targets"].values()
    assert target["python"] == RUNNING
    polylock.succeed("add", "plainlib")
    polylock.succeed("lock")
    polylock.succeed("check")


def test_presets_alone_are_taken(polylock: CommandLine) -> None:
    """With presets this machine is no target unless it is asked for."""
    presets = ("--preset", "github-ubuntu-24.04", "--preset", "t4")
    polylock.succeed("init", *presets, "--python", "3.12", "--name", "My.App")
    data = _data(polylock)
    assert data["project"]["name"] in {"My.App", "my-app"}
    assert data["tool"]["polylock"]["targets"] == {
        "github-ubuntu-24-04": {"preset": "github-ubuntu-24.04", "python": "3.12"},
        "t4": {"preset": "t4", "python": "3.12"},
    }


def test_here_comes_before_the_presets(polylock: CommandLine) -> None:
    """The machine at hand is the first in priority."""
    made = polylock.succeed("init", "--here", "--preset", "dgx-spark", "--json").json
    assert len(made["targets"]) == 2
    assert made["targets"][1] == "dgx-spark"
    assert made["created"] is True


def test_existing_project_keeps_its_text(polylock: CommandLine) -> None:
    """Targets are added; the project's own words and its Python stay."""
    text = (
        "# ours\n[project]\nname = 'demo'\nrequires-python = '>=3.11'  # floor\n\n"
        "[tool.polylock]\npython = '3.12'\n"
    )
    polylock.write(text)
    made = polylock.succeed("init", "--preset", "l4", "--json").json
    assert made["created"] is False
    assert polylock.read().startswith(text)
    assert _data(polylock)["tool"]["polylock"]["targets"] == {"l4": {"preset": "l4"}}


def test_targets_that_exist_are_not_replaced(polylock: CommandLine) -> None:
    """A second call is refused and changes nothing."""
    polylock.succeed("init", "--preset", "l4")
    before = polylock.read()
    ran = polylock("init", "--preset", "l4")
    assert ran.code == 2
    assert "l4: is declared already" in ran.err
    assert polylock.read() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--preset", "h1000"], "there is no preset 'h1000'"),
        (["--preset", "t4", "--preset", "t4"], "would be named t4"),
        (["--preset", "t4", "--python", "no"], "'no' is not a Python"),
        (["--preset", "t4", "--name", "!"], "not a valid name of a project"),
    ],
)
def test_mistakes_write_nothing(
    polylock: CommandLine, arguments: list[str], words: str
) -> None:
    """After an error there is no file."""
    ran = polylock("init", *arguments)
    assert ran.code == 2
    assert words in ran.err
    assert not (polylock.directory / "pyproject.toml").exists()


def test_directory_above_is_not_searched(polylock: CommandLine) -> None:
    """A project inside another project's tree gets a file of its own."""
    polylock.write('[project]\nname = "outer"\n')
    inner = polylock.directory / "In ner"
    inner.mkdir()
    polylock.succeed("init", "--project", str(inner), "--preset", "t4")
    made = tomllib.loads((inner / "pyproject.toml").read_text("utf-8"))
    assert made["project"]["name"] == "in-ner"
    assert "polylock" not in polylock.read()
