"""Files of the user: errors as UsageError, and atomic writes."""

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
    """Replace a file's content atomically, with LF as line ending on every system.

    A link is followed and its target replaced. The mode of an existing file is kept.
    Raises UsageError if that fails; an existing file is then unchanged.
    """
    path = path.resolve()
    with attempt(f"write {path}"):
        # Like tempfile, which takes 2 ms to import.
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
    """Open a file that only its owner may read; its final mode is set later."""
    return os.open(path, flags, 0o600)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
