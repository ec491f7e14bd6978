"""Unpacked wheels: built once, complete or absent."""

from __future__ import annotations

import errno
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from polylock.cache import archives as archives_module
from polylock.cache.archives import Archives
from polylock.cache.store import Bucket, Store
from polylock.errors import CacheUnusable

if TYPE_CHECKING:
    from collections.abc import Sequence
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


def test_threads_sync_their_archives_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is unpacked while one sync runs waits for the next, all in one call."""
    store = Store(tmp_path)
    begun, may_end = threading.Event(), threading.Event()
    groups: list[int] = []

    def sync_trees(trees: Sequence[Path]) -> None:
        groups.append(len(trees))
        begun.set()
        assert may_end.wait(30)

    monkeypatch.setattr(archives_module, "sync_trees", sync_trees)
    built = threading.Barrier(5)

    def build(place: Path) -> None:
        (place / "file").write_text("content")

    def build_with_others(place: Path) -> None:
        build(place)
        built.wait(30)

    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(Archives(store).add, f"{0:064x}", build)
        assert begun.wait(30)
        rest = [
            pool.submit(Archives(store).add, f"{each:064x}", build_with_others)
            for each in range(1, 5)
        ]
        built.wait(30)
        time.sleep(0.2)  # until all four have asked for a sync
        may_end.set()
        for future in (first, *rest):
            assert (future.result() / "file").read_text() == "content"
    assert sum(groups) == 5
    assert groups[0] == 1
    assert len(groups) < 4


def test_a_failed_sync_fails_for_all_that_waited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No archive is complete that may not be on disk, and the next sync is tried."""
    store = Store(tmp_path)
    built = threading.Barrier(3)

    def failing(_trees: Sequence[Path]) -> None:
        time.sleep(0.1)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def build(_place: Path) -> None:
        built.wait(30)

    monkeypatch.setattr(archives_module, "sync_trees", failing)
    with ThreadPoolExecutor(3) as pool:
        futures = [
            pool.submit(Archives(store).add, f"{each:064x}", build) for each in range(3)
        ]
        for future in futures:
            with pytest.raises(CacheUnusable, match="Input/output error"):
                future.result()
    assert list(Archives(store).all()) == []
    monkeypatch.undo()
    assert Archives(store).add(f"{0:064x}", lambda _: None).is_dir()
