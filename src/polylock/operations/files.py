"""Write a file whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from polylock.errors import UsageError

__all__ = ["write_atomically"]


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's content in one step; line endings are LF on every system.

    A link is followed, so that the file behind it is replaced and not the link. The
    mode of a file that is there is kept. Raises UsageError where it cannot be done;
    what was there is then untouched.
    """
    import tempfile  # noqa: PLC0415 - 2 ms, where something is written

    path = path.resolve()
    try:
        descriptor, temporary = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"
        )
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            mode = path.stat().st_mode if path.exists() else 0o666 & ~_umask()
            Path(temporary).chmod(mode & 0o7777)
            Path(temporary).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        problem = error.strerror or str(error)
        raise UsageError(f"cannot write {path}: {problem}") from error


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
