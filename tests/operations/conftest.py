"""Projects that use the fixture index."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.workspace import Project

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture
def project(tmp_path: Path, index_url: str) -> Project:
    """Return an empty project that uses the fixture index."""
    return Project(directory=tmp_path / "project", index_url=index_url)


@pytest.fixture
def demo(project: Project) -> Project:
    """Return the demo project, not yet locked."""
    project.write((FIXTURES / "demo" / "pyproject.toml").read_text("utf-8"))
    return project
