"""The cache: entries on disk that many processes may read and write at any time.

An entry is stored in a bucket, under the hash of its key. It is written to a temporary
file in its own directory and moved into place, so a reader sees the old entry, the new
one or none. It begins with a checksum, so an entry that a full disk or a power failure
truncated counts as absent. Entries are not locked: of two writers of one key the last
wins. A process may be killed at any time.
"""

from __future__ import annotations

import enum
import os
import time
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from polylock.cache.entries import checksum, entry_path, whole_content
from polylock.errors import CacheUnusable
from polylock.values import Mutable, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Bucket", "PendingFile", "Stamp", "Store", "Usage"]

_TEMPORARY = ".tmp-"
_ABANDONED_AFTER = 24 * 3600.0  # seconds; no download or unpacking takes a day
_EXPIRES_AFTER = 30 * 24 * 3600.0  # seconds; the result is recomputed in 0.1
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_USERS = "in-use"
"""Name of the directory with a lock file for each process that uses the cache."""

_MARKS = {
    # bford.info/cachedir
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n",
    ".gitignore": "*\n",
}
"""Files in a new cache, so that backups and git skip it."""


Stamp = tuple[int, int, int]
"""Inode, size and modification time; identifies an entry, which is only replaced."""


class Bucket(enum.Enum):
    """A kind of entry: the name of its directory and the version of its format.

    A change of the format raises the version; older entries are no longer read, and
    ``prune`` removes them.
    """

    PAGES = ("pages", 1)
    RESPONSES = ("responses", 1)
    METADATA = ("metadata", 3)
    FILES = ("files", 1)
    DOWNLOADS = ("downloads", 1)
    ARCHIVES = ("archives", 2)
    LOCKS = ("locks", 1)
    PACKS = ("packs", 2)
    MEMORIES = ("memories", 1)
    INTERPRETERS = ("interpreters", 1)
    BUILDS = ("builds", 1)
    GIT = ("git", 1)
    ANSWERS = ("answers", 1)
    LOCK_FILES = ("lock-files", 1)
    ENVIRONMENTS = ("environments", 1)

    @property
    def directory(self) -> str:
        """Return the name of the directory, ``pages-v1``."""
        name, version = self.value
        return f"{name}-v{version}"


_EXPIRING = {bucket.directory for bucket in (Bucket.ANSWERS, Bucket.LOCK_FILES)}


class Usage(Value, frozen=True):
    """Disk usage: the number of files and the sum of their sizes in bytes."""

    files: int = 0
    size: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.files + other.files, self.size + other.size)


class PendingFile(Mutable):
    """A file being written, and the path that it gets when it is complete."""

    file: BinaryIO
    target: Path | None = None


