"""A lock between processes and threads, on a file.

The system releases the lock when the process ends, so a killed process blocks nobody.
The lock file is not removed: a waiting process has it open.

On POSIX the lock is ``flock``, used as filelock uses it, so that both exclude each
other; filelock itself takes 10 to 40 ms to import, a tenth of a sync, and releases the
lock in a forked process. On Windows it is filelock's, which handles files that are open
or being removed there.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["process_lock"]


def process_lock(
    path: Path, waiting: Callable[[], None] | None = None, *, system: str = os.name
) -> AbstractContextManager[None]:
    """Hold the lock of a file in the block, to the exclusion of all others.

    The file is created if it is absent; its directory must exist. ``waiting`` is called
    once if another process or thread holds the lock. Processes forked in the block hold
    it too. Raises OSError, with the file name, if the file cannot be written or if its
    file system has no locks.
    """
    hold = _held_by_flock if system == "posix" else _held_by_filelock
    return hold(path, waiting or _nothing)


def _nothing() -> None:
    """Do nothing."""


@contextmanager
def _held_by_flock(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Lock an open file; retry if it was removed, as others then lock a new one."""
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
                # Some network file systems; the bare error names no file and no cause.
                problem = f"its file system does not support locks: {error.strerror}"
                raise OSError(error.errno, problem, os.fspath(path)) from error
            if os.fstat(descriptor).st_nlink > 0:
                yield
                return
        finally:
            os.close(descriptor)


@contextmanager
def _held_by_filelock(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    from filelock import FileLock, Timeout  # noqa: PLC0415 - 40 ms, only on Windows

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
