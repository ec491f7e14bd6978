"""One change of an environment at a time, over all processes."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from polylock.cache.process_lock import process_lock
from polylock.errors import EnvironmentBroken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from polylock.ports import Reporter

__all__ = ["LOCK_FILE", "exclusive"]

LOCK_FILE = ".polylock.lock"
"""Name of the file by which two syncs of one environment wait for each other."""


@contextmanager
def exclusive(prefix: Path, reporter: Reporter) -> Iterator[None]:
    """Keep a second sync of the environment waiting for the end of the block.

    The directory must exist. Raises EnvironmentBroken where its lock cannot be had.
    """

    def waiting() -> None:
        reporter.warning(f"waiting for another polylock that changes {prefix}")

    with ExitStack() as stack:
        try:
            stack.enter_context(process_lock(prefix / LOCK_FILE, waiting))
        except OSError as error:
            raise EnvironmentBroken(
                str(error.filename or prefix),
                f"cannot be written: {error.strerror or error}",
                "check the permissions and the free space, or choose another "
                "environment with --venv",
            ) from error
        yield
