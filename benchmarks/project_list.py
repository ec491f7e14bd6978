"""The projects and targets of the benchmarks, in the format of each tool."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "DEFAULT_PROJECT",
    "NabMatrix",
    "ProjectList",
    "TargetChoice",
    "read_project",
    "read_targets",
    "write_pyproject",
]

HERE = Path(__file__).resolve().parent
DEFAULT_PROJECT = "medium"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectList:
    """A project to lock; ``changed`` is the package that a small change replaces."""

    name: str
    dependencies: tuple[str, ...]
    changed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target in the format of each tool; ``polylock`` is its table."""

    name: str
    python: str
    uv_platform: str
    marker: str
    polylock: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NabMatrix:
    """As many targets as nab's product of Pythons and platforms makes."""

    python: str
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChoice:
    """Some targets; ``nab`` is None if no product has that many."""

    targets: tuple[Target, ...]
    nab: NabMatrix | None

    @property
    def pythons(self) -> tuple[str, ...]:
        """Return the Python versions of the targets, lowest first."""
        versions = {target.python for target in self.targets}
        return tuple(sorted(versions, key=lambda text: int(text.partition(".")[2])))

    @property
    def requires_python(self) -> str:
        """Return the range that has exactly the Pythons of the targets."""
        major, _, minor = self.pythons[-1].partition(".")
        return f">={self.pythons[0]},<{major}.{int(minor) + 1}"

    @property
    def markers(self) -> tuple[str, ...]:
        """Return each platform and Python as a marker, for ``environments`` of uv."""
        return tuple(
            dict.fromkeys(
                f"{target.marker} and python_version == '{target.python}'"
                for target in self.targets
            )
        )


def read_project(name: str) -> ProjectList:
    """Read ``projects/NAME.toml``, or the file itself if a path is given."""
    path = Path(name) if name.endswith(".toml") else HERE / "projects" / f"{name}.toml"
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return ProjectList(
        name=path.stem,
        dependencies=tuple(document["dependencies"]),
        changed=document["changed"],
    )


def read_targets(count: int) -> TargetChoice:
    """Return the first ``count`` targets of ``targets.toml``."""
    document = tomllib.loads((HERE / "targets.toml").read_text(encoding="utf-8"))
    entries = document["targets"]
    if not 0 < count <= len(entries):
        raise ValueError(f"targets.toml has {len(entries)} targets, not {count}")
    targets = tuple(
        Target(
            name=entry["name"],
            python=entry["python"],
            uv_platform=entry["uv-platform"],
            marker=entry["marker"],
            polylock=entry["polylock"],
        )
        for entry in entries[:count]
    )
    matrix = document["nab"].get(str(count))
    nab = None
    if matrix is not None:
        nab = NabMatrix(python=matrix["python"], platforms=tuple(matrix["platforms"]))
    return TargetChoice(targets=targets, nab=nab)


def write_pyproject(
    directory: Path, project: ProjectList, requires_python: str, tool: dict[str, Any]
) -> Path:
    """Write a project file with a ``[tool]`` table; return its path."""
    import tomlkit  # to write test projects alone

    document = {
        "project": {
            "name": "benchmark",
            "version": "1.0",
            "requires-python": requires_python,
            "dependencies": list(project.dependencies),
        },
        "tool": tool,
    }
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "pyproject.toml"
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
    return path
