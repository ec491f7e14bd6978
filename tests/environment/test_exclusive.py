"""Holding the lock of an environment."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock, Timeout

from polylock.environment.exclusive import LOCK_FILE, exclusive
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from pathlib import Path


class Told(SilentReporter):
    """Notes that the lock is waited for."""

    def __init__(self) -> None:
        self.waiting = threading.Event()

    def warning(self, message: str) -> None:
        """Take the one warning that there is."""
        assert message.startswith("waiting for another polylock")
        self.waiting.set()


def test_the_lock_is_the_one_of_filelock(tmp_path: Path) -> None:
    """Who uses filelock, as earlier releases did, is kept out, and let in after."""
    path = tmp_path / LOCK_FILE
    told = Told()
    with exclusive(tmp_path, told), pytest.raises(Timeout):
        FileLock(path).acquire(timeout=0)
    assert not told.waiting.is_set()
    with FileLock(path):
        pass


@pytest.mark.skipif(os.name != "posix", reason="Windows removes no open file")
def test_a_lock_on_a_removed_file_is_none(tmp_path: Path) -> None:
    """Who waited for a file that then was removed locks the file that is there."""
    path = tmp_path / LOCK_FILE
    entered = threading.Event()
    told = Told()

    def second() -> None:
        with exclusive(tmp_path, told):
            with pytest.raises(Timeout):
                FileLock(path).acquire(timeout=0)
            entered.set()

    thread = threading.Thread(target=second)
    with exclusive(tmp_path, Told()):
        thread.start()
        assert told.waiting.wait(10)
        path.unlink()
    thread.join(10)
    assert entered.is_set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_holds_the_lock(tmp_path: Path) -> None:
    """A second process that outlives the first keeps others out until it ends."""
    path = tmp_path / LOCK_FILE
    ready, end = os.pipe(), os.pipe()
    first = os.fork()
    if first == 0:
        with exclusive(tmp_path, Told()):
            if os.fork() == 0:
                os.close(end[1])
                os.write(ready[1], b"1")
                os.read(end[0], 1)
            os._exit(0)
    os.waitpid(first, 0)
    os.read(ready[0], 1)
    with pytest.raises(Timeout):
        FileLock(path).acquire(timeout=0)
    os.write(end[1], b"1")
    with exclusive(tmp_path, Told()):
        pass
    for descriptor in (*ready, *end):
        os.close(descriptor)
