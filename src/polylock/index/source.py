"""The PackageSource over all indexes of a project.

It decides which index serves a project. Results come from tables; a cache miss is
fetched, and starts prefetching (``crawl``).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Self, TypeVar

from polylock.cache.store import Bucket, Store
from polylock.errors import CacheUnusable, ProjectNotFound
from polylock.index.crawl import Crawl, RequestNeeded
from polylock.index.metadata import MetadataReader
from polylock.index.metadata_cache import MetadataCache
from polylock.index.pack import Pack
from polylock.index.repository import Repository, Unknown
from polylock.index.variant_files import VariantFiles
from polylock.model.filenames import SdistFilename, WheelFilename
from polylock.model.hashes import sha256_of
from polylock.model.source_choice import (
    direct_source,
    direct_sources,
    fits,
    torch_choice,
)
from polylock.model.torch_backends import index_of_backend
from polylock.network.http_cache import CacheMode, HttpCache
from polylock.network.local_files import is_local

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from packaging.utils import NormalizedName

    from polylock.index.combined import CombinedIndex
    from polylock.index.directory import DirectoryIndex
    from polylock.index.flat_page import FlatPage
    from polylock.index.metadata import SdistMetadata
    from polylock.index.metadata_files import MetadataFiles
    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import Release, Releases, RemoteFile, Unusable
    from polylock.model.inputs import IndexLocation, Inputs
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target
    from polylock.model.torch_backends import TorchChoice
    from polylock.network.client import Client
    from polylock.ports import Guess, Reporter
    from polylock.variants.variant_json import VariantMetadata

    OneIndex = Repository | FlatPage | DirectoryIndex
    Index = OneIndex | CombinedIndex
    Refusal = Callable[[NormalizedName], Unusable | None]

__all__ = ["PackageIndexes", "current_link"]

T = TypeVar("T")


class PackageIndexes:
    """Implements PackageSource; close it, or use it in a ``with`` statement.

    The caller closes ``client`` and ``store``. ``sdist_metadata`` builds metadata that
    source distributions leave to their backends, if the project allows it; without it
    such metadata is unusable. It is called from any thread. ``refusal`` returns why a
    project must not be built. ``project`` is the key of the pack, which is read here,
    and written by ``remember``.
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
        self._jobs = self._crawl.jobs

        def files() -> MetadataFiles:
            return self._jobs.result(
                "metadata files", lambda: _files(store, client, mode, reporter)
            )

        kept_metadata = MetadataCache(
            store, client.traffic, user_of=client.credentials_digest, pack=self._pack
        )
        self._variant_files = VariantFiles(kept_metadata, cache, files)
        self._metadata = MetadataReader(
            kept_metadata, files, self._variant_files, sdist_metadata=sdist_metadata
        )
        self._refusal = refusal
        self._repositories: dict[str, OneIndex] = {
            location.name: _open(location, store, cache, self._pack)
            for location in inputs.every_index
        }
        self._combined: dict[Hashable, CombinedIndex] = {}
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
        self._stated_metadata: dict[tuple[str, str], CoreMetadata | None] = {}

    def releases(self, name: NormalizedName, target: Target) -> Releases:
        """Return the versions of a project on the index that serves it to a target.

        Raises ProjectNotFound, IndexRequestError, Offline and CacheUnusable.
        """
        return self._fetched(lambda: self.cached_releases(name, target))

    def variant_metadata(
        self, release: Release, target: Target
    ) -> VariantMetadata | Unusable:
        """Return the combined variant metadata of a release with variant wheels."""
        return self._fetched(lambda: self._cached_variants(release, target))

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the core metadata of this very file, not of another of the release.

        Raises IndexRequestError, Offline, HashMismatch, SizeMismatch, CacheUnusable.
        """
        return self._fetched(lambda: self.cached_core_metadata(release, file))

    def refusal(self, release: Release, file: RemoteFile) -> Unusable | None:
        """Return the reason against an sdist that must be built, None for none."""
        if self._refusal is None or file is not release.sdist:
            return None
        if self._inputs.builds.metadata and self._stated(release) is not None:
            return None
        # Imports tarfile, and is only for projects without wheels.
        from polylock.index.sdist_metadata import predates_static_metadata  # noqa: PLC0415

        return self._refusal(release.name) if predates_static_metadata(file) else None

    def prefetch(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        """Queue the requirements of a solve; they are fetched after a cache miss."""
        self._crawl.add(requirements, target, guess)

    def remember(self) -> None:
        """Write the pack with what this run needed, for the next one."""
        if self._project is None or not self._pack.is_changed:
            return
        with suppress(CacheUnusable):  # a full or read-only cache is no error
            self._store.write(Bucket.PACKS, self._project, self._pack.encode())

    def close(self) -> None:
        """Stop prefetching."""
        self._crawl.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serving(self, name: NormalizedName, target: Target) -> tuple[Index, ...]:
        """Return the indexes to ask for a project, in order.

        The first entry of ``sources`` that fits the target names the only one; then
        come the indexes of its backends of torch. Otherwise, and for projects that
        those need not have, they are all that are not ``explicit``. No index is asked
        for a project that has a direct source.
        """
        if name in self._direct:
            direct = direct_source(self._inputs, name, target)
            if direct is not None:
                raise ProjectNotFound(
                    name, ("any index, because it has a direct source",)
                )
        for entry in self._inputs.sources.get(name, ()):
            if fits(entry, target):
                repository = self._repositories.get(entry.index)
                if repository is None:
                    raise ProjectNotFound(name, (entry.index,))
                return (repository,)
        choice = torch_choice(self._inputs, name, target)
        if choice is not None:
            return self._of_backends(name, choice)
        return self._by_priority

    def _of_backends(
        self, name: NormalizedName, choice: TorchChoice
    ) -> tuple[Index, ...]:
        """Return the combined indexes of backends, then the others if they may serve.

        Only some versions of torch may run on a target; the projects that are built
        against it require a version of it.
        """
        from polylock.index.combined import CombinedIndex  # noqa: PLC0415 - for torch

        torch = self._inputs.torch
        key = tuple(
            (
                index_of_backend(fit.backend),
                fit.versions if name == "torch" else ("",),
            )
            for fit in choice.taken
        )
        combined = self._combined.get(key)
        if combined is None:
            parts = [(self._repositories[index], limits) for index, limits in key]
            combined = self._combined[key] = CombinedIndex(parts)
        if torch is not None and name in torch.optional:
            return (combined, *self._by_priority)
        return (combined,)

    def _fetched(self, ask: Callable[[], T]) -> T:
        """Return the answer of ``ask``, from tables or after one request."""
        try:
            return ask()
        except RequestNeeded as pending:
            if self._crawl.is_advancing:
                raise  # to the crawl, whose guess asks: it must not wait
            self._crawl.wait(pending)
        return ask()

    def cached_releases(self, name: NormalizedName, target: Target) -> Releases:
        """Return the result of ``releases``; raises RequestNeeded for a cache miss."""
        repositories = self._serving(name, target)
        key = ("page", name, tuple(repository.name for repository in repositories))

        def work() -> Releases:
            return _first_that_has(name, repositories)

        found = self._releases.get(key)
        if found is None and self._jobs.is_done(key):
            found = self._releases[key] = self._jobs.result(key, work)
        if found is not None:
            return found
        for repository in repositories:
            cached = repository.cached_releases(name)
            if isinstance(cached, Unknown):
                raise RequestNeeded(key, work)
            if cached is not None:
                self._releases[key] = cached
                return cached
        raise RequestNeeded(key, work)

    def cached_core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the result of ``core_metadata``; raises RequestNeeded for a miss."""
        if self._inputs.builds.metadata:
            stated = self._stated(release)
            if stated is not None:
                return stated
        key = ("core metadata", file.url)

        def work() -> CoreMetadata | Unusable:
            return self._metadata.core_metadata(release, file)

        found = self._core_metadata.get(key)
        if found is None:
            if self._jobs.is_done(key):
                found = self._jobs.result(key, work)
            else:
                found = self._metadata.cached_core_metadata(file)
            if found is None:
                raise RequestNeeded(key, work)
            self._core_metadata[key] = found
        return found

    def _stated(self, release: Release) -> CoreMetadata | None:
        """Return the metadata of ``dependency-metadata``, the same object each time."""
        key = release.name, release.version
        if key not in self._stated_metadata:
            found = self._inputs.builds.stated(*key)
            metadata = None if found is None else found.core_metadata(release.version)
            self._stated_metadata[key] = metadata
        return self._stated_metadata[key]

    def _cached_variants(
        self, release: Release, target: Target
    ) -> VariantMetadata | Unusable:
        files = self._variant_files
        wheels = () if release.variants_json else files.wheels(release, target)
        names = tuple(wheel.filename for _, wheel, _ in wheels)
        key = ("variants", release.index, release.name, release.version, *names)

        def work() -> VariantMetadata | Unusable:
            return files.metadata(release, target)

        found = self._variants.get(key)
        if found is None:
            if not (self._jobs.is_done(key) or files.is_known(release, target)):
                raise RequestNeeded(key, work)
            found = self._variants[key] = self._jobs.result(key, work)
        return found


