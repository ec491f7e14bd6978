"""The fixture index, built once and served on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.workspace import Project
from polylock.operations.index_build import build_index, serve_index

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture(scope="session")
def built_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the fixture index."""
    directory = tmp_path_factory.mktemp("index")
    build_index(FIXTURES / "wheels", directory)
    return directory


@pytest.fixture(scope="session")
def index_url(built_index: Path) -> Iterator[str]:
    """Serve the fixture index; return its URL."""
    with serve_index(built_index) as server:
        yield server.url


@pytest.fixture
def project(tmp_path: Path, index_url: str) -> Project:
    """Return an empty project that uses the fixture index."""
    return Project(directory=tmp_path / "project", index_url=index_url)


@pytest.fixture
def demo(project: Project) -> Project:
    """Return the demo project, not yet locked."""
    project.write((FIXTURES / "demo" / "pyproject.toml").read_text("utf-8"))
    return project
