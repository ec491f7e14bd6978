"""Get locked wheels into the cache, unpacked: several downloads at a time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from polylock.cache.archives import Archives
from polylock.errors import FileCorrupt, HashMismatch, SizeMismatch, UsageError
from polylock.installation.unpack import unpack
from polylock.model.distributions import RemoteFile
from polylock.model.hashes import strongest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.installation.plan import WantedDistribution
    from polylock.lockfile.pylock import PackageWheel
    from polylock.operations.context import Context

__all__ = ["WheelFetcher"]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelFetcher:
    """Implements ``installation.execute.FetchArchives`` for the wheels of a lock file.

    ``root`` is the directory of the lock file, from which relative paths count.
    """

    context: Context
    wheels: Mapping[NormalizedName, PackageWheel]
    root: Path
    threads: int

    def __call__(self, wanted: Sequence[WantedDistribution]) -> Sequence[Path]:
        """Return the unpacked archive of each; raises for the first that fails.

        After a failure no further download begins, and those under way end.
        """
        # Only where something is installed: a sync with nothing to do never comes here.
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - 8 ms

        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="fetch")
        try:
            futures = [pool.submit(self._fetch, one) for one in wanted]
            return [future.result() for future in futures]
        finally:
            pool.shutdown(cancel_futures=True)

    def _fetch(self, wanted: WantedDistribution) -> Path:
        archives = Archives(self.context.store)
        found = archives.get(wanted.sha256)
        if found is not None:
            return found
        wheel = self.wheels[wanted.name]
        if wheel.path is not None:
            return self._unpack(archives, wanted, self._local(wheel))
        try:
            return self._unpack(archives, wanted, self._download(wheel))
        except FileCorrupt:
            # A file that was in the cache is known by its size alone; a damaged one
            # is fetched again, and verified on the way.
            self.context.downloader.discard(wanted.sha256)
        return self._unpack(archives, wanted, self._download(wheel))

    @staticmethod
    def _unpack(archives: Archives, wanted: WantedDistribution, path: Path) -> Path:
        return archives.add(
            wanted.sha256, lambda place: unpack(path, place, filename=wanted.filename)
        )

    def _download(self, wheel: PackageWheel) -> Path:
        if wheel.url is None:
            raise FileCorrupt(wheel.filename, "the lock file gives it no URL")
        file = RemoteFile(
            filename=wheel.filename,
            url=wheel.url,
            hashes=dict(wheel.hashes),
            size=wheel.size,
        )
        return self.context.downloader.fetch(file).path

    def _local(self, wheel: PackageWheel) -> Path:
        """Verify a file that lies beside the lock file."""
        path = self.root / str(wheel.path)
        algorithm, value = strongest(wheel.hashes) or ("", "")
        if not algorithm:
            raise FileCorrupt(wheel.filename, "the lock file gives it no secure hash")
        digest = hashlib.new(algorithm)
        try:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
            size = path.stat().st_size
        except OSError as error:
            problem = error.strerror or str(error)
            raise UsageError(f"cannot read {path}: {problem}") from error
        if wheel.size is not None and size != wheel.size:
            raise SizeMismatch(wheel.filename, wheel.size, size)
        if digest.hexdigest() != value:
            found = f"{algorithm}:{digest.hexdigest()}"
            raise HashMismatch(wheel.filename, f"{algorithm}:{value}", found)
        return path
