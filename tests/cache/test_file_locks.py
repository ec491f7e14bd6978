"""A lock by a file, between threads and processes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock, Timeout

from polylock.cache.file_locks import locked

if TYPE_CHECKING:
    from pathlib import Path


def test_a_lock_keeps_others_out_until_its_block_ends(tmp_path: Path) -> None:
    """Who uses filelock, as earlier releases did, is kept out, and let in after."""
    path = tmp_path / "one.lock"
    with locked(str(path)), pytest.raises(Timeout):
        FileLock(path).acquire(timeout=0)
    with FileLock(path):
        pass


def test_a_thread_is_told_and_waits(tmp_path: Path) -> None:
    """A second thread is told once that it waits, and has the lock after the first."""
    path = str(tmp_path / "one.lock")
    waits, done = threading.Event(), threading.Event()

    def second() -> None:
        with locked(path, waits.set):
            done.set()

    thread = threading.Thread(target=second)
    with locked(path):
        thread.start()
        assert waits.wait(10)
        assert not done.is_set()
    thread.join(10)
    assert done.is_set()


def test_a_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    """What the block raises is passed on, and the file is free again."""
    path = tmp_path / "one.lock"
    with pytest.raises(LookupError), locked(str(path)):
        raise LookupError
    with FileLock(path, timeout=0):
        pass


def test_a_lock_in_no_directory_is_an_error(tmp_path: Path) -> None:
    """The directory of the file is the caller's to make."""
    with pytest.raises(FileNotFoundError), locked(str(tmp_path / "none" / "one.lock")):
        pass
