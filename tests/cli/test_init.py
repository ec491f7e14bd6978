"""``polylock init`` writes a project file, or targets into one."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tomllib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from polylock.operations.edit.init import python_to_offer
from polylock.project.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

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
        "t4": {"preset": "t4", "python": "3.12", "nvidia": {"driver": "13.0"}},
    }


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("", (), "3.12"),
        ("", ("--python", "3.11"), "3.11"),
        ('[project]\nname = "a"\nrequires-python = "<3.12"\n', (), None),
        ('[project]\nname = "a"\n[tool.polylock]\npython = "3.11"\n', (), "default"),
    ],
)
def test_a_version_file_gives_the_python_of_a_preset(
    polylock: CommandLine, text: str, arguments: tuple[str, ...], expected: str | None
) -> None:
    """Unless the project has another one, or excludes it, or the user says one."""
    if text:
        polylock.write(text)
    polylock.write("3.12.7\n", ".python-version")
    ran = polylock("init", "--preset", "t4", *arguments)
    if expected is None:
        assert "3.12" not in ran.out
        return
    assert ran.code == 0, ran.err
    data = _data(polylock)
    python = data["tool"]["polylock"]["targets"]["t4"].get("python", "default")
    assert python == expected
    if not text:
        assert data["project"]["requires-python"] == f">={expected}"


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
    targets = _data(polylock)["tool"]["polylock"]["targets"]
    assert targets == {"l4": {"preset": "l4", "nvidia": {"driver": "13.0"}}}
    assert "`nvidia-smi` shows" in polylock.read()


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


def test_the_next_steps_are_told(polylock: CommandLine) -> None:
    """What other tools left is named, and the commands to go on with."""
    polylock.write(
        '[project]\nname = "a"\ndependencies = ["b"]\n[tool.uv]\nresolution="lowest"\n'
    )
    polylock.write("", "uv.lock")
    ran = polylock.succeed("init", "--preset", "t4", "--python", "3.12")
    assert ran.err.splitlines() == [
        "added targets to pyproject.toml: t4",
        (
            "note: polylock does not read tool.uv.resolution: "
            "`polylock init --from uv` converts it"
        ),
        "next: polylock lock --pins-from uv.lock",
    ]


def test_a_project_of_setuptools_is_not_given_an_empty_table(
    polylock: CommandLine,
) -> None:
    """Its requirements would be hidden; with a name a new project is wanted."""
    polylock.write("", "setup.py")
    ran = polylock("init", "--preset", "t4")
    assert ran.code == 2
    assert "write [project] with name, version" in ran.err
    assert not (polylock.directory / "pyproject.toml").exists()
    polylock.succeed("init", "--preset", "t4", "--name", "new")
    assert _data(polylock)["project"]["name"] == "new"


def test_from_requirements_to_an_environment(polylock: CommandLine) -> None:
    """The commands that init names lead to a lock and an environment."""
    polylock.write("plainlib==1.0.0\n", "requirements.txt")
    polylock.write("plainlib>=1\n", "requirements.in")
    ran = polylock.succeed("init", "--python", RUNNING)
    steps = [
        line.removeprefix("next:").split("polylock ")[1]
        for line in ran.err.splitlines()[1:]
    ]
    assert steps == ["init --from requirements", "lock --pins-from requirements.txt"]
    for step in steps:
        polylock.succeed(*shlex.split(step))
    assert "plainlib 1.0.0" in polylock.succeed("sync").err


@pytest.mark.parametrize(
    ("text", "python_version", "offered"),
    [
        ("", None, RUNNING),
        ('[project]\nname = "a"\nrequires-python = ">=3.10,<3.11"\n', None, "3.10"),
        ('[project]\nname = "a"\n', "3.12.4\n", "3.12"),
        ('[project]\nname = "a"\n', "pypy@3.11\n", RUNNING),
        ('[project]\nname = "a"\nrequires-python = "?"\n', "3.12", "3.12"),
        ('[project]\nname = "a"\n[tool.polylock]\npython = "3.11"\n', "3.12", None),
    ],
)
def test_the_python_that_is_offered(
    polylock: CommandLine, text: str, python_version: str | None, offered: str | None
) -> None:
    """The project's own, what .python-version says, ours, or one that is admitted."""
    if text:
        polylock.write(text)
    if python_version is not None:
        polylock.write(python_version, ".python-version")
    settings = Settings(cache_dir=polylock.directory, project=polylock.directory)
    assert python_to_offer(settings) == offered


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is POSIX")
def test_prompts_on_a_terminal(tmp_path: Path) -> None:
    """Enter, a preset, Enter, Enter: this machine and the preset are targets."""
    import pty  # noqa: PLC0415 - not on Windows

    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "polylock", "init"],
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "NO_COLOR": "1"},
    )
    os.close(theirs)
    os.write(ours, b"\nh100\n\n3.12\n")
    said = b""
    with suppress(OSError):  # Linux says so that the other end is closed
        while part := os.read(ours, 4096):
            said += part
    os.close(ours)
    assert running.wait(timeout=60) == 0
    assert b"next: polylock add NAME ..." in said
    data = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))
    first, second = data["tool"]["polylock"]["targets"].values()
    assert first["python"] == "3.12"
    assert second == {
        "preset": "h100",
        "python": "3.12",
        "nvidia": {"driver": "13.0"},
    }
