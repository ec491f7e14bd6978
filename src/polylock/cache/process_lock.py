"""A block that one process or thread at a time may be in, whichever they are.

The system holds the lock and ends it with the process, so one that was killed holds
nobody up. The file that stands for the lock stays: who waits has it open.

On POSIX the lock is ``flock``, taken as filelock takes it, so that the two exclude each
other; filelock itself would cost 10 to 40 ms of import, a tenth of a sync, and lets go
of the lock in a process that is forked. On Windows it is filelock's, which knows what
Windows does with files that are open or about to be removed.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ["process_lock"]


def process_lock(
    path: Path, waiting: Callable[[], None] | None = None, *, system: str = os.name
) -> AbstractContextManager[None]:
    """Keep everybody else who names the file out of the block.

    The file is made where there is none, its directory must exist. ``waiting`` is
    called once if another holds the lock. Processes that are forked in the block hold
    it as well. Raises OSError, with the file named, where it cannot be written or its
    file system has no locks.
    """
    hold = _held_by_flock if system == "posix" else _held_by_filelock
    return hold(path, waiting or _nothing)


def _nothing() -> None:
    """Do nothing."""


@contextmanager
def _held_by_flock(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Lock an open file; one that was removed meanwhile is locked for nobody else."""
    import fcntl  # noqa: PLC0415 - not on Windows

    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            except OSError as error:
                # Some network file systems: the error would say neither what nor where.
                problem = f"its file system gives no lock: {error.strerror}"
                raise OSError(error.errno, problem, os.fspath(path)) from error
            if os.fstat(descriptor).st_nlink > 0:
                yield
                return
        finally:
            os.close(descriptor)


@contextmanager
def _held_by_filelock(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415 - 40 ms, on Windows alone

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
