"""Moves directories out of the way, and deletes them after all measurements."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Aside"]

_ROOM = 5_000_000_000
"""Bytes that have to stay free on the disk."""


class Aside:
    """Renames directories to move them out of the way; deletes them after the block.

    Deleting thousands of files slows the next run: ext4 without a journal checks every
    inode freed in the last minutes before it creates a file. ``parent`` must be on the
    same disk as the directories.
    """

    def __init__(self, parent: Path, *, room: int = _ROOM) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        self._place = Path(tempfile.mkdtemp(prefix="aside-", dir=parent))
        self._room = room
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self._place, ignore_errors=True)

    def put(self, path: Path) -> None:
        """Move a directory out of the way, if it exists.

        If the disk is nearly full, delete everything at once and say so.
        """
        if not path.exists():
            return
        self._count += 1
        path.rename(self._place / str(self._count))
        if shutil.disk_usage(self._place).free < self._room:
            print("the disk is nearly full: the next rows are slower", file=sys.stderr)
            for found in self._place.iterdir():
                shutil.rmtree(found, ignore_errors=True)
