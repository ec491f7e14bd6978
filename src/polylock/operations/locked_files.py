"""Files that a lock file names, verified: fetched, or read beside the lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.cache.digests import file_digest
from polylock.errors import FileCorrupt, HashMismatch, SizeMismatch, UsageError
from polylock.lockfile.pylock import PackageArchive, last_component
from polylock.model.hashes import strongest
from polylock.values import Value

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.lockfile.pylock import PackageSdist, PackageWheel
    from polylock.operations.context import Context

    LockedFile = PackageWheel | PackageSdist | PackageArchive

__all__ = ["LockedFiles", "filename_of"]


def filename_of(file: LockedFile) -> str:
    """Return the file name, said or implied."""
    if isinstance(file, PackageArchive):
        return last_component(file.path, file.url)
    return file.filename


class LockedFiles(Value, frozen=True, kw_only=True):
    """The files of a lock file in the directory ``root``."""

    context: Context
    root: Path

    def locate(self, file: LockedFile) -> Path:
        """Return where a file lies, verified.

        Raises FileCorrupt, UsageError, and what fetching raises.
        """
        return self._download(file) if file.path is None else self._local(file)

    def _download(self, locked: LockedFile) -> Path:
        if locked.url is None:
            raise FileCorrupt(filename_of(locked), "the lock file gives it no URL")
        # 10 ms that a no-op sync does not pay.
        from polylock.model.distributions import RemoteFile  # noqa: PLC0415 - see above
        from polylock.operations.trees import urls_with_credentials  # noqa: PLC0415

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
        algorithm, value = strongest(locked.hashes) or ("", "")
        if not algorithm:
            raise FileCorrupt(
                filename_of(locked), "the lock file gives it no secure hash"
            )
        try:
            found = file_digest(path, algorithm)
            size = path.stat().st_size
        except OSError as error:
            problem = error.strerror or str(error)
            raise UsageError(f"cannot read {path}: {problem}") from error
        if locked.size is not None and size != locked.size:
            raise SizeMismatch(filename_of(locked), locked.size, size)
        if found != value:
            raise HashMismatch(
                filename_of(locked), f"{algorithm}:{value}", f"{algorithm}:{found}"
            )
        return path
