"""Files that a lock file names, verified: fetched, or read beside the lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.cache.digests import file_digest
from polylock.errors import FileCorrupt, HashMismatch, SizeMismatch
from polylock.lockfile.pylock import (
    PackageArchive,
    PackageSdist,
    PackageWheel,
    last_component,
)
from polylock.model.hashes import sha256_of, strongest
from polylock.operations.files import attempt
from polylock.values import Value

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.operations.context import Context

    LockedFile = PackageWheel | PackageSdist | PackageArchive

__all__ = ["LockedFiles", "filename_of", "locked_sha256"]


def filename_of(file: LockedFile) -> str:
    """Return the file name, said or implied."""
    if isinstance(file, PackageArchive):
        return last_component(file.path, file.url)
    return file.filename


def locked_sha256(file: LockedFile) -> str:
    """Return the SHA-256 that a lock file states; raises FileCorrupt without one."""
    found = sha256_of(file.hashes)
    if found is None:
        raise FileCorrupt(filename_of(file), "the lock file gives it no sha256")
    return found


class LockedFiles(Value, frozen=True, kw_only=True):
    """The files of a lock file in the directory ``root``."""

    context: Context
    root: Path

    def locate(self, file: LockedFile) -> Path:
        """Return where a file lies, verified.

        Raises FileCorrupt, UsageError, and what fetching raises.
        """
        if file.path is not None:
            return self._local(file)
        try:
            return self._download(file)
        except HashMismatch as error:
            raise error.as_stated_by("lock file") from error

    def _download(self, locked: LockedFile) -> Path:
        if locked.url is None:
            raise FileCorrupt(filename_of(locked), "the lock file gives it no URL")
        _secure_hash(locked)
        # 10 ms that a no-op sync does not pay.
        from polylock.model.distributions import RemoteFile  # noqa: PLC0415 - see above
        from polylock.operations.builds.trees import urls_with_credentials  # noqa: PLC0415

        known = urls_with_credentials(self.context.inputs)
        file = RemoteFile(
            filename=filename_of(locked),
            url=known.get(locked.url, locked.url),
            hashes=dict(locked.hashes),
            size=locked.size,
        )
        return self.context.downloader.fetch(file).path

    def _local(self, locked: LockedFile) -> Path:
        """Verify a file that lies beside the lock file."""
        path = self.root / str(locked.path)
        algorithm, value = _secure_hash(locked)
        with attempt(f"read {path}"):
            found = file_digest(path, algorithm)
            size = path.stat().st_size
        if locked.size is not None and size != locked.size:
            raise SizeMismatch(filename_of(locked), locked.size, size)
        if found != value:
            raise HashMismatch(
                filename_of(locked),
                f"{algorithm}:{value}",
                f"{algorithm}:{found}",
                "lock file",
            )
        return path


def _secure_hash(file: LockedFile) -> tuple[str, str]:
    found = strongest(file.hashes)
    if found is None:
        raise FileCorrupt(filename_of(file), "the lock file gives it no secure hash")
    return found