def current_link(
    inputs: Inputs, cache: HttpCache, store: Store, *, filename: str, sha256: str
) -> str | None:
    """Return the current URL of a file on the indexes, None if none has that file.

    A link may hold a token, which no lock file does, or the file may have moved. Only
    the indexes that serve the project to some target are asked. Raises InvalidFilename
    and what ``Repository.releases`` does.
    """
    is_wheel = filename.endswith(".whl")
    name = (WheelFilename if is_wheel else SdistFilename).parse(filename).name
    named = [entry.index for entry in inputs.sources.get(name, ())]
    torch = inputs.torch
    if torch is not None and (name in torch.projects or name in torch.optional):
        named += [location.name for location in torch.indexes]
        named += [each.name for each in inputs.indexes if not each.explicit]
    for location in inputs.every_index:
        if location.name not in named and (named or location.explicit):
            continue
        releases = _open(location, store, cache, Pack()).releases(name)
        if releases is not None:
            return _link(releases, filename, sha256)
    return None


def _link(releases: Releases, filename: str, sha256: str) -> str | None:
    for position in range(len(releases.versions)):
        release = releases.release(position)
        for file in (*release.wheels, release.sdist):
            if file is None or file.filename != filename:
                continue
            if sha256_of(file.hashes) in {None, sha256}:
                return file.url
    return None


