"""Directories in the way of a run, removed when nothing is measured any more."""

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
    """Takes directories out of the way by renaming them; removes them after the block.

    To remove thousands of files slows what is run next: ext4 without a journal looks
    at every inode that was freed in the last minutes before it makes a file. ``parent``
    is on the disk of what is put aside.
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
        """Take a directory away, if it is there.

        Where the disk is nearly full all is removed at once, which is told.
        """
        if not path.exists():
            return
        self._count += 1
        path.rename(self._place / str(self._count))
        if shutil.disk_usage(self._place).free < self._room:
            print("the disk is nearly full: the next rows are slower", file=sys.stderr)
            for found in self._place.iterdir():
                shutil.rmtree(found, ignore_errors=True)
