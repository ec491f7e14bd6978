"""Runs polylock commands in a separate directory, without the user's settings."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polylock.__main__ import answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

__all__ = ["LONE_TARGET", "CommandLine", "Ran", "clean_variables"]

LONE_TARGET = """
[tool.polylock.targets.box]
platform = "linux-x86_64"
python = "3.12"
"""
"""A target that is named box, for projects that need no more than one."""


@dataclass(frozen=True, slots=True)
class Ran:
    """The result of a polylock command: exit code and output."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - any document
        """Return stdout as JSON."""
        return json.loads(self.out)


def clean_variables(home: Path) -> dict[str, str]:
    """Return environment variables without those that would configure polylock."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("POLYLOCK_", "PIP_", "UV_"))
        and not name.upper().endswith("_PROXY")
        and name.upper() not in {"NO_COLOR", "GITHUB_OUTPUT", "COLUMNS", "NETRC"}
    }
    return kept | {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "APPDATA": str(home),
        "LOCALAPPDATA": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }


class CommandLine:
    """Runs polylock in ``directory``, where a project file may be written."""

    def __init__(
        self,
        directory: Path,
        variables: Mapping[str, str],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.directory = directory
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        directory.mkdir(parents=True, exist_ok=True)
        for name in os.environ:
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(directory)

    def __call__(self, *arguments: str) -> Ran:
        """Run a command and return its output."""
        self._capsys.readouterr()
        code = answer(arguments)
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    def succeed(self, *arguments: str) -> Ran:
        """Run a command that must exit with 0."""
        ran = self(*arguments)
        assert ran.code == 0, ran.err
        return ran

    def set(self, name: str, value: str) -> None:
        """Set an environment variable."""
        self._monkeypatch.setenv(name, value)

    def write(self, text: str, name: str = "pyproject.toml") -> Path:
        """Write a file."""
        path = self.directory / name
        path.write_text(text, encoding="utf-8", newline="\n")
        return path

    def read(self, name: str = "pyproject.toml") -> str:
        """Read a file."""
        return (self.directory / name).read_text(encoding="utf-8")

    def copy(self, source: Path) -> None:
        """Copy the files of another directory."""
        shutil.copytree(source, self.directory, dirs_exist_ok=True)
