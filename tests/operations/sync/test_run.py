"""A command is set up as an activation script would."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from polylock.answer_cache.recall import first_line
from polylock.environment.discovery import environment_python
from polylock.errors import EnvironmentBroken, UsageError
from polylock.operations.sync.run import (
    PreparedCommand,
    become,
    existing_environment,
    prepare,
    wait_for,
)
from polylock.project.settings import Settings


def _environment(directory: Path) -> Path:
    """Make what looks like an environment with a command named tool."""
    scripts = environment_python(directory).parent
    scripts.mkdir(parents=True)
    (directory / "pyvenv.cfg").write_text("")
    _command(scripts)
    return directory


def _command(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / ("tool.bat" if os.name == "nt" else "tool")
    file.write_text("")
    file.chmod(0o755)
    return file


def test_environment_comes_first_on_the_path(tmp_path: Path) -> None:
    """Its command wins over one of the same name elsewhere."""
    environment = _environment(tmp_path / "environment")
    other = _command(tmp_path / "other").parent
    scripts = environment_python(environment).parent
    variables = {"PATH": str(other), "PYTHONHOME": "x", "LANG": "C"}
    prepared = prepare(environment, ["tool", "-x"], variables)
    assert prepared.executable.parent == scripts
    assert prepared.arguments == ("tool", "-x")
    assert prepared.variables == {
        "PATH": f"{scripts}{os.pathsep}{other}",
        "VIRTUAL_ENV": str(environment),
        "LANG": "C",
    }


def test_command_by_path_is_taken_as_it_is(tmp_path: Path) -> None:
    """A path leads past the environment."""
    environment = _environment(tmp_path / "environment")
    other = _command(tmp_path / "other")
    assert prepare(environment, [str(other)], {}).executable == other


def test_empty_path_is_no_directory(tmp_path: Path) -> None:
    """Without a PATH the environment is searched alone, not the working directory."""
    environment = _environment(tmp_path / "environment")
    scripts = environment_python(environment).parent
    assert prepare(environment, ["tool"], {"PATH": ""}).variables["PATH"] == str(
        scripts
    )
    with pytest.raises(UsageError, match="no command nothing"):
        prepare(environment, ["nothing"], {})


def test_polylocks_own_programs_are_not_found(tmp_path: Path) -> None:
    """Its pip would install into polylock's environment, not into the project's."""
    environment = _environment(tmp_path / "environment")
    own = tmp_path / "own"
    _command(own).rename(own / "pip")
    alias = tmp_path / "alias"
    alias.symlink_to(own, target_is_directory=True)
    for directory in (own, alias):
        variables = {"PATH": f"{directory}{os.pathsep}{tmp_path / 'other'}"}
        with pytest.raises(UsageError, match="no command pip"):
            prepare(environment, ["pip"], variables, without=own)
        prepared = prepare(environment, ["tool"], variables, without=own)
        assert str(directory) not in prepared.variables["PATH"].split(os.pathsep)
        assert str(tmp_path / "other") in prepared.variables["PATH"]


@pytest.mark.skipif(os.name == "nt", reason="names without an ending")
def test_a_command_from_outside_is_told_apart(tmp_path: Path) -> None:
    """By name; one that is given by its path is meant."""
    environment = _environment(tmp_path / "environment")
    other = _command(tmp_path / "other").rename(tmp_path / "other" / "pytest")
    variables = {"PATH": str(other.parent)}
    assert prepare(environment, ["pytest"], variables).is_outside
    assert not prepare(environment, ["tool"], variables).is_outside
    assert not prepare(environment, [str(other)], variables).is_outside


def test_environment_must_be_one(tmp_path: Path) -> None:
    """A directory that is not one is an error."""
    lock = tmp_path / "pylock.toml"
    settings = Settings(cache_dir=tmp_path / "cache", lock_file=lock)
    with pytest.raises(EnvironmentBroken, match="not a virtual environment"):
        existing_environment(settings)
    made = _environment(tmp_path / ".venv")
    with pytest.raises(EnvironmentBroken, match="is gone"):
        existing_environment(settings)
    environment_python(made).touch()
    assert existing_environment(settings) == made


def _python(program: str) -> PreparedCommand:
    return PreparedCommand(
        executable=Path(sys.executable),
        arguments=("python", "-c", program),
        variables={**os.environ, "ANSWER": "5"},
    )


def test_waiting_gives_the_exit_code() -> None:
    """The command has the variables it was prepared with."""
    program = "import os, sys; sys.exit(int(os.environ['ANSWER']))"
    assert wait_for(_python(program)) == 5


def test_file_that_is_no_program_is_told(tmp_path: Path) -> None:
    """The system's reason is in the error, whichever way it is started."""
    file = tmp_path / "broken"
    file.write_bytes(b"\0")
    file.chmod(0o755)
    prepared = PreparedCommand(executable=file, arguments=("broken",), variables={})
    with pytest.raises(UsageError, match="cannot run"):
        wait_for(prepared)
    with pytest.raises(UsageError, match="cannot run"):
        become(prepared)


def test_a_program_that_cannot_be_read_is_no_script(tmp_path: Path) -> None:
    """It may be run all the same, as sudo may."""
    script = tmp_path / "script"
    script.write_text("#!/usr/bin/env python3\nprint()\n")
    assert first_line(script) == b"/usr/bin/env python3\n"
    assert first_line(tmp_path) == b""
    assert first_line(tmp_path / "gone") == b""
