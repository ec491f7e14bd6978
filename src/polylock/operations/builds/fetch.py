"""Fetch locked files into the cache as unpacked wheels, with parallel downloads.

Source distributions are built; see ``polylock.operations.builds.sdists``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from polylock.cache.archives import Archives
from polylock.errors import ArchiveDamaged, FileCorrupt
from polylock.lockfile.pylock import PackageSdist, PackageWheel
from polylock.operations.builds.locked_files import LockedFiles, locked_sha256
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.installation.plan import WantedDistribution
    from polylock.operations.builds.sdists import SdistBuilds, SourceTree
    from polylock.operations.context import Context

__all__ = ["WheelFetcher"]


class WheelFetcher(Value, frozen=True, kw_only=True):
    """Implements ``installation.execute.FetchArchives`` for the files of a lock file.

    Relative paths are relative to ``root``, the directory of the lock file. ``builds``
    returns the builder of source distributions for the environment's Python. ``trees``
    are the packages with a source tree instead of a file. With ``hashes`` every file of
    the archives in the cache is read and compared with its hash.
    """

    context: Context
    files: Mapping[NormalizedName, PackageWheel | PackageSdist]
    root: Path
    threads: int
    builds: Callable[[], SdistBuilds]
    trees: Mapping[NormalizedName, SourceTree] = field(default_factory=dict)
    hashes: bool = False

    def __call__(self, wanted: Sequence[WantedDistribution]) -> Sequence[Path]:
        """Return the unpacked archive of each; raises the first error.

        After an error no further download begins, and running ones are completed.
        """
        found = {one.name: self._unpacked(one) for one in wanted}
        missing = [one for one in wanted if found[one.name] is None]
        if missing:
            found.update(self._fetch_all(missing))
        return [path for one in wanted if (path := found[one.name]) is not None]

    def _unpacked(self, wanted: WantedDistribution) -> Path | None:
        """Return the archive of a wheel if it is in the cache."""
        file = self.files.get(wanted.name)
        if wanted.name in self.trees or not isinstance(file, PackageWheel):
            return None
        return self._present(file, wanted)

    def _verified(
        self, archive: Path | None, wanted: WantedDistribution
    ) -> Path | None:
        """Return an archive if it matches RECORD, else discard it."""
        if archive is None or not self.hashes:
            return archive
        from polylock.installation.archive import read_manifest  # noqa: PLC0415 - rare
        from polylock.installation.hash_check import changed_in_archive  # noqa: PLC0415

        try:
            manifest = read_manifest(
                archive, filename=wanted.filename, sha256=wanted.sha256
            )
        except ArchiveDamaged as error:
            problem = str(error)
        else:
            changed = changed_in_archive(archive, manifest)
            if changed is None:
                return archive
            problem = f"{changed} was changed in the cache"
        self.context.reporter.warning(
            f"{wanted.filename}: {problem}; it is unpacked again"
        )
        self.discard(wanted.sha256)
        return None

    def _fetch_all(
        self, wanted: Sequence[WantedDistribution]
    ) -> dict[NormalizedName, Path]:
        """Fetch several wheels at a time; return the archives by name."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - 8 ms

        # The largest first: begun last, it would be waited for alone.
        wanted = sorted(wanted, key=self._size, reverse=True)
        sizes = [size for one in wanted if (size := self._to_download(one)) is not None]
        if sizes:
            total = sum(sizes) if all(sizes) else None
            self.context.reporter.expecting(len(sizes), total)
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="fetch")
        try:
            futures = {one.name: pool.submit(self._fetch, one) for one in wanted}
            return {name: future.result() for name, future in futures.items()}
        finally:
            pool.shutdown(cancel_futures=True)

    def _size(self, wanted: WantedDistribution) -> int:
        """Return the bytes of a file, 0 for a source tree or if they are unknown."""
        file = self.files.get(wanted.name)
        return 0 if file is None else file.size or 0

    def _to_download(self, wanted: WantedDistribution) -> int | None:
        """Return the bytes to download, 0 if unknown, None if there are none."""
        file = self.files.get(wanted.name)
        if wanted.name in self.trees or file is None or file.path is not None:
            return None
        return None if self._locked.is_cached(file) else self._size(wanted)

    def discard(self, sha256: str) -> None:
        """Remove the archive of a locked file from the cache."""
        archives = Archives(self.context.store)
        archives.remove(sha256)
        built = self.builds().cached(sha256)
        if built is not None:
            archives.remove(built.sha256)

    @property
    def _locked(self) -> LockedFiles:
        return LockedFiles(context=self.context, root=self.root)

    def _fetch(self, wanted: WantedDistribution) -> Path:
        tree = self.trees.get(wanted.name)
        if tree is not None:
            if self.hashes:
                self._verified(self.builds().cached_archive(tree.key), wanted)
            return self.builds().tree_archive(tree)
        file = self.files[wanted.name]
        found = self._present(file, wanted)
        if found is not None:
            return found
        try:
            return self._unpack(wanted, file, self._locked.locate(file))
        except FileCorrupt:
            if file.path is not None:
                raise
            # A cached file is checked only by its size. A damaged one is fetched again
            # and verified.
            self.context.downloader.discard(locked_sha256(file))
        return self._unpack(wanted, file, self._locked.locate(file))

    def _present(
        self, file: PackageWheel | PackageSdist, wanted: WantedDistribution
    ) -> Path | None:
        """Return the archive of a file if it is in the cache."""
        match file:
            case PackageWheel():
                found = Archives(self.context.store).get(wanted.sha256)
            case PackageSdist():
                found = self.builds().cached_archive(wanted.sha256)
            case _:
                assert_never(file)
        return self._verified(found, wanted)

    def _unpack(
        self, wanted: WantedDistribution, file: PackageWheel | PackageSdist, path: Path
    ) -> Path:
        from polylock.installation.unpack import unpack  # noqa: PLC0415 - 8 ms

        match file:
            case PackageWheel():

                def build(place: Path) -> None:
                    with self.context.unpacking:
                        unpack(path, place, filename=wanted.filename)

                return Archives(self.context.store).add(wanted.sha256, build)
            case PackageSdist():
                from polylock.operations.builds.sdists import LocalSdist  # noqa: PLC0415 - rare

                sdist = LocalSdist(
                    path=path, filename=wanted.filename, sha256=locked_sha256(file)
                )
                return self.builds().archive(sdist)
            case _:
                assert_never(file)
