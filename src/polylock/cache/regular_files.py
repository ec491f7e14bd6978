"""Reading of regular files: no wait for a pipe, no endless read of a device."""

from __future__ import annotations

import errno
import io
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LARGEST_TEXT", "WholeFile", "file_digest", "open_regular", "read_regular"]

LARGEST_TEXT = 1 << 28
"""Most bytes of a file that is read whole; the largest index pages have 2 ** 25."""

_LAST_PLACE = (1 << 63) - 1
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # opening a pipe must not wait for its writer
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


def open_regular(path: Path) -> io.BufferedReader:
    """Open a file for reading; raises OSError, also if it is not a regular file."""
    descriptor = os.open(path, _FLAGS)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return open(descriptor, "rb")  # noqa: PTH123 - a descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def read_regular(path: Path, *, largest: int = LARGEST_TEXT) -> bytes:
    """Return the bytes of a regular file; raises OSError, also for too many bytes."""
    with open_regular(path) as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest} bytes", str(path))
    return content


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the digest of a file in hexadecimal; the file is read in blocks.

    Raises OSError if it cannot be read, ValueError for an unknown algorithm.
    """
    import hashlib  # noqa: PLC0415 - loads OpenSSL: 3 ms, not needed by most commands

    with open_regular(path) as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


class WholeFile(io.FileIO):
    """A file that limits each read to the bytes that the file has.

    For readers of archives, which trust the sizes and positions in the archive: a wrong
    size would allocate that much memory. Raises ValueError for a position before the
    start, to distinguish it from a failing disk.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes."""
        if size is None or size < 0:
            return super().read()
        rest = os.fstat(self.fileno()).st_size - self.tell()
        return super().read(max(min(size, rest), 0))

    def seek(self, position: int, whence: int = 0, /) -> int:
        """Go to a position in the file."""
        base = 0
        if whence == os.SEEK_CUR:
            base = self.tell()
        elif whence == os.SEEK_END:
            base = os.fstat(self.fileno()).st_size
        if not 0 <= base + position <= _LAST_PLACE:
            raise ValueError("a position outside any file")
        return super().seek(base + position)
