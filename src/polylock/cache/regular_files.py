"""Files on disk that end: no pipe is waited for, and no device is read for ever."""

from __future__ import annotations

import errno
import io
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LARGEST_TEXT", "WholeFile", "open_regular", "read_regular"]

LARGEST_TEXT = 1 << 28
"""Bytes of a file that is read whole; the largest pages of indexes have 2 ** 25."""

_LAST_PLACE = (1 << 63) - 1
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # else opening a pipe waits for its writer
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


def open_regular(path: Path) -> io.BufferedReader:
    """Open a file for reading; raises OSError, also for what is no plain file."""
    descriptor = os.open(path, _FLAGS)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return open(descriptor, "rb")  # noqa: PTH123 - a descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "it is not a plain file", str(path))


def read_regular(path: Path, *, largest: int = LARGEST_TEXT) -> bytes:
    """Return the bytes of a plain file; raises OSError, also for too many of them."""
    with open_regular(path) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest} bytes", str(path))
    return content


class WholeFile(io.FileIO):
    """A file of which no more is read at once than there is.

    For readers of archives, which take the archive's word for sizes and places: what it
    claims would be reserved in memory first. Raises ValueError for a place before the
    beginning, so that it is told from a disk that fails.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes."""
        if size is None or size < 0:
            return super().read()
        rest = os.fstat(self.fileno()).st_size - self.tell()
        return super().read(max(min(size, rest), 0))

    def seek(self, position: int, whence: int = 0, /) -> int:
        """Go to a place in the file."""
        base = 0
        if whence == os.SEEK_CUR:
            base = self.tell()
        elif whence == os.SEEK_END:
            base = os.fstat(self.fileno()).st_size
        if not 0 <= base + position <= _LAST_PLACE:
            raise ValueError("a place that no file has")
        return super().seek(base + position)
