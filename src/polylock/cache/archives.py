"""Unpacked wheels, one directory per SHA-256, from which files are linked.

An archive is built under a temporary name, synced to disk, marked as complete and then
renamed: after a power failure it is complete or absent. ``{bucket}/ab/abcd…/content``
is the tree, ``complete`` the marker. A complete archive may be damaged later, for
example by an edit through a hard link; callers detect that, ``remove`` it and ``add``
it again.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from polylock.cache.durable import sync_trees
from polylock.cache.store import Bucket, Store
from polylock.errors import CacheUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


__all__ = ["Archives"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTENT = "content"
_COMPLETE = "complete"


class _Group:
    """Directories that are synced in one go, and how that ended."""

    def __init__(self) -> None:
        self.trees: list[Path] = []
        self.ended = threading.Event()
        self.error: BaseException | None = None


class _SharedSync:
    """Syncs the directories of several threads together.

    Linux syncs a whole file system, so a second call at the same time only waits.
    While one group is synced, the directories of other threads form the next one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._next = _Group()

    def __call__(self, tree: Path) -> None:
        """Sync all files under a directory to disk; raises OSError."""
        with self._lock:
            group = self._next
            group.trees.append(tree)
            leads = len(group.trees) == 1
        if leads:
            self._lead(group)
            return
        group.ended.wait()
        if group.error is not None:
            problem = getattr(group.error, "strerror", None) or str(group.error)
            raise OSError(errno.EIO, problem, str(tree)) from group.error

    def _lead(self, group: _Group) -> None:
        """Sync a group as soon as the one before it has ended."""
        try:
            with self._turn:
                with self._lock:
                    self._next = _Group()
                sync_trees(group.trees)
        except BaseException as error:
            group.error = error
            raise
        finally:
            group.ended.set()


_sync_together = _SharedSync()


class Archives:
    """The unpacked wheels of a cache."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._root = store.root / Bucket.ARCHIVES.directory

    def get(self, sha256: str) -> Path | None:
        """Return the directory of an unpacked wheel, None if it is absent."""
        place = self._place(sha256)
        return place / _CONTENT if (place / _COMPLETE).is_file() else None

    def add(self, sha256: str, build: Callable[[Path], None]) -> Path:
        """Return the directory of an unpacked wheel; build it if it is absent.

        ``build`` fills the empty directory that it is given; its exceptions propagate
        and leave nothing behind. Only one process builds an archive, others wait and
        use its result. Raises CacheUnusable.
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
        """Remove an archive, for instance one whose files were changed."""
        place = self._place(sha256)
        with suppress(FileNotFoundError):
            (place / _COMPLETE).unlink()
        import shutil  # noqa: PLC0415 - 2 ms, only for a damaged archive

        shutil.rmtree(place, ignore_errors=True)

    def _finish(self, made: Path, place: Path, temporary: Path) -> None:
        try:
            _sync_together(made)
            (made / _COMPLETE).touch()
            if place.exists():  # incomplete: the caller checked under the lock
                place.rename(temporary / "incomplete")
            os.rename(made, place)  # noqa: PTH104 - must not replace anything
        except OSError as error:
            problem = error.strerror or type(error).__name__
            raise CacheUnusable(str(place), problem) from error

    def _place(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is not a SHA-256 value")
        return self._root / sha256[:2] / sha256