def _files(
    store: Store, client: Client, mode: CacheMode, reporter: Reporter | None
) -> MetadataFiles:
    # 0.6 ms, and a warm lock does not need them.
    from polylock.index.metadata_files import MetadataFiles  # noqa: PLC0415 - see above
    from polylock.network.download import Downloader  # noqa: PLC0415

    downloader = Downloader(store, client, mode=mode, reporter=reporter)
    return MetadataFiles(client, downloader, mode=mode)


def _open(
    location: IndexLocation, store: Store, cache: HttpCache, pack: Pack
) -> OneIndex:
    if is_local(location.url):
        # Rarely used, and it imports the parser of pages.
        from polylock.index.directory import DirectoryIndex  # noqa: PLC0415

        return DirectoryIndex(location, store)
    if location.format == "flat":
        from polylock.index.flat_page import FlatPage  # noqa: PLC0415 - as above

        return FlatPage(location, cache)
    if location.absent:
        cache = cache.where_absent(location.absent)
    return Repository(location, cache, pack)


def _first_that_has(name: NormalizedName, repositories: Sequence[Index]) -> Releases:
    """Return the releases from the first index that has the project.

    A version that only a later index has is never taken, however high it is. Otherwise
    anyone who can upload there could replace a private project (dependency confusion).
    """
    for repository in repositories:
        releases = repository.releases(name)
        if releases is not None:
            return releases
    raise ProjectNotFound(name, [repository.url for repository in repositories])
