"""One sync of an environment at a time."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["exclusive"]


@contextmanager
def exclusive(path: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock on a file during the block.

    ``waiting`` is called where another process has it. The file is made and stays. A
    process that is forked in the block holds the lock as well, until it ends. Raises
    OSError where the file cannot be opened or locked.
    """
    held = _held_by_flock if os.name == "posix" else _held_by_filelock
    with held(path, waiting):
        yield


@contextmanager
def _held_by_flock(path: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Lock as filelock does on POSIX, without its 10 ms of import.

    filelock, in earlier releases of polylock or elsewhere, may remove the file when
    it lets go: a lock on a file that has gone is none.
    """
    import fcntl  # noqa: PLC0415 - not on Windows

    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink > 0:
                yield
                return
        finally:
            os.close(descriptor)


@contextmanager
def _held_by_filelock(path: str, waiting: Callable[[], None]) -> Iterator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415 - 10 ms, on Windows alone

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
