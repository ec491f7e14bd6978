"""One change of an environment at a time, over all processes."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from polylock.errors import EnvironmentBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from polylock.ports import Reporter

__all__ = ["LOCK_FILE", "exclusive"]

LOCK_FILE = ".polylock.lock"
"""Name of the file by which two syncs of one environment wait for each other."""


@contextmanager
def exclusive(prefix: Path, reporter: Reporter) -> Iterator[None]:
    """Keep a second sync of the environment waiting for the end of the block.

    The directory must exist. The file stays: a waiting process may have it open. The
    system ends the lock with the process, however that ends, and with those that were
    forked from it in the block. Raises EnvironmentBroken where the file cannot be
    written.
    """
    held = _held_by_flock if os.name == "posix" else _held_by_filelock

    def waiting() -> None:
        reporter.warning(f"waiting for another polylock that changes {prefix}")

    with ExitStack() as stack:
        try:
            stack.enter_context(held(str(prefix / LOCK_FILE), waiting))
        except OSError as error:
            raise EnvironmentBroken(
                str(error.filename or prefix),
                f"cannot be written: {error.strerror or error}",
                "check the permissions and the free space, or choose another "
                "environment with --venv",
            ) from error
        yield


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
