"""A project file, written and loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.projects import BOX, Load, load_text

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.project.pyproject import ProjectFile


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that writes a project file and loads it."""

    def load(text: str, *, targets: str = BOX) -> ProjectFile:
        return load_text(tmp_path, text + targets)

    return load
