"""A directory of entries that many processes may read, write and kill at any time.

An entry lies in a bucket, under the hash of its key. It is written to a temporary
file in its own directory and moved into place, so a reader sees the old entry, the
new one or none, and it begins with a checksum, so one that was cut short by a full
disk or a lost power supply counts as absent. Nothing is locked: two writers of one
key both write, and the last one stays.
"""

from __future__ import annotations

import enum
import os
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.cache.entries import checksum, entry_path, whole_content
from polylock.errors import CacheUnusable
from polylock.values import Mutable, Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import BinaryIO

__all__ = ["Bucket", "PendingFile", "Stamp", "Store", "Usage"]

_TEMPORARY = ".tmp-"
_ABANDONED_AFTER = 24 * 3600.0  # seconds; no download or unpacking takes a day
_FORGOTTEN_AFTER = 30 * 24 * 3600.0  # seconds; to answer anew takes 0.1
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_USERS = "in-use"
"""Name of the directory where running processes say that they use the cache."""

_MARKS = {
    # bford.info/cachedir
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n",
    ".gitignore": "*\n",
}
"""Files in a new cache: backups pass over it, and git where it lies in a work tree."""


Stamp = tuple[int, int, int]
"""Inode, size and time of change: an entry is never written to, only replaced."""


class Bucket(enum.Enum):
    """A kind of entry: the name of its directory and the version of its layout.

    A change of what the entries hold raises the version, and older entries are
    never read again; ``prune`` removes them.
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

    @property
    def directory(self) -> str:
        """Return the name of the directory, ``pages-v1``."""
        name, version = self.value
        return f"{name}-v{version}"


_FORGOTTEN = {bucket.directory for bucket in (Bucket.ANSWERS, Bucket.LOCK_FILES)}


class Usage(Value, frozen=True):
    """What some files occupy: their number and the sum of their sizes in bytes."""

    files: int = 0
    size: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.files + other.files, self.size + other.size)


class PendingFile(Mutable):
    """A file being written, and where it shall lie when it is complete."""

    file: BinaryIO
    target: Path | None = None


class Store:
    """The cache directory; it is made when something is first written.

    Every method raises CacheUnusable where the directory cannot be read or written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._directories = {b: str(root / b.directory) for b in Bucket}

    def path(self, bucket: Bucket, key: str) -> Path:
        """Return where the entry of a key lies, whether there is one or not."""
        return Path(self._path(bucket, key))

    def read(self, bucket: Bucket, key: str) -> memoryview | None:
        """Return the content of an entry, None where it is absent or damaged."""
        found = self.read_stamped(bucket, key)
        return None if found is None else found[0]

    def read_stamped(self, bucket: Bucket, key: str) -> tuple[memoryview, Stamp] | None:
        """Return what ``read`` does, with the stamp of the very file it is from."""
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
        """Return what tells an entry from any other that ever lay in its place."""
        try:
            return _stamp(os.stat(self._path(bucket, key)))  # noqa: PTH116 - hot path
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from error

    def write(self, bucket: Bucket, key: str, content: bytes) -> Stamp:
        """Put an entry in place of any other with this key; return its stamp."""
        target = self.path(bucket, key)
        with self.pending_file(target.parent) as pending:
            pending.file.write(checksum(content))
            pending.file.write(content)
            pending.file.flush()
            stamp = _stamp(os.fstat(pending.file.fileno()))
            pending.target = target
        return stamp

    def remove(self, bucket: Bucket, key: str) -> None:
        """Forget an entry; no matter if there is none."""
        try:
            self.path(bucket, key).unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    @contextmanager
    def pending_file(self, directory: Path) -> Iterator[PendingFile]:
        """Open a file in ``directory`` that moves to its target after the block.

        Without a target, or where the block raises, it is removed. Directory and
        target lie inside the cache. An OSError inside the block is taken for one
        of the cache.
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
        """Make a directory in ``parent`` that is gone after the block.

        What is to stay is moved out of it. ``parent`` lies inside the cache.
        """
        import shutil  # noqa: PLC0415 - 2 ms with tempfile, for a reader in vain
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
        """Keep other threads and processes that name the same out of the block."""
        return self._locked(self.root / Bucket.LOCKS.directory / f"{name}.lock")

    def move(self, file: Path, target: Path) -> None:
        """Move a file of the cache in place of any other."""
        try:
            self.make_directory(target.parent)
            _replace(str(file), target)
        except OSError as error:
            raise self._unusable(error) from error

    def make_directory(self, directory: Path) -> None:
        """Make a directory inside the cache with its parents."""
        try:
            if not self.root.is_dir():
                self.root.mkdir(parents=True, exist_ok=True)
                for name, text in _MARKS.items():
                    (self.root / name).write_text(text, encoding="utf-8", newline="\n")
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def size(self) -> dict[str, Usage]:
        """Return what each bucket occupies, by the name of its directory, sorted."""
        return {path.name: _usage(path) for path in self._buckets()}

    def prune(self) -> Usage:
        """Remove outdated layouts and what killed processes left; say what was freed.

        What is cheap to make anew is forgotten after a month: each state of a project
        directory that ever was leaves some. Safe while other processes use the cache.
        """
        freed = Usage()
        current = {bucket.directory for bucket in Bucket}
        for directory in self._buckets():
            if directory.name not in current:
                freed += self._remove_tree(directory)
                continue
            freed += self._remove_older(directory, f"{_TEMPORARY}*", _ABANDONED_AFTER)
            if directory.name in _FORGOTTEN:
                freed += self._remove_older(directory, "*/*", _FORGOTTEN_AFTER)
        return freed

    def clear(self) -> Usage:
        """Remove every entry; say what was freed.

        Waits for the end of every ``in_use`` block, and lets none begin meanwhile.
        Only directories that the cache made are touched, so a wrongly given cache
        directory loses nothing else.
        """
        if not self._buckets():
            return Usage()
        with self._gate():
            users = self.root / _USERS
            for path in sorted(users.glob("*.user")):
                with self._locked(path):
                    pass  # its process has ended its block, or has ended
                path.unlink(missing_ok=True)
            return sum(map(self._remove_tree, self._buckets()), Usage())

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep ``clear`` waiting while the block works with files of the cache.

        A cache that cannot be written is used without a word: who may only read it can
        still install from it.
        """
        with ExitStack() as block:
            own = self.root / _USERS / f"{os.getpid()}-{time.monotonic_ns()}.user"
            with suppress(CacheUnusable), self._gate():
                block.enter_context(self._locked(own))
            try:
                yield
            finally:
                # Windows refuses while it is locked; ``clear`` removes it then.
                with suppress(OSError):
                    own.unlink()

    def _gate(self) -> AbstractContextManager[None]:
        return self._locked(self.root / _USERS / "gate.lock")

    @contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        # 0.3 ms that a warm lock, which waits for nobody, does not pay.
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
        # As tempfile makes one, which takes 2 ms to import.
        path = f"{directory}{os.sep}{_TEMPORARY}{os.urandom(8).hex()}"
        try:
            return os.open(path, _NEW_FILE, 0o600), path
        except FileNotFoundError:
            self.make_directory(directory)
            return os.open(path, _NEW_FILE, 0o600), path

    def _buckets(self) -> list[Path]:
        """Return the directories of buckets of any layout version, sorted."""
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
            pass  # another process removes it as well
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
        # whole, and losing ours costs one request.
        if not target.exists():
            raise
        Path(temporary).unlink()


def _usage(path: Path) -> Usage:
    """Add up a file or a tree; what vanishes meanwhile counts nothing."""
    usage = Usage()
    places = [path] if not path.is_dir() else []
    # os.walk passes over what other processes remove; rglob raises before 3.12.
    for directory, _, names in os.walk(path):
        places += [Path(directory, name) for name in names]
    for found in places:
        with suppress(FileNotFoundError):
            usage += Usage(1, found.lstat().st_size)
    return usage
