"""The files of a lock file, verified: downloaded, or on disk beside the lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.cache.regular_files import file_digest
from polylock.errors import (
    HashMismatch,
    IndexRequestError,
    LockedIncomplete,
    PolylockError,
    SizeMismatch,
)
from polylock.lockfile.pylock import (
    PackageArchive,
    PackageSdist,
    PackageWheel,
    last_component,
)
from polylock.model.filenames import InvalidFilename
from polylock.model.hashes import sha256_of, strongest
from polylock.operations.files import attempt
from polylock.values import Value, replace

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.model.distributions import RemoteFile
    from polylock.operations.context import Context

    LockedFile = PackageWheel | PackageSdist | PackageArchive

_REFUSED = frozenset({400, 401, 403, 404, 410})

__all__ = ["LockedFiles", "filename_of", "locked_sha256"]


def filename_of(file: LockedFile) -> str:
    """Return the file name, which for an archive is that of its path or URL."""
    if isinstance(file, PackageArchive):
        return last_component(file.path, file.url)
    return file.filename


def locked_sha256(file: LockedFile) -> str:
    """Return the locked SHA-256 of a file; raises LockedIncomplete without one."""
    found = sha256_of(file.hashes)
    if found is None:
        raise LockedIncomplete(filename_of(file), "sha256")
    return found


class LockedFiles(Value, frozen=True, kw_only=True):
    """The files of a lock file in the directory ``root``."""

    context: Context
    root: Path

    def locate(self, file: LockedFile) -> Path:
        """Return the path of a verified file, downloading it if needed.

        Raises FileCorrupt, UsageError, and the errors of downloading.
        """
        if file.path is not None:
            return self._local(file)
        try:
            return self._download(file)
        except HashMismatch as error:
            raise error.as_stated_by("lock file") from error

    def is_cached(self, locked: PackageWheel | PackageSdist) -> bool:
        """Return True if a file need not be downloaded."""
        file = _remote(locked, locked.url or "")
        return self.context.downloader.cached(file) is not None

    def _download(self, locked: LockedFile) -> Path:
        if locked.url is None:
            raise LockedIncomplete(filename_of(locked), "URL")
        _secure_hash(locked)
        # 10 ms that a no-op sync does not pay.
        from polylock.operations.builds.trees import urls_with_credentials  # noqa: PLC0415

        known = urls_with_credentials(self.context.inputs)
        file = _remote(locked, known.get(locked.url, locked.url))
        try:
            return self.context.downloader.fetch(file).path
        except IndexRequestError as error:
            link = self._link_now(locked, error)
            if link is None or link == file.url:
                raise
        return self.context.downloader.fetch(replace(file, url=link)).path

    def _link_now(self, locked: LockedFile, refused: IndexRequestError) -> str | None:
        """Return the current URL of a file whose locked URL was refused.

        The link of an index may need a token, which no lock file holds, and files move.
        The file is identified by its SHA-256.
        """
        sha256 = sha256_of(locked.hashes)
        if refused.status not in _REFUSED or isinstance(locked, PackageArchive):
            return None
        if sha256 is None:
            return None
        try:
            return self.context.link_now(filename_of(locked), sha256)
        except (PolylockError, InvalidFilename):
            return None  # the error of the locked URL is raised instead

    def _local(self, locked: LockedFile) -> Path:
        """Verify a file whose path is relative to the lock file."""
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


def _remote(file: LockedFile, url: str) -> RemoteFile:
    """Return a locked file as one of an index, at a URL."""
    # A no-op sync does not pay for it.
    from polylock.model.distributions import RemoteFile  # noqa: PLC0415 - see above

    return RemoteFile(
        filename=filename_of(file),
        url=url,
        hashes=dict(file.hashes),
        size=file.size,
    )


def _secure_hash(file: LockedFile) -> tuple[str, str]:
    found = strongest(file.hashes)
    if found is None:
        raise LockedIncomplete(filename_of(file), "secure hash")
    return found
