"""The applications of ``applications.py``, and the machines they are locked for."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "PLATFORMS",
    "Application",
    "Machine",
    "Platform",
    "application_names",
    "read_application",
]

_DIRECTORY = Path(__file__).resolve().parent / "projects" / "applications"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A system and processor, as polylock and as uv call it."""

    name: str
    polylock: str
    uv: str


PLATFORMS = (
    Platform(name="linux", polylock="linux-x86_64", uv="x86_64-manylinux_2_28"),
    Platform(name="arm", polylock="linux-aarch64", uv="aarch64-manylinux_2_28"),
    Platform(name="mac", polylock="macos-arm64", uv="aarch64-apple-darwin"),
    Platform(name="windows", polylock="windows-x86_64", uv="x86_64-pc-windows-msvc"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A platform with a Python: one target."""

    platform: Platform
    python: str

    @property
    def name(self) -> str:
        """Return the name of the target."""
        return f"{self.platform.name}-py{self.python.replace('.', '')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The requirements of an application, and where they come from.

    ``impossible`` holds the platforms that it cannot be locked for, each with the
    reason: both tools are to refuse these. ``differences`` are the projects that uv
    locks otherwise, each with the reason.
    """

    name: str
    kind: str
    origin: str
    version: str
    pythons: tuple[str, ...]
    dependencies: tuple[str, ...]
    impossible: Mapping[str, str]
    differences: Mapping[str, str]

    def machines(self, platforms: Sequence[Platform] = PLATFORMS) -> list[Machine]:
        """Return the targets that it can be locked for."""
        return [
            Machine(platform=platform, python=python)
            for platform in platforms
            for python in self.pythons
            if platform.name not in self.impossible
        ]

    def refused(self) -> list[Machine]:
        """Return the targets that it cannot be locked for."""
        return [
            Machine(platform=platform, python=python)
            for platform in PLATFORMS
            for python in self.pythons
            if platform.name in self.impossible
        ]

    @property
    def requires_python(self) -> str:
        """Return the range that starts with the lowest of its Pythons."""
        lowest = min(self.pythons, key=lambda text: int(text.partition(".")[2]))
        return f">={lowest}"


def application_names() -> list[str]:
    """Return the names of all applications, sorted."""
    return sorted(path.stem for path in _DIRECTORY.glob("*.toml"))


def read_application(name: str) -> Application:
    """Read ``projects/applications/NAME.toml``, or the file if a path is given."""
    path = Path(name) if name.endswith(".toml") else _DIRECTORY / f"{name}.toml"
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return Application(
        name=path.stem,
        kind=document["kind"],
        origin=document["origin"],
        version=document["version"],
        pythons=tuple(document["pythons"]),
        dependencies=tuple(document["dependencies"]),
        impossible=document.get("impossible", {}),
        differences=document.get("differences", {}),
    )
