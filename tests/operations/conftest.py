"""Projects that use the fixture index."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fakes.workspace import Project

DEMO = Path(__file__).parents[2] / "fixtures" / "demo" / "pyproject.toml"


@pytest.fixture
def project(tmp_path: Path, index_url: str) -> Project:
    """Return an empty project that uses the fixture index."""
    return Project(directory=tmp_path / "project", index_url=index_url)


@pytest.fixture
def demo(project: Project) -> Project:
    """Return the demo project, not yet locked."""
    project.write(DEMO.read_text("utf-8"))
    return project


@pytest.fixture(scope="session")
def shared_demo(tmp_path_factory: pytest.TempPathFactory, index_url: str) -> Project:
    """Return the demo project, locked, for tests that change nothing of it."""
    directory = tmp_path_factory.mktemp("locked-demo")
    project = Project(directory=directory / "project", index_url=index_url)
    project.write(DEMO.read_text("utf-8"))
    project.lock()
    return project


@pytest.fixture
def locked_demo(project: Project, shared_demo: Project) -> Project:
    """Return the demo project, locked, with what locking left in the cache."""
    root = project.directory.parent
    shutil.copytree(shared_demo.directory.parent, root, dirs_exist_ok=True)
    return project
