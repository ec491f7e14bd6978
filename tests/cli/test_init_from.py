"""``polylock init --from``: eight public projects move in, rebuilt in small.

``tests/data/moved`` names their origins. Each is converted, locked with the pins of its
own tool, synced and run; the locked versions are those of its own lock file.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fakes.moved_projects import lay_out
from fakes.this_machine import python_path
from polylock.foreign.formats import read_foreign_lock
from polylock.foreign.pins import pins_for
from polylock.lockfile.changes import installed
from polylock.lockfile.read import read_pylock
from polylock.operations.workspace import open_workspace
from polylock.project.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fakes.command_line import CommandLine
    from fakes.server import Server
    from polylock.model.target import Target

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
SOURCE = Path(__file__).parents[2] / "src"


@dataclass(frozen=True)
class Moved:
    """A public project, and what its conversion gives.

    ``listed`` are the settings that were listed. ``only_theirs`` are projects that only
    its own tool locks, with the reason. ``module`` is imported in the environment of
    the first target, which is synced with ``options``.
    """

    name: str
    tool: str
    module: str
    targets: tuple[str, ...] = ("linux-x86-64",)
    sources: Mapping[str, Any] = field(default_factory=dict)
    listed: tuple[str, ...] = ()
    only_theirs: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    @property
    def lock(self) -> str:
        """Return the name of its lock file."""
        return f"{self.tool}.lock"


MEMBERS = ("--group", "members", "--group", "dev")
PROJECTS = (
    Moved(name="nanochat", tool="uv", module="torch", targets=("gpu", "cpu", "mps")),
    Moved(name="kokoro-fastapi", tool="uv", module="torch", targets=("gpu", "cpu")),
    Moved(name="mcp-python-sdk", tool="uv", module="anyio", options=MEMBERS),
    Moved(name="autogen", tool="uv", module="pydantic", options=MEMBERS),
    Moved(name="cleo", tool="poetry", module="rapidfuzz"),
    Moved(name="nicegui", tool="poetry", module="orjson", options=("--extra", "redis")),
    Moved(name="litellm", tool="poetry", module="openai", options=("--extra", "proxy")),
    Moved(name="pdm", tool="pdm", module="blinker", options=("--group", "test")),
)


def _theirs(path: Path, target: Target) -> dict[str, str]:
    lock = read_foreign_lock(path.read_bytes(), str(path), lambda *_: ("", b""))
    return {name: pin.version for name, pin in pins_for(lock, target).items()}


def _ours(path: Path) -> dict[str, dict[str, str]]:
    pylock = read_pylock(path.read_bytes(), str(path))
    return {
        target: {
            name: side.version
            for name, side in packages.items()
            if side.version is not None
        }
        for target, packages in installed(pylock, str(path)).items()
    }


def _run(directory: Path, module: str) -> subprocess.CompletedProcess[str]:
    """Run polylock as a process, for it becomes the command."""
    program = f"import {module}; print({module}.__name__)"
    return subprocess.run(
        [sys.executable, "-m", "polylock", "run", "--force-target", "--"]
        + ["python", "-c", program],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": python_path(SOURCE)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("moved", PROJECTS, ids=lambda moved: moved.name)
def test_public_project_moves_in(
    moved: Moved, polylock: CommandLine, server: Server, tmp_path: Path
) -> None:
    """It is converted, locked as its own tool locked it, synced and run."""
    directory = polylock.directory
    lay_out(moved.name, directory, server, tmp_path / "wheels")
    polylock.set("POLYLOCK_INDEX_URL", f"{server.url}/simple")
    refused = polylock("lock")
    assert refused.code == 2
    arguments = ("--from", moved.tool, "--preset", "linux-x86_64", "--python", RUNNING)
    converted = polylock.succeed("init", *arguments, "--json").json
    text = polylock.read()
    tool = tomllib.loads(text)["tool"]["polylock"]
    assert polylock.succeed("init", *arguments, "--json").json["changed"] is False
    assert polylock.read() == text
    locked = polylock.succeed("lock", "--pins-from", moved.lock)
    settings = Settings(cache_dir=tmp_path / "cache", project=directory)
    theirs = {
        target.name: _theirs(directory / moved.lock, target)
        for target in open_workspace(settings).targets
    }
    ours = _ours(directory / "pylock.toml")
    chosen = ("--target", moved.targets[0], "--force-target")
    synced = polylock.succeed("sync", *chosen, *moved.options)
    ran = _run(directory, moved.module)
    with open("/tmp/seen.txt", "a") as f:
        print("=====", moved.name, refused.err, file=f)
        print(text, file=f)
        print(converted["listed"], file=f)
        print(locked.err, file=f)
        for t in ours:
            print(
                t,
                {
                    k: (v, theirs[t].get(k))
                    for k, v in ours[t].items()
                    if theirs[t].get(k) != v
                },
                set(theirs[t]) - set(ours[t]),
                file=f,
            )
        print(synced.err, ran, file=f)
