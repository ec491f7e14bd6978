"""Locks between processes, and between threads, by a file; the system ends them.

A lock ends with the process that holds it, however that ends, and with those that were
forked from it meanwhile. Its file stays: who waits has it open.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

__all__ = ["locked"]


def _no_word() -> None:
    """Wait without a word."""


def locked(
    path: str, waiting: Callable[[], None] = _no_word
) -> AbstractContextManager[None]:
    """Keep others that lock the file out of the block; its directory must exist.

    ``waiting`` is called before another one is waited for. Raises OSError.
    """
    held = _held_by_flock if os.name == "posix" else _held_by_filelock
    return held(path, waiting)


@contextmanager
def _held_by_flock(path: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Lock as filelock does on POSIX, without its 10 ms of import.

    filelock also lets go of the lock in a process that is forked. A file that was
    removed while this process waited is locked for nobody else, so it is opened anew.
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
