"""The tools that are compared: the commands of each, for each scenario of locking.

All of them use only wheels, so no build backend is measured, and each has its own
cache. Each tool runs with the options that its documentation gives for the task.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from project_list import write_pyproject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aside import Aside
    from project_list import ProjectList, TargetChoice

__all__ = [
    "MODULE",
    "Contestant",
    "Scenario",
    "clean_environment",
    "contestants",
    "find_program",
    "find_uv",
    "has_nab",
    "polylock_command",
]

Command = list[str]

_PREFIXES = ("UV_", "PIP_", "POLYLOCK_", "NAB_")


MODULE = (sys.executable, "-m", "polylock")
"""polylock as a module of this Python."""


class Scenario(StrEnum):
    """The state before a run, and the task of the run."""

    COLD = "cold"
    WARM = "warm"
    OFFLINE = "warm, offline"
    UNCHANGED = "no-op"
    UNCHANGED_AGAIN = "no-op, again"
    CHECK = "check"
    CHECK_AGAIN = "check, again"

    @property
    def is_check(self) -> bool:
        """Return True if the lock file is compared and never written."""
        return self in {Scenario.CHECK, Scenario.CHECK_AGAIN}

    @property
    def is_repeated(self) -> bool:
        """Return True if the same command has just run: it may remember its answer."""
        return self in {Scenario.UNCHANGED_AGAIN, Scenario.CHECK_AGAIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """What all contestants of one comparison share.

    ``program`` is how polylock is started.
    """

    project: ProjectList
    targets: TargetChoice
    index_url: str
    directory: Path
    program: tuple[str, ...] = MODULE


class Contestant(Protocol):
    """A tool with a project directory and a cache of its own."""

    @property
    def name(self) -> str:
        """Return what the tables call it."""
        ...

    @property
    def directory(self) -> Path:
        """Return where its project and its cache are."""
        ...

    def commands(self, scenario: Scenario) -> list[Command] | None:
        """Return the processes of a scenario, None where the tool has no such."""
        ...


@dataclass(frozen=True, slots=True)
class Polylock:
    """``polylock lock`` and ``polylock check``."""

    race: Race
    name: str = "polylock"

    @property
    def directory(self) -> Path:
        """Return where its project and its cache are."""
        return self.race.directory / "polylock"

    def prepare(self) -> None:
        """Write its project file."""
        targets: dict[str, Any] = {
            target.name: {**target.polylock, "python": target.python}
            for target in self.race.targets.targets
        }
        requires_python = self.race.targets.requires_python
        tool = {"polylock": {"targets": targets}}
        write_pyproject(self.directory, self.race.project, requires_python, tool)

    def commands(self, scenario: Scenario) -> list[Command]:
        """Return the one process."""
        cache = ("--cache-dir", str(self.directory / "cache"), "--json")
        if scenario.is_check:
            return [[*self._start("check"), *cache]]
        command = [
            *self._start("lock"),
            *("--index-url", self.race.index_url),
            *cache,
        ]
        return [_offline(command, scenario)]

    def _start(self, verb: str) -> Command:
        return polylock_command(verb, self.directory, self.race.program)


@dataclass(frozen=True, slots=True)
class UvLock:
    """``uv lock``: one universal resolution over the platforms of the targets."""

    race: Race
    uv: str
    name: str = "uv lock"

    @property
    def directory(self) -> Path:
        """Return where its project and its cache are."""
        return self.race.directory / "uv-lock"

    def prepare(self) -> None:
        """Write its project file."""
        tool = {"uv": {"environments": list(self.race.targets.markers)}}
        # uv wants the Python that runs it to be one that the project allows, so it must
        # be neither above the targets' nor below.
        running = sys.version_info[:2]
        wanted = tuple(map(int, self.race.targets.pythons[0].split(".")))
        lowest = ".".join(map(str, min(running, wanted)))
        write_pyproject(self.directory, self.race.project, f">={lowest}", tool)

    def commands(self, scenario: Scenario) -> list[Command]:
        """Return the one process."""
        command = [
            *(self.uv, "lock", "--project", str(self.directory)),
            *("--default-index", self.race.index_url, "--no-build"),
            *("--cache-dir", str(self.directory / "cache")),
            *("--python", sys.executable),
        ]
        if scenario.is_check:
            command.append("--check")
        return [_offline(command, scenario)]


@dataclass(frozen=True, slots=True)
class UvCompile:
    """``uv pip compile`` to pylock.toml, once for each target."""

    race: Race
    uv: str
    name: str = "uv pip compile"

    @property
    def directory(self) -> Path:
        """Return where its project and its cache are."""
        return self.race.directory / "uv-compile"

    def prepare(self) -> None:
        """Write its project file."""
        requires_python = self.race.targets.requires_python
        write_pyproject(self.directory, self.race.project, requires_python, {})

    def commands(self, scenario: Scenario) -> list[Command] | None:
        """Return a process for each target; it has no check."""
        if scenario.is_check:
            return None
        return [
            _offline(command, scenario)
            for command in self._locks(self.directory / "pyproject.toml")
        ]

    def _locks(self, project: Path) -> Iterator[Command]:
        for target in self.race.targets.targets:
            lock_file = self.directory / f"pylock.{target.name}.toml"
            yield [
                *(self.uv, "pip", "compile", str(project), "--quiet"),
                *("--format", "pylock.toml", "--output-file", str(lock_file)),
                *("--default-index", self.race.index_url, "--no-build"),
                *("--cache-dir", str(self.directory / "cache")),
                *("--python", sys.executable, "--python-version", target.python),
                *("--python-platform", target.uv_platform),
            ]


@dataclass(frozen=True, slots=True)
class Nab:
    """``nab lock`` over its matrix of Pythons and platforms."""

    race: Race
    name: str = "nab"

    @property
    def directory(self) -> Path:
        """Return where its project and its cache are."""
        return self.race.directory / "nab"

    def prepare(self) -> None:
        """Write its project file."""
        tool: dict[str, Any] = {
            "dist-policy": "wheel-only",
            "indexes": [{"name": "frozen", "url": self.race.index_url}],
        }
        matrix = self.race.targets.nab
        if matrix is not None and self._is_single:
            (target,) = self.race.targets.targets
            (platform,) = matrix.platforms
            tool["environment"] = {"python": target.python, "platform": platform}
        elif matrix is not None:
            tool["mode"] = "universal"
            tool["matrix"] = {
                "python": matrix.python,
                "platforms": list(matrix.platforms),
            }
        requires_python = self.race.targets.requires_python
        write_pyproject(
            self.directory, self.race.project, requires_python, {"nab": tool}
        )

    @property
    def _is_single(self) -> bool:
        return len(self.race.targets.targets) == 1

    def commands(self, scenario: Scenario) -> list[Command] | None:
        """Return the one process.

        None where its matrix has no such size, and for the check of several targets:
        it refuses ``--locked`` there.
        """
        if self.race.targets.nab is None:
            return None
        if scenario.is_check and not self._is_single:
            return None
        command = [
            *(sys.executable, "-m", "nab", "lock"),
            str(self.directory / "pyproject.toml"),
            *("--output", str(self.directory / "pylock.toml")),
            *("--cache-dir", str(self.directory / "cache"), "--no-progress"),
        ]
        if scenario.is_check:
            command.append("--locked")
        return [_offline(command, scenario)]


def contestants(race: Race) -> list[Contestant]:
    """Return polylock and the other installed tools, ready to run."""
    found: list[Polylock | UvLock | UvCompile | Nab] = [Polylock(race)]
    uv = find_uv()
    if uv is not None:
        found += [UvLock(race, uv), UvCompile(race, uv)]
    if has_nab():
        found.append(Nab(race))
    for contestant in found:
        contestant.prepare()
    return list(found)


def clear(contestant: Contestant, scenario: Scenario, aside: Aside) -> None:
    """Remove what must be absent in a scenario."""
    if scenario is Scenario.COLD:
        aside.put(contestant.directory / "cache")
    if scenario in {Scenario.COLD, Scenario.WARM, Scenario.OFFLINE}:
        for pattern in ("pylock*.toml", "uv.lock"):
            for path in contestant.directory.glob(pattern):
                path.unlink()


def polylock_command(
    verb: str, project: Path, program: tuple[str, ...] = MODULE
) -> Command:
    """Return the start of a polylock command on a project directory."""
    return [*program, verb, "--project", str(project / "pyproject.toml")]


def find_program(*, script: bool) -> tuple[str, ...]:
    """Return how polylock is started: as a module, or by the script beside Python."""
    if not script:
        return MODULE
    found = shutil.which("polylock", path=str(Path(sys.executable).parent))
    if found is None:
        raise SystemExit(f"there is no script polylock beside {sys.executable}")
    return (found,)


def find_uv() -> str | None:
    """Return the uv beside this Python, else the one on the path."""
    beside = shutil.which("uv", path=str(Path(sys.executable).parent))
    return beside or shutil.which("uv")


def has_nab() -> bool:
    """Return True if this Python has nab."""
    from importlib.util import find_spec  # noqa: PLC0415 - not in every run

    return find_spec("nab") is not None


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment in which no tool finds configuration or a proxy."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(_PREFIXES)
        and not name.upper().endswith("_PROXY")
        and name not in {"VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"}
    }
    home.mkdir(parents=True, exist_ok=True)
    return environment | {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "XDG_CONFIG_HOME": str(home),
        "NO_COLOR": "1",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
    }


def _offline(command: Command, scenario: Scenario) -> Command:
    return [*command, "--offline"] if scenario is Scenario.OFFLINE else command
