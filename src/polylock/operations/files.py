"""Files of the user: what fails there in words, and writing whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from polylock.errors import UsageError

__all__ = ["attempt", "write_atomically"]


@contextmanager
def attempt(action: str) -> Iterator[None]:
    """Raise UsageError for an OSError of the block: ``cannot write FILE: why``."""
    try:
        yield
    except OSError as error:
        problem = error.strerror or str(error)
        raise UsageError(f"cannot {action}: {problem}") from error


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's content in one step; line endings are LF on every system.

    A link is followed, so that the file behind it is replaced and not the link. The
    mode of a file that is there is kept. Raises UsageError where it cannot be done;
    what was there is then untouched.
    """
    path = path.resolve()
    with attempt(f"write {path}"):
        # As tempfile makes one, which takes 2 ms to import.
        temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
        try:
            with open(temporary, "xb", opener=_private) as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            mode = path.stat().st_mode if path.exists() else 0o666 & ~_umask()
            temporary.chmod(mode & 0o7777)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


def _private(path: str, flags: int) -> int:
    """Open a file that nobody else may read until it has the mode of the one before."""
    return os.open(path, flags, 0o600)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
