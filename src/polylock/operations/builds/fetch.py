"""Get locked files into the cache as unpacked wheels: several downloads at a time.

A source distribution is built; see ``polylock.operations.builds.sdists``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from polylock.cache.archives import Archives
from polylock.errors import ArchiveDamaged, FileCorrupt
from polylock.lockfile.pylock import PackageSdist, PackageWheel
from polylock.operations.builds.locked_files import LockedFiles
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

    ``root`` is the directory of the lock file, from which relative paths count;
    ``builds`` gives what builds source distributions for the environment's Python.
    ``trees`` are the packages that have a source tree instead of a file. With
    ``hashes`` every file of what was unpacked before is read and compared.
    """

    context: Context
    files: Mapping[NormalizedName, PackageWheel | PackageSdist]
    root: Path
    threads: int
    builds: Callable[[], SdistBuilds]
    trees: Mapping[NormalizedName, SourceTree] = field(default_factory=dict)
    hashes: bool = False

    def __call__(self, wanted: Sequence[WantedDistribution]) -> Sequence[Path]:
        """Return the unpacked archive of each; raises for the first that fails.

        After a failure no further download begins, and those under way end.
        """
        found = {one.name: self._unpacked(one) for one in wanted}
        missing = [one for one in wanted if found[one.name] is None]
        if missing:
            found.update(self._fetch_all(missing))
        return [path for one in wanted if (path := found[one.name]) is not None]

    def _unpacked(self, wanted: WantedDistribution) -> Path | None:
        """Return the archive of a wheel that was unpacked before."""
        file = self.files.get(wanted.name)
        if wanted.name in self.trees or not isinstance(file, PackageWheel):
            return None
        return self._present(file, wanted)

    def _as_unpacked(
        self, archive: Path | None, wanted: WantedDistribution
    ) -> Path | None:
        """Return an archive if it is what RECORD says; any other is forgotten."""
        if archive is None or not self.hashes:
            return archive
        # Only where all is compared.
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
        self.forget(wanted.sha256)
        return None

    def _fetch_all(
        self, wanted: Sequence[WantedDistribution]
    ) -> dict[NormalizedName, Path]:
        """Return the archives by name; several are fetched at a time."""
        # Only where something is fetched.
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - 8 ms

        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="fetch")
        try:
            futures = {one.name: pool.submit(self._fetch, one) for one in wanted}
            return {name: future.result() for name, future in futures.items()}
        finally:
            pool.shutdown(cancel_futures=True)

    def forget(self, sha256: str) -> None:
        """Drop the unpacked copy of a locked file; it will be made anew."""
        archives = Archives(self.context.store)
        archives.remove(sha256)
        built = self.builds().kept(sha256)
        if built is not None:
            archives.remove(built.sha256)

    @property
    def _locked(self) -> LockedFiles:
        return LockedFiles(context=self.context, root=self.root)

    def _fetch(self, wanted: WantedDistribution) -> Path:
        tree = self.trees.get(wanted.name)
        if tree is not None:
            if self.hashes:
                self._as_unpacked(self.builds().kept_archive(tree.key), wanted)
            return self.builds().tree_archive(tree)
        file = self.files[wanted.name]
        found = self._present(file, wanted)
        if found is not None:
            return found
        if file.path is not None:
            return self._unpack(wanted, file, self._locked.locate(file))
        try:
            return self._unpack(wanted, file, self._locked.locate(file))
        except FileCorrupt:
            # A file that was in the cache is known by its size alone; a damaged one
            # is fetched again, and verified on the way.
            self.context.downloader.discard(wanted.sha256)
        return self._unpack(wanted, file, self._locked.locate(file))

    def _present(
        self, file: PackageWheel | PackageSdist, wanted: WantedDistribution
    ) -> Path | None:
        """Return an archive that is in the cache already."""
        match file:
            case PackageWheel():
                found = Archives(self.context.store).get(wanted.sha256)
            case PackageSdist():
                found = self.builds().kept_archive(wanted.sha256)
            case _:
                assert_never(file)
        return self._as_unpacked(found, wanted)

    def _unpack(
        self, wanted: WantedDistribution, file: PackageWheel | PackageSdist, path: Path
    ) -> Path:
        # 8 ms, where all is unpacked already.
        from polylock.installation.unpack import unpack  # noqa: PLC0415 - see above

        match file:
            case PackageWheel():
                return Archives(self.context.store).add(
                    wanted.sha256,
                    lambda place: unpack(path, place, filename=wanted.filename),
                )
            case PackageSdist():
                from polylock.operations.builds.sdists import LocalSdist  # noqa: PLC0415 - rare

                sdist = LocalSdist(
                    path=path, filename=wanted.filename, sha256=wanted.sha256
                )
                return self.builds().archive(sdist)
            case _:
                assert_never(file)
