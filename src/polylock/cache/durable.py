"""Write a tree to the disk, so that a lost power supply takes nothing of it away.

A file that was written and closed is in memory alone for half a minute: after a power
cut its name may be there, and nothing in it. Linux writes out a whole file system in
one call; elsewhere each file is written out.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_out"]

_NO_SUCH_CALL = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP})


def write_out(tree: Path) -> None:
    """Return when all files under a directory are on the disk.

    Raises OSError where the disk fails.
    """
    if not (sys.platform.startswith("linux") and _write_out_file_system(tree)):
        _write_out_each(tree)


def _write_out_file_system(tree: Path) -> bool:
    """Write out the file system of a directory; false where there is no such call."""
    import ctypes  # noqa: PLC0415 - 5 ms, only where something is unpacked

    try:
        call = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):  # a C library without it
        return False
    descriptor = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if call(descriptor) == 0:
            return True
        number = ctypes.get_errno()
    finally:
        os.close(descriptor)
    if number in _NO_SUCH_CALL:
        return False
    raise OSError(number, os.strerror(number), str(tree))


def _write_out_each(tree: Path) -> None:
    # Windows writes out only what it may write to.
    flags = (os.O_RDWR if os.name == "nt" else os.O_RDONLY) | getattr(os, "O_BINARY", 0)
    for directory, _, names in os.walk(tree):
        for name in names:
            _write_out_one(f"{directory}{os.sep}{name}", flags)
        if os.name != "nt":
            with suppress(PermissionError):
                _write_out_one(directory, os.O_RDONLY)


def _write_out_one(path: str, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
