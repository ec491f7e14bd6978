"""The PackageSource over several indexes: which one serves whom.

What is known without a request is in tables, which the answers are read from; what is
not is fetched, and more of it ahead (``crawl``).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from polylock.cache.store import Bucket
from polylock.errors import CacheUnusable, ProjectNotFound
from polylock.index.crawl import Crawl, NotYet
from polylock.index.metadata import MetadataReader
from polylock.index.metadata_cache import MetadataCache
from polylock.index.pack import Pack
from polylock.index.repository import Repository, Unknown
from polylock.index.variant_files import VariantFiles
from polylock.model.source_choice import direct_source, direct_sources, fits
from polylock.network.http_cache import CacheMode, HttpCache
from polylock.network.local_files import is_local

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from typing import Self

    from packaging.utils import NormalizedName

    from polylock.cache.store import Store
    from polylock.index.directory import DirectoryIndex
    from polylock.index.flat_page import FlatPage
    from polylock.index.metadata import SdistMetadata
    from polylock.index.metadata_files import MetadataFiles
    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import Release, Releases, RemoteFile, Unusable
    from polylock.model.inputs import IndexLocation, Inputs
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target
    from polylock.network.client import Client
    from polylock.ports import Guess, Reporter
    from polylock.variants.variant_json import VariantMetadata

    Index = Repository | FlatPage | DirectoryIndex
    Refusal = Callable[[NormalizedName], Unusable | None]

__all__ = ["PackageIndexes"]


class PackageIndexes:
    """Implements PackageSource; to be closed, or used in a ``with`` statement.

    ``client`` and ``store`` stay the caller's to close. ``sdist_metadata`` builds what
    source distributions leave to their backends, where the project allows it; without
    it their metadata is unusable. It is called from any thread. ``refusal`` says why it
    would not build for a project. ``project`` names what is locked: the pack of its
    last lock is read, and written by ``remember``.
    """

    def __init__(  # noqa: PLR0913 - each is one part of the world
        self,
        store: Store,
        client: Client,
        *,
        inputs: Inputs,
        mode: CacheMode = CacheMode.NORMAL,
        reporter: Reporter | None = None,
        threads: int = 8,
        sdist_metadata: SdistMetadata | None = None,
        refusal: Refusal | None = None,
        project: str | None = None,
    ) -> None:
        cache = HttpCache(store, client, mode=mode)
        self._store = store
        self._project = project
        kept = None if project is None else store.read(Bucket.PACKS, project)
        self._pack = Pack(kept)
        self._crawl = Crawl(self, threads=threads, ahead=mode is not CacheMode.OFFLINE)
        self._once = self._crawl.once

        def files() -> MetadataFiles:
            return self._once.ask(
                "metadata files", lambda: _files(store, client, mode, reporter)
            )

        kept_metadata = MetadataCache(
            store, client.traffic, asker=client.asker, pack=self._pack
        )
        self._variant_files = VariantFiles(kept_metadata, cache, files)
        self._metadata = MetadataReader(
            kept_metadata, files, self._variant_files, sdist_metadata=sdist_metadata
        )
        self._refusal = refusal
        self._repositories: dict[str, Index] = {
            location.name: _open(location, store, cache, self._pack)
            for location in inputs.indexes
        }
        self._by_priority = tuple(
            repository
            for repository in self._repositories.values()
            if not repository.explicit
        )
        self._inputs = inputs
        self._direct = direct_sources(inputs)
        self._releases: dict[Hashable, Releases] = {}
        self._core_metadata: dict[Hashable, CoreMetadata | Unusable] = {}
        self._variants: dict[Hashable, VariantMetadata | Unusable] = {}

    def releases(self, name: NormalizedName, target: Target) -> Releases:
        """Return the versions of a project on the index that serves it to a target.

        Raises ProjectNotFound, IndexRequestError, Offline and CacheUnusable.
        """
        try:
            return self.releases_at_hand(name, target)
        except NotYet as pending:
            self._crawl.wait(pending)
        return self.releases_at_hand(name, target)

    def variant_metadata(self, release: Release) -> VariantMetadata | Unusable:
        """Return the combined variant metadata of a release with variant wheels."""
        try:
            return self._variants_at_hand(release)
        except NotYet as pending:
            if self._crawl.is_advancing:
                raise  # to whoever called the guess that asks
            self._crawl.wait(pending)
        return self._variants_at_hand(release)

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the core metadata of just this file, never of a sibling.

        Raises IndexRequestError, Offline, HashMismatch, SizeMismatch, CacheUnusable.
        """
        try:
            return self.core_metadata_at_hand(release, file)
        except NotYet as pending:
            self._crawl.wait(pending)
        return self.core_metadata_at_hand(release, file)

    def refusal(self, release: Release, file: RemoteFile) -> Unusable | None:
        """Refuse a source distribution that is known to need a forbidden build."""
        if self._refusal is None or file is not release.sdist:
            return None
        # Imports tarfile, for projects without wheels alone.
        from polylock.index.sdist_metadata import promises_nothing  # noqa: PLC0415

        return self._refusal(release.name) if promises_nothing(file) else None

    def prefetch(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        """Note what a solve begins with; fetched ahead once something is missing."""
        self._crawl.add(requirements, target, guess)

    def remember(self) -> None:
        """Pack what this run needed, for the next one on the same project."""
        if self._project is None or not self._pack.is_changed:
            return
        with suppress(CacheUnusable):  # a cache that is full or read-only serves on
            self._store.write(Bucket.PACKS, self._project, self._pack.encode())

    def close(self) -> None:
        """Stop fetching ahead."""
        self._crawl.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serving(self, name: NormalizedName, target: Target) -> tuple[Index, ...]:
        """Return the indexes to ask for a project, in order.

        The first entry of ``sources`` that fits the target names the only one; with
        none that fits, all that are not ``explicit``. No index is told of a project
        that has a direct source.
        """
        if name in self._direct:
            direct = direct_source(self._inputs, name, target)
            if direct is not None:
                raise ProjectNotFound(name, ("any index, for it has a direct source",))
        for entry in self._inputs.sources.get(name, ()):
            if fits(entry, target):
                repository = self._repositories.get(entry.index)
                if repository is None:
                    raise ProjectNotFound(name, (entry.index,))
                return (repository,)
        return self._by_priority

    def releases_at_hand(self, name: NormalizedName, target: Target) -> Releases:
        """Return what ``releases`` would; raises NotYet where that needs a request."""
        repositories = self._serving(name, target)
        key = ("page", name, tuple(repository.name for repository in repositories))

        def work() -> Releases:
            return _first_that_has(name, repositories)

        found = self._releases.get(key)
        if found is None and self._once.is_done(key):
            found = self._releases[key] = self._once.ask(key, work)
        if found is not None:
            return found
        for repository in repositories:
            cached = repository.cached_releases(name)
            if isinstance(cached, Unknown):
                raise NotYet(key, work)
            if cached is not None:
                self._releases[key] = cached
                return cached
        raise NotYet(key, work)

    def core_metadata_at_hand(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return what ``core_metadata`` would; raises NotYet if it needs a request."""
        key = ("core metadata", file.url)

        def work() -> CoreMetadata | Unusable:
            return self._metadata.core_metadata(release, file)

        found = self._core_metadata.get(key)
        if found is None:
            if self._once.is_done(key):
                found = self._once.ask(key, work)
            else:
                found = self._metadata.cached_core_metadata(file)
            if found is None:
                raise NotYet(key, work)
            self._core_metadata[key] = found
        return found

    def _variants_at_hand(self, release: Release) -> VariantMetadata | Unusable:
        key = ("variants", release.index, release.name, release.version)

        def work() -> VariantMetadata | Unusable:
            return self._variant_files.metadata(release)

        found = self._variants.get(key)
        if found is None:
            if not (self._once.is_done(key) or self._variant_files.is_known(release)):
                raise NotYet(key, work)
            found = self._variants[key] = self._once.ask(key, work)
        return found


def _files(
    store: Store, client: Client, mode: CacheMode, reporter: Reporter | None
) -> MetadataFiles:
    # 0.6 ms that a warm lock does not pay.
    from polylock.index.metadata_files import MetadataFiles  # noqa: PLC0415 - see above
    from polylock.network.download import Downloader  # noqa: PLC0415

    downloader = Downloader(store, client, mode=mode, reporter=reporter)
    return MetadataFiles(client, downloader, mode=mode)


def _open(location: IndexLocation, store: Store, cache: HttpCache, pack: Pack) -> Index:
    if is_local(location.url):
        # Not of use to most, and it parses pages.
        from polylock.index.directory import DirectoryIndex  # noqa: PLC0415

        return DirectoryIndex(location, store)
    if location.format == "flat":
        from polylock.index.flat_page import FlatPage  # noqa: PLC0415 - as above

        return FlatPage(location, cache)
    if location.absent:
        cache = cache.where_absent(location.absent)
    return Repository(location, cache, pack)


def _first_that_has(name: NormalizedName, repositories: Sequence[Index]) -> Releases:
    """Ask one index after the other; the first that has the project serves it all.

    A version that only a later index has is never taken, however high it is: else
    whoever may upload there could replace a private project (dependency confusion).
    """
    for repository in repositories:
        releases = repository.releases(name)
        if releases is not None:
            return releases
    raise ProjectNotFound(name, [repository.url for repository in repositories])
