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


GPU = {
    "torch": [
        {"index": "pytorch-cpu", "targets": ["cpu"]},
        {
            "index": "pytorch-cu128",
            "targets": ["gpu"],
            "properties": ["nvidia :: cuda_version_lower_bound :: 12.8"],
        },
    ]
}
EXTRAS = "project.optional-dependencies"
CUDA_ALONE = {"nvidia-cudnn-cu12": "only the CUDA build of torch needs it"}
PROJECTS = (
    Moved(
        name="nanochat",
        tool="uv",
        module="torch",
        targets=("gpu", "cpu", "mps"),
        sources=GPU,
        listed=(f"{EXTRAS}.gpu", f"{EXTRAS}.cpu", f"{EXTRAS}.mps"),
        only_theirs=CUDA_ALONE,
    ),
    Moved(
        name="kokoro-fastapi",
        tool="uv",
        module="torch",
        targets=("gpu", "cpu"),
        sources={
            "torch": [
                GPU["torch"][0],
                {**GPU["torch"][1], "index": "pytorch-cuda"},
            ]
        },
        listed=(f"{EXTRAS}.gpu", f"{EXTRAS}.cpu"),
        only_theirs=CUDA_ALONE,
    ),
    Moved(
        name="mcp-python-sdk",
        tool="uv",
        module="anyio",
        listed=("tool.uv.required-version",),
        only_theirs={"pywin32": "only Windows needs it"},
        options=("--all-packages",),
    ),
    Moved(
        name="autogen",
        tool="uv",
        module="pydantic",
        options=("--all-packages",),
    ),
    Moved(name="cleo", tool="poetry", module="rapidfuzz"),
    Moved(name="nicegui", tool="poetry", module="orjson", options=("--extra", "redis")),
    Moved(
        name="litellm",
        tool="poetry",
        module="openai",
        listed=("tool.poetry.extras.extra_proxy",),
        options=("--extra", "proxy"),
    ),
    Moved(
        name="pdm",
        tool="pdm",
        module="blinker",
        listed=("tool.pdm.scripts",),
    ),
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
    command = ("run", "--force-target", "--", "python", "-c", program)
    return subprocess.run(
        [sys.executable, "-m", "polylock", *command],
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
    assert (refused.code, f"init --from {moved.tool}" in refused.err) == (2, True)
    arguments = ("--from", moved.tool, "--preset", "linux-x86_64", "--python", RUNNING)
    converted = polylock.succeed("init", *arguments, "--json").json
    assert tuple(item["setting"] for item in converted["listed"]) == moved.listed
    text = polylock.read()
    tool = tomllib.loads(text)["tool"]["polylock"]
    assert tuple(tool["targets"]) == moved.targets
    assert tool.get("sources", {}) == moved.sources
    assert polylock.succeed("init", *arguments, "--json").json["changed"] is False
    assert polylock.read() == text
    polylock.succeed("lock", "--pins-from", moved.lock)
    _compare(moved, directory, tmp_path)
    chosen = ("--target", moved.targets[0], "--force-target")
    polylock.succeed("sync", *chosen, *moved.options)
    ran = _run(directory, moved.module)
    assert (ran.returncode, ran.stdout) == (0, f"{moved.module}\n"), ran.stderr


def _compare(moved: Moved, directory: Path, cache: Path) -> None:
    """Compare what is locked with the lock file of the other tool.

    A pin of a direct source is not in it, and neither is one of a member.
    """
    settings = Settings(cache_dir=cache / "cache", project=directory)
    missing = set()
    for target in open_workspace(settings).targets:
        theirs = _theirs(directory / moved.lock, target)
        ours = _ours(directory / "pylock.toml")[target.name]
        public = {name: version.partition("+")[0] for name, version in theirs.items()}
        for name, version in ours.items():
            assert public.get(name, version) == version.partition("+")[0]
        missing |= theirs.keys() - ours.keys()
        assert ours.keys() - theirs.keys() <= {"en-core-web-sm"}
    assert missing == moved.only_theirs.keys()


UV = '[project]\nname = "a"\n[tool.uv]\nconstraint-dependencies = ["b<2"]  # why\n'


def test_a_dry_run_shows_the_difference(polylock: CommandLine) -> None:
    """It is data, and nothing is written."""
    polylock.write(UV)
    ran = polylock.succeed("init", "--from", "uv", "--preset", "t4", "--dry-run")
    assert '+constraint-dependencies = ["b<2"]\n' in ran.out
    assert ran.out.startswith("--- pyproject.toml\n")
    assert ran.err.startswith("would convert in pyproject.toml:\n")
    assert polylock.read() == UV


def test_the_report_says_what_became_what(polylock: CommandLine) -> None:
    """What is left is told with its reason, and the next step with the lock file."""
    polylock.write(f'{UV}exclude-newer = "?"\n')
    polylock.write("", "uv.lock")
    arguments = ("--from", "uv", "--preset", "t4", "--python", "3.12")
    ran = polylock.succeed("init", *arguments)
    assert ran.err.splitlines()[:3] == [
        "converted in pyproject.toml:",
        "  targets -> t4",
        "  tool.uv.constraint-dependencies -> tool.polylock.constraint-dependencies",
    ]
    assert "\nto check:\n  tool.uv.exclude-newer: '?' is neither" in ran.err
    assert ran.err.endswith("next: polylock lock --pins-from uv.lock\n")
    assert "# why" in polylock.read()
    again = polylock.succeed("init", *arguments)
    assert again.err.startswith("pyproject.toml is unchanged")
    refused = polylock("lock")
    assert "tool.uv.exclude-newer" in refused.err
    assert "hint: `polylock init --from uv` converts it" in refused.err


@pytest.mark.parametrize(
    ("text", "tool", "words"),
    [
        (UV, "poetry", "has no [tool.poetry], and there is no poetry.lock"),
        (UV, "poetry", "it has [tool.uv]: `polylock init --from uv`"),
        ('[project]\nname = "a"\n', "pdm", "`polylock init` writes targets"),
        (UV, "requirements", "there is no requirements file in"),
        (f'{UV}[tool.polylock]\npython = "x"\n', "uv", "tool.polylock"),
        ("[project\n", "uv", "is not TOML"),
    ],
)
def test_after_an_error_the_file_is_as_before(
    polylock: CommandLine, text: str, tool: str, words: str
) -> None:
    """The message says what is used instead, or what is wrong."""
    polylock.write(text)
    ran = polylock("init", "--from", tool, "--preset", "t4")
    assert ran.code == 2
    assert words in ran.err
    assert polylock.read() == text


def test_dry_runs_are_for_conversions(polylock: CommandLine) -> None:
    """Targets alone are written, or not asked for."""
    ran = polylock("init", "--dry-run", "--preset", "t4")
    assert (ran.code, "--dry-run is only for --from" in ran.err) == (2, True)


def test_a_broken_requirements_file(polylock: CommandLine) -> None:
    """The line is named, and no project is written."""
    polylock.write("a\nb=1\n", "requirements.txt")
    polylock.write("-r requirements.txt\n", "requirements-dev.txt")
    ran = polylock("init", "--from", "requirements", "--preset", "t4")
    assert ran.code == 2
    assert "requirements.txt: line 2: 'b=1' is not a requirement" in ran.err
    assert not (polylock.directory / "pyproject.toml").exists()
