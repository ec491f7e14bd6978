"""Project files, written and loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from polylock.project.pyproject import ProjectFile, load_project
from polylock.project.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BOX", "Load", "load_text"]

BOX = """
[tool.polylock.targets.box]
platform = "linux-x86_64"
python = "3.12"
"""
"""A target that is named box."""


class Load(Protocol):
    """Loads a project file with the given text and, by default, a target."""

    def __call__(self, text: str, *, targets: str = BOX) -> ProjectFile:
        """Return what was read; ``targets`` is appended to the text."""
        ...


def load_text(directory: Path, text: str) -> ProjectFile:
    """Write a project file with this text into the directory and load it."""
    path = directory / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    settings = Settings(
        cache_dir=directory / "cache", index_url="https://index.example.com/simple"
    )
    return load_project(path, settings=settings)
