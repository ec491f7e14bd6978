"""Unpacked wheels: built once, complete or absent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from polylock.cache.archives import Archives
from polylock.cache.store import Bucket, Store

if TYPE_CHECKING:
    from pathlib import Path

KEY = "ab" * 32


def _build(directory: Path) -> None:
    (directory / "demo.py").write_text("x = 1\n")


def test_add_builds_and_get_finds(tmp_path: Path) -> None:
    """What ``build`` wrote is found under the hash afterwards."""
    archives = Archives(Store(tmp_path))
    assert archives.get(KEY) is None
    made = archives.add(KEY, _build)
    assert (made / "demo.py").read_text() == "x = 1\n"
    assert archives.get(KEY) == made
    assert [path.name for path in made.iterdir()] == ["demo.py"]


def test_add_does_not_build_twice(tmp_path: Path) -> None:
    """An archive that is there is taken as it is."""
    archives = Archives(Store(tmp_path))
    archives.add(KEY, _build)

    def refuse(_: Path) -> None:
        raise AssertionError

    assert archives.add(KEY, refuse) == archives.get(KEY)


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    """The error of ``build`` is passed on and no half archive stays."""
    archives = Archives(Store(tmp_path))

    def fail(directory: Path) -> None:
        _build(directory)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        archives.add(KEY, fail)
    assert archives.get(KEY) is None
    kept = [p for p in (tmp_path / Bucket.ARCHIVES.directory).rglob("*") if p.is_file()]
    assert kept == []


def test_an_incomplete_archive_is_built_anew(tmp_path: Path) -> None:
    """A directory without its marker counts as absent and is replaced."""
    archives = Archives(Store(tmp_path))
    made = archives.add(KEY, _build)
    (made.parent / "complete").unlink()
    (made / "demo.py").write_text("")
    assert archives.get(KEY) is None
    assert (archives.add(KEY, _build) / "demo.py").read_text() == "x = 1\n"


def test_threads_that_add_at_once_build_once(tmp_path: Path) -> None:
    """The second thread waits for the first and takes its work."""
    built: list[Path] = []
    barrier = threading.Barrier(4)

    def build(directory: Path) -> None:
        built.append(directory)
        _build(directory)

    def work() -> None:
        archives = Archives(Store(tmp_path))
        barrier.wait()
        archives.add(KEY, build)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1


def test_remove_forgets_an_archive(tmp_path: Path) -> None:
    """A removed archive is absent and can be built again."""
    archives = Archives(Store(tmp_path))
    archives.add(KEY, _build)
    archives.remove(KEY)
    assert archives.get(KEY) is None
    archives.add(KEY, _build)


def test_a_key_that_is_no_hash_is_refused(tmp_path: Path) -> None:
    """A path cannot be smuggled in by way of the key."""
    with pytest.raises(ValueError, match="SHA-256"):
        Archives(Store(tmp_path)).get("../../etc")
