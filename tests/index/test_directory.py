"""Directories as indexes: pages on disk, and files side by side."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from fakes.wheels import build_sdist, build_wheel
from polylock.cache.store import Store
from polylock.errors import IndexRequestError
from polylock.index.directory import DirectoryIndex
from polylock.index_server.static_build import build_index
from polylock.model.inputs import IndexLocation

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.model.inputs import IndexFormat

DEMO = canonicalize_name("demo")


def index_of(
    directory: Path, cache: Path, *, layout: IndexFormat | None = None
) -> DirectoryIndex:
    """Return the directory as an index."""
    location = IndexLocation(name="disk", url=directory.as_uri(), format=layout)
    return DirectoryIndex(location, Store(cache))


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Return a directory with files of two projects and one of none."""
    directory = tmp_path / "wheels"
    directory.mkdir()
    build_wheel(directory, "demo", "1.0")
    build_wheel(directory, "demo", "2.0")
    build_sdist(directory, "demo", "3.0")
    build_wheel(directory, "demo-other", "9.0")
    (directory / "README.txt").write_text("x", encoding="utf-8")
    return directory


def test_a_directory_of_files(wheels: Path, tmp_path: Path) -> None:
    """Releases are found by file name; size and hash are those of the file."""
    releases = index_of(wheels, tmp_path / "cache").releases(DEMO)
    assert releases is not None
    assert list(releases.versions) == ["1.0", "2.0", "3.0"]
    wheel = releases.release(0).wheels[0]
    content = (wheels / wheel.filename).read_bytes()
    assert wheel.hashes == {"sha256": hashlib.sha256(content).hexdigest()}
    assert wheel.size == len(content)
    assert wheel.url == (wheels / wheel.filename).as_uri()
    assert releases.release(2).sdist is not None


def test_a_directory_without_the_project(wheels: Path, tmp_path: Path) -> None:
    """A project of which there is no file is not on the index."""
    index = index_of(wheels, tmp_path / "cache")
    assert index.releases(canonicalize_name("other")) is None


def test_a_file_that_changed_is_hashed_again(wheels: Path, tmp_path: Path) -> None:
    """A hash is kept for the very bytes alone."""
    cache = tmp_path / "cache"
    before = index_of(wheels, cache).releases(DEMO)
    assert before is not None
    wheel = wheels / before.release(0).wheels[0].filename
    wheel.write_bytes(wheel.read_bytes() + b"x")
    after = index_of(wheels, cache).releases(DEMO)
    assert after is not None
    assert after.release(0).wheels[0].hashes != before.release(0).wheels[0].hashes


@pytest.mark.parametrize("page", ["index.json", "index.html"])
def test_a_static_simple_index(wheels: Path, tmp_path: Path, page: str) -> None:
    """What ``polylock index build`` writes is read as it lies there."""
    (wheels / "README.txt").unlink()
    built = tmp_path / "built"
    build_index(wheels, built)
    other = {"index.json": "index.html", "index.html": "index.json"}[page]
    (built / "simple" / "demo" / other).unlink()
    index = index_of(built / "simple", tmp_path / "cache")
    assert index.format == "simple"
    releases = index.releases(DEMO)
    assert releases is not None
    wheel = releases.release(0).wheels[0]
    assert wheel.url == (built / "files" / "demo" / wheel.filename).as_uri()
    assert index.releases(canonicalize_name("absent")) is None


def test_the_format_can_be_said(wheels: Path, tmp_path: Path) -> None:
    """A directory with files beside its pages is read as it is said to be."""
    assert index_of(wheels, tmp_path / "cache").format == "flat"
    said = index_of(wheels, tmp_path / "cache", layout="simple")
    assert said.releases(DEMO) is None


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """A directory that does not exist is an error, not an empty index."""
    with pytest.raises(IndexRequestError, match="there is no such directory"):
        index_of(tmp_path / "absent", tmp_path / "cache").releases(DEMO)


def test_a_page_that_cannot_be_read(tmp_path: Path) -> None:
    """A broken page is an error that names it."""
    project = tmp_path / "simple" / "demo"
    project.mkdir(parents=True)
    (project / "index.json").write_text("{", encoding="utf-8")
    with pytest.raises(IndexRequestError, match=r"demo/index\.json"):
        index_of(tmp_path / "simple", tmp_path / "cache").releases(DEMO)
