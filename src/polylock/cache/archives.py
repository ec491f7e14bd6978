"""Unpacked wheels, one directory for each sha256, from which files are linked.

An archive is built under a temporary name, written to the disk, marked as complete and
then renamed: after a lost power supply it is whole or absent.
``{bucket}/ab/abcd…/content`` is the tree, ``complete`` the marker. What becomes of a
complete one later, edited through a hard link for instance, is for those to see who
use it; ``remove`` it then, and ``add`` makes it anew.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from polylock.cache.durable import write_out
from polylock.cache.store import Bucket
from polylock.errors import CacheUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from polylock.cache.store import Store

__all__ = ["Archives"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTENT = "content"
_COMPLETE = "complete"


class Archives:
    """The unpacked wheels of a cache."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._root = store.root / Bucket.ARCHIVES.directory

    def get(self, sha256: str) -> Path | None:
        """Return the directory of an unpacked wheel, None where there is none."""
        place = self._place(sha256)
        return place / _CONTENT if (place / _COMPLETE).is_file() else None

    def add(self, sha256: str, build: Callable[[Path], None]) -> Path:
        """Return the directory of an unpacked wheel, building it where it is absent.

        ``build`` fills the empty directory that it is given; what it raises is
        passed on and leaves nothing behind. One process at a time builds an
        archive, others wait and take its work. Raises CacheUnusable.
        """
        found = self.get(sha256)
        if found is not None:
            return found
        place = self._place(sha256)
        with self._store.exclusive(sha256):
            found = self.get(sha256)
            if found is not None:
                return found
            with self._store.temporary_directory(place.parent) as temporary:
                made = temporary / "archive"
                self._store.make_directory(made / _CONTENT)
                build(made / _CONTENT)
                self._finish(made, place, temporary)
        return place / _CONTENT

    def all(self) -> Iterator[str]:
        """Yield the SHA-256 of each unpacked wheel, sorted."""
        for place in sorted(self._root.glob("??/*")):
            if _SHA256.fullmatch(place.name) and (place / _COMPLETE).is_file():
                yield place.name

    def remove(self, sha256: str) -> None:
        """Forget an archive, for instance one whose files were changed by hand."""
        place = self._place(sha256)
        with suppress(FileNotFoundError):
            (place / _COMPLETE).unlink()
        import shutil  # noqa: PLC0415 - 2 ms, where something was damaged

        shutil.rmtree(place, ignore_errors=True)

    def _finish(self, made: Path, place: Path, temporary: Path) -> None:
        try:
            write_out(made)
            (made / _COMPLETE).touch()
            if place.exists():  # incomplete, for the caller looked under the lock
                place.rename(temporary / "incomplete")
            os.rename(made, place)  # noqa: PTH104 - must not replace anything
        except OSError as error:
            problem = error.strerror or type(error).__name__
            raise CacheUnusable(str(place), problem) from error

    def _place(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is not a SHA-256 value")
        return self._root / sha256[:2] / sha256
