"""Sync a directory tree to disk, so that it survives a power failure.

The content of a closed file may stay in memory for half a minute: after a power failure
the file may exist and be empty. Linux syncs a whole file system in one call; elsewhere
each file is synced.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["sync_tree", "sync_trees"]

_NO_SUCH_CALL = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP})


def sync_tree(tree: Path) -> None:
    """Sync all files under a directory to disk; raises OSError."""
    sync_trees([tree])


def sync_trees(trees: Sequence[Path]) -> None:
    """Sync several directories, each file system once; raises OSError."""
    synced: set[int] = set()
    for tree in trees:
        device = tree.stat().st_dev
        if device in synced:
            continue
        if sys.platform.startswith("linux") and _sync_file_system(tree):
            synced.add(device)
        else:
            _sync_each(tree)


def _sync_file_system(tree: Path) -> bool:
    """Sync the file system of a directory; return False if there is no such call."""
    import ctypes  # noqa: PLC0415 - 5 ms, only to unpack or create something

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


def _sync_each(tree: Path) -> None:
    # Windows syncs only files that are open for writing.
    flags = (os.O_RDWR if os.name == "nt" else os.O_RDONLY) | getattr(os, "O_BINARY", 0)
    for directory, _, names in os.walk(tree):
        for name in names:
            _sync_one(f"{directory}{os.sep}{name}", flags)
        if os.name != "nt":
            with suppress(PermissionError):
                _sync_one(directory, os.O_RDONLY)


def _sync_one(path: str, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