class Store:
    """The cache directory; created on the first write.

    Every method raises CacheUnusable if the directory cannot be read or written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._directories = {b: str(root / b.directory) for b in Bucket}

    def path(self, bucket: Bucket, key: str) -> Path:
        """Return the path of the entry of a key, whether it exists or not."""
        return Path(self._path(bucket, key))

    def read(self, bucket: Bucket, key: str) -> memoryview | None:
        """Return the content of an entry, None if it is absent or damaged."""
        found = self.read_stamped(bucket, key)
        return None if found is None else found[0]

    def read_stamped(self, bucket: Bucket, key: str) -> tuple[memoryview, Stamp] | None:
        """Return the content of an entry, as ``read`` does, and its stamp."""
        path = self._path(bucket, key)
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - hot path
                content = file.read()
                stamp = _stamp(os.fstat(file.fileno()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error
        whole = whole_content(content)
        return None if whole is None else (whole, stamp)

    def stamp(self, bucket: Bucket, key: str) -> Stamp | None:
        """Return the stamp of an entry, which differs after a replacement, or None."""
        try:
            return _stamp(os.stat(self._path(bucket, key)))  # noqa: PTH116 - hot path
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error

    def write(self, bucket: Bucket, key: str, content: bytes) -> Stamp:
        """Write or replace the entry of a key; return its stamp."""
        target = self.path(bucket, key)
        with self.pending_file(target.parent) as pending:
            pending.file.write(checksum(content))
            pending.file.write(content)
            pending.file.flush()
            stamp = _stamp(os.fstat(pending.file.fileno()))
            pending.target = target
        return stamp

    def remove(self, bucket: Bucket, key: str) -> None:
        """Remove an entry, if there is one."""
        try:
            self.path(bucket, key).unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    @contextmanager
    def pending_file(self, directory: Path) -> Iterator[PendingFile]:
        """Open a temporary file in ``directory`` and move it to its target afterwards.

        Without a target, or if the block raises, it is removed. Directory and target
        are inside the cache. An OSError inside the block counts as an error of the
        cache.
        """
        temporary = ""
        try:
            descriptor, temporary = self._make_file(directory)
            with os.fdopen(descriptor, "wb") as file:
                pending = PendingFile(file)
                yield pending
            if pending.target is not None:
                if pending.target.parent != directory:
                    self.make_directory(pending.target.parent)
                _replace(temporary, pending.target)
                temporary = ""
        except OSError as error:
            raise self._unusable(error) from error
        finally:
            if temporary:
                with suppress(OSError):
                    Path(temporary).unlink()

    @contextmanager
    def temporary_directory(self, parent: Path) -> Iterator[Path]:
        """Create a directory in ``parent`` and remove it after the block.

        The block moves out what it wants to keep. ``parent`` is inside the cache.
        """
        import shutil  # noqa: PLC0415 - 2 ms with tempfile, not needed to read
        import tempfile  # noqa: PLC0415 - as above

        try:
            self.make_directory(parent)
            made = tempfile.mkdtemp(prefix=_TEMPORARY, dir=parent)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            yield Path(made)
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def exclusive(self, name: str) -> AbstractContextManager[None]:
        """Hold the lock of a name in the block; other threads and processes wait."""
        return self._locked(self.root / Bucket.LOCKS.directory / f"{name}.lock")

    def move(self, file: Path, target: Path) -> None:
        """Move a file of the cache to a path, replacing what is there."""
        try:
            self.make_directory(target.parent)
            _replace(str(file), target)
        except OSError as error:
            raise self._unusable(error) from error

    def make_directory(self, directory: Path) -> None:
        """Create a directory inside the cache, with its parents."""
        try:
            if not self.root.is_dir():
                self.root.mkdir(parents=True, exist_ok=True)
                for name, text in _MARKS.items():
                    (self.root / name).write_text(text, encoding="utf-8", newline="\n")
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def size(self) -> dict[str, Usage]:
        """Return the disk usage of each bucket by directory name, sorted."""
        return {path.name: _usage(path) for path in self._buckets()}

    def prune(self) -> Usage:
        """Remove old formats and files of killed processes; return the usage freed.

        Entries that are cheap to recompute are removed after a month: each state of a
        project directory adds some. Safe while other processes use the cache.
        """
        freed = Usage()
        current = {bucket.directory for bucket in Bucket}
        for directory in self._buckets():
            if directory.name not in current:
                freed += self._remove_tree(directory)
                continue
            freed += self._remove_older(directory, f"{_TEMPORARY}*", _ABANDONED_AFTER)
            if directory.name in _EXPIRING:
                freed += self._remove_older(directory, "*/*", _EXPIRES_AFTER)
        return freed

    def clear(self) -> Usage:
        """Remove every entry; return the usage freed.

        Waits for the end of every ``in_use`` block, and blocks new ones meanwhile. Only
        directories of buckets are removed, so a wrong cache directory loses nothing
        else.
        """
        if not self._buckets():
            return Usage()
        with self._gate():
            users = self.root / _USERS
            for path in sorted(users.glob("*.user")):
                with self._locked(path):
                    pass  # its process has left the block, or has ended
                path.unlink(missing_ok=True)
            return sum(map(self._remove_tree, self._buckets()), Usage())

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Make ``clear`` wait while the block uses files of the cache.

        Does nothing if the cache is read-only: one can still install from it.
        """
        with ExitStack() as block:
            own = self.root / _USERS / f"{os.getpid()}-{time.monotonic_ns()}.user"
            with suppress(CacheUnusable), self._gate():
                block.enter_context(self._locked(own))
            try:
                yield
            finally:
                # Windows refuses while it is locked; ``clear`` removes it later.
                with suppress(OSError):
                    own.unlink()

    def _gate(self) -> AbstractContextManager[None]:
        return self._locked(self.root / _USERS / "gate.lock")

    @contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        # 0.3 ms, not needed by a warm lock.
        from polylock.cache.process_lock import process_lock  # noqa: PLC0415

        self.make_directory(path.parent)
        with ExitStack() as block:
            try:
                block.enter_context(process_lock(path))
            except OSError as error:
                raise self._unusable(error) from error
            yield

    def _path(self, bucket: Bucket, key: str) -> str:
        return entry_path(self._directories[bucket], key.encode())

    def _make_file(self, directory: Path) -> tuple[int, str]:
        # Like tempfile, which takes 2 ms to import.
        path = f"{directory}{os.sep}{_TEMPORARY}{os.urandom(8).hex()}"
        try:
            return os.open(path, _NEW_FILE, 0o600), path
        except FileNotFoundError:
            self.make_directory(directory)
            return os.open(path, _NEW_FILE, 0o600), path

    def _buckets(self) -> list[Path]:
        """Return the directories of buckets of any format version, sorted."""
        names = {bucket.value[0] for bucket in Bucket}
        try:
            return sorted(
                path
                for path in self.root.iterdir()
                if path.name.rpartition("-v")[0] in names
                and path.name.rpartition("-v")[2].isdigit()
                and path.is_dir()
            )
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unusable(error) from error

    def _remove_older(self, directory: Path, pattern: str, seconds: float) -> Usage:
        freed = Usage()
        for path in sorted(directory.rglob(pattern)):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > seconds:
                    freed += self._remove_tree(path)
        return freed

    def _remove_tree(self, path: Path) -> Usage:
        import shutil  # noqa: PLC0415 - as above

        freed = _usage(path)
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except FileNotFoundError:
            pass  # another process removed it
        except OSError as error:
            raise self._unusable(error) from error
        return freed

    def _unusable(self, error: OSError) -> CacheUnusable:
        place = error.filename if isinstance(error.filename, str) else str(self.root)
        return CacheUnusable(place, error.strerror or type(error).__name__)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _replace(temporary: str, target: Path) -> None:
    try:
        Path(temporary).replace(target)
    except PermissionError:
        # Windows refuses while another process has the entry open: that entry is
        # complete, and the loss of this one costs one request.
        if not target.exists():
            raise
        Path(temporary).unlink()


def _usage(path: Path) -> Usage:
    """Return the disk usage of a file or a tree; files that vanish do not count."""
    usage = Usage()
    places = [path] if not path.is_dir() else []
    # os.walk skips what other processes remove; rglob raises before Python 3.12.
    for directory, _, names in os.walk(path):
        places += [Path(directory, name) for name in names]
    for found in places:
        with suppress(FileNotFoundError):
            usage += Usage(1, found.lstat().st_size)
    return usage
