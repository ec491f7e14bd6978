"""The project of the sync benchmark, with this machine as its only target."""

from __future__ import annotations

import json
import platform
import sys
import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from contestants import polylock_command
from measurement import run
from project_list import write_pyproject

if TYPE_CHECKING:
    from pathlib import Path

    from project_list import ProjectList

__all__ = ["SyncProject"]

_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True)
class SyncProject:
    """Two lock files that differ in one package, for this machine and this Python."""

    project: ProjectList
    index_url: str
    directory: Path
    environment: dict[str, str]

    def lock(self) -> tuple[Path, Path]:
        """Lock twice, the second time with an older version of one package."""
        first = self._lock("first", self.project)
        packages = tomllib.loads(first.read_text(encoding="utf-8"))["packages"]
        name = canonicalize_name(self.project.changed)
        version = next(one["version"] for one in packages if one["name"] == name)
        older = (*self.project.dependencies, f"{name}<{version}")
        return first, self._lock("second", replace(self.project, dependencies=older))

    def _lock(self, name: str, project: ProjectList) -> Path:
        directory = self.directory / name
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        target = {"platform": _here(), "python": python}
        tool = {"polylock": {"targets": {"here": target}}}
        write_pyproject(directory, project, f"=={python}.*", tool)
        path = directory / "pylock.toml"
        path.unlink(missing_ok=True)
        command = [
            *polylock_command("lock", directory),
            *("--index-url", self.index_url, "--json"),
            *("--cache-dir", str(self.directory / "lock-cache")),
        ]
        sample = run([command], self.environment)
        if sample.problem:
            raise SystemExit(f"the project cannot be locked: {sample.problem}")
        assert json.loads(sample.output)["written"]
        return path


def _here() -> str:
    machine = platform.machine().lower()
    name = _MACHINES.get(machine, machine)
    system = _SYSTEMS.get(sys.platform, sys.platform)
    return f"{system}-{'arm64' if (system, name) == ('macos', 'aarch64') else name}"
