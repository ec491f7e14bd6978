"""The PackageSource over several indexes: which one serves whom, and fetching ahead.

The solver asks for one thing after another, and each could cost a request. So with
the first thing that the cache does not have, a crawl begins: the pages of all
requirements, the metadata of the files that the solver would take, the pages of what
these require, and so on, in a few threads. The threads only fetch; what to fetch next
is decided in the asking thread, whenever it asks. A run that the cache answers
entirely starts no thread and crawls nothing.

The crawl fills tables that the answers are read from and decides none of them, so they
do not depend on the order in which the network replies.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from polylock.cache.store import Bucket
from polylock.errors import CacheUnusable, PolylockError, ProjectNotFound
from polylock.index.metadata import MetadataReader
from polylock.index.metadata_cache import MetadataCache
from polylock.index.metadata_files import MetadataFiles
from polylock.index.pack import Pack
from polylock.index.repository import Repository, Unknown
from polylock.index.variant_files import VariantFiles
from polylock.model.direct import direct_source, direct_sources, fits
from polylock.model.distributions import Unusable
from polylock.model.markers import fold
from polylock.network.download import Downloader
from polylock.network.http_cache import CacheMode, HttpCache
from polylock.network.local_files import is_local
from polylock.network.once import Once
from polylock.values import Mutable, Value, field

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from typing import Self

    from packaging.utils import NormalizedName

    from polylock.cache.store import Store
    from polylock.index.directory import DirectoryIndex
    from polylock.index.flat_page import FlatPage
    from polylock.index.metadata import SdistMetadata
    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.model.inputs import IndexLocation, Inputs
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target
    from polylock.network.client import Client
    from polylock.ports import Guess, Reporter
    from polylock.variants.variant_json import VariantMetadata

    Index = Repository | FlatPage | DirectoryIndex

__all__ = ["PackageIndexes"]

logger = logging.getLogger(__name__)
T = TypeVar("T")


class _Plan(Value, frozen=True, eq=False):
    """A target's crawl: for whom, and who guesses the files."""

    target: Target
    guess: Guess


class _Visit(Mutable):
    """A requirement on its way through a crawl, and how far it has come."""

    plan: _Plan
    requirement: Requirement
    chosen: tuple[Release, RemoteFile] | None = None


class _Crawl(Mutable):
    """What is still to do: now, and when a job is done.

    ``noted`` are requirements that nobody has looked at: their markers are not folded
    before something is missing.
    """

    begun: bool = False
    noted: deque[tuple[_Plan, tuple[Requirement, ...]]] = field(default_factory=deque)
    ready: deque[_Visit] = field(default_factory=deque)
    waiting: dict[Hashable, list[_Visit]] = field(default_factory=dict)
    seen: set[tuple[str, Requirement]] = field(default_factory=set)


class PackageIndexes:
    """Implements PackageSource; to be closed, or used in a ``with`` statement.

    ``client`` and ``store`` stay the caller's to close. ``downloader`` is used where
    only a whole file will do. ``sdist_metadata`` builds what source distributions
    leave to their backends, where the project allows it; without it their metadata
    is unusable. It is called from any thread. ``project`` names what is locked: the
    pack of its last lock is read, and written by ``remember``.
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
        project: str | None = None,
    ) -> None:
        cache = HttpCache(store, client, mode=mode)
        self._store = store
        self._project = project
        kept = None if project is None else store.read(Bucket.PACKS, project)
        self._pack = Pack(kept)
        self.downloader = Downloader(store, client, mode=mode, reporter=reporter)
        self._offline = mode is CacheMode.OFFLINE
        kept_metadata = MetadataCache(store, self._pack)
        files = MetadataFiles(client, self.downloader, mode=mode)
        self._variant_files = VariantFiles(kept_metadata, cache, files)
        self._metadata = MetadataReader(
            kept_metadata, files, self._variant_files, sdist_metadata=sdist_metadata
        )
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
        self._completed: SimpleQueue[Hashable] = SimpleQueue()
        self._once = Once(threads=threads, on_done=self._completed.put)
        self._releases: dict[Hashable, Releases] = {}
        self._core_metadata: dict[Hashable, CoreMetadata | Unusable] = {}
        self._variants: dict[Hashable, VariantMetadata | Unusable] = {}
        self._crawl = _Crawl()
        self._advancing = False

    def releases(self, name: NormalizedName, target: Target) -> Releases:
        """Return the versions of a project on the index that serves it to a target.

        Raises ProjectNotFound, IndexRequestError, Offline and CacheUnusable.
        """
        repositories = self._serving(name, target)
        key = _page_key(name, repositories)
        found = self._known_releases(key, name, repositories)
        if found is None:
            found = self._await(key, lambda: _first_that_has(name, repositories))
            self._releases[key] = found
        return found

    def variant_metadata(self, release: Release) -> VariantMetadata | Unusable:
        """Return the combined variant metadata of a release with variant wheels."""
        key = ("variants", release.index, release.name, release.version)
        found = self._variants.get(key)
        if found is None:
            found = self._variants[key] = self._find_variants(key, release)
        return found

    def _find_variants(
        self, key: Hashable, release: Release
    ) -> VariantMetadata | Unusable:
        def work() -> VariantMetadata | Unusable:
            return self._variant_files.metadata(release)

        if self._variant_files.is_known(release):
            return self._once.ask(key, work)
        if self._advancing and not self._once.is_done(key):
            raise _NotYet(key, work)  # to whoever called the guess that asks
        return self._await(key, work)

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the core metadata of just this file, never of a sibling.

        Raises IndexRequestError, Offline, HashMismatch, SizeMismatch, CacheUnusable.
        """
        key = _file_key(file)
        found = self._known_metadata(key, release, file)
        if found is None:
            found = self._await(
                key, lambda: self._metadata.core_metadata(release, file)
            )
            self._core_metadata[key] = found
        return found

    def prefetch(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        """Note what a solve begins with; fetched ahead once something is missing."""
        self._crawl.noted.append((_Plan(target, guess), tuple(requirements)))
        if self._crawl.begun:
            self._advance()

    def remember(self) -> None:
        """Pack what this run needed, for the next one on the same project."""
        if self._project is None or not self._pack.is_changed:
            return
        with suppress(CacheUnusable):  # a cache that is full or read-only serves on
            self._store.write(Bucket.PACKS, self._project, self._pack.encode())

    def close(self) -> None:
        """Stop fetching ahead."""
        self._once.close()

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

    def _known_releases(
        self,
        key: Hashable,
        name: NormalizedName,
        repositories: Sequence[Index],
    ) -> Releases | None:
        """Return releases that need no request, None where one is needed."""
        found = self._releases.get(key)
        if found is None and self._once.is_done(key):
            found = self._releases[key] = self._once.ask(
                key, lambda: _first_that_has(name, repositories)
            )
        if found is not None:
            return found
        for repository in repositories:
            cached = repository.cached_releases(name)
            if isinstance(cached, Unknown):
                return None
            if cached is not None:
                self._releases[key] = cached
                return cached
        return None

    def _known_metadata(
        self, key: Hashable, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable | None:
        found = self._core_metadata.get(key)
        if found is None and self._once.is_done(key):
            found = self._core_metadata[key] = self._once.ask(
                key, lambda: self._metadata.core_metadata(release, file)
            )
        if found is None:
            found = self._metadata.cached_core_metadata(file)
            if found is not None:
                self._core_metadata[key] = found
        return found

    def _await(self, key: Hashable, work: Callable[[], T]) -> T:
        """Return a job's result, crawling on while a thread works on it."""
        if not self._offline:
            self._crawl.begun = True
            self._advance()
            while self._once.is_running(key):
                self._wake(self._completed.get())
                self._advance()
        try:
            return self._once.ask(key, work)
        finally:
            self._wake(key)  # a job that ran in this thread is not in the queue

    def _note(
        self, plan: _Plan, requirement: Requirement, *, extras: Sequence[str]
    ) -> None:
        """Queue a requirement that may hold on the target under one of the extras."""
        seen = (plan.target.name, requirement)
        if requirement.url is not None or seen in self._crawl.seen:
            return
        marker = requirement.marker_expression
        if marker is not None and not any(
            fold(marker, plan.target, extra=extra) is not False for extra in extras
        ):
            return
        self._crawl.seen.add(seen)
        self._crawl.ready.append(_Visit(plan, requirement))

    def _advance(self) -> None:
        """Do all that can be done without waiting."""
        if self._advancing:  # a guess asked for something
            return
        self._advancing = True
        try:
            while True:
                while self._crawl.noted:
                    plan, requirements = self._crawl.noted.popleft()
                    for requirement in requirements:
                        self._note(plan, requirement, extras=("",))
                while self._crawl.ready:
                    self._visit(self._crawl.ready.popleft())
                try:
                    self._wake(self._completed.get_nowait())
                except Empty:
                    return
        finally:
            self._advancing = False

    def _wake(self, key: Hashable) -> None:
        self._crawl.ready.extend(self._crawl.waiting.pop(key, ()))

    def _visit(self, visit: _Visit) -> None:
        """Take a requirement further, as far as what is known goes.

        An error is left to the solver, which may never ask for what it befell.
        """
        try:
            if visit.chosen is None:
                self._choose(visit)
            if visit.chosen is not None:
                self._descend(visit, *visit.chosen)
        except PolylockError as error:
            logger.debug("not fetched ahead: %s: %s", visit.requirement, error)

    def _choose(self, visit: _Visit) -> None:
        name, target = visit.requirement.normalized_name, visit.plan.target
        repositories = self._serving(name, target)
        key = _page_key(name, repositories)
        releases = self._known_releases(key, name, repositories)
        if releases is None:
            self._postpone(visit, key, lambda: _first_that_has(name, repositories))
            return
        try:
            visit.chosen = visit.plan.guess(releases, visit.requirement, target)
        except _NotYet as pending:
            self._postpone(visit, pending.key, pending.work)

    def _descend(self, visit: _Visit, release: Release, file: RemoteFile) -> None:
        key = _file_key(file)
        metadata = self._known_metadata(key, release, file)
        if metadata is None:
            self._postpone(
                visit, key, lambda: self._metadata.core_metadata(release, file)
            )
        elif not isinstance(metadata, Unusable):
            extras = ("", *visit.requirement.extras)
            for dependency in metadata.requires_dist:
                self._note(visit.plan, dependency, extras=extras)

    def _postpone(
        self, visit: _Visit, key: Hashable, work: Callable[[], object]
    ) -> None:
        """Start a job and take the visit up again when it is done."""
        self._crawl.waiting.setdefault(key, []).append(visit)
        self._once.start(key, work)


class _NotYet(Exception):
    """A guess needs something that is not there yet; never leaves this module."""

    def __init__(self, key: Hashable, work: Callable[[], object]) -> None:
        super().__init__(str(key))
        self.key = key
        self.work = work


def _open(location: IndexLocation, store: Store, cache: HttpCache, pack: Pack) -> Index:
    if is_local(location.url):
        # Not of use to most, and it parses pages.
        from polylock.index.directory import DirectoryIndex  # noqa: PLC0415

        return DirectoryIndex(location, store)
    if location.format == "flat":
        from polylock.index.flat_page import FlatPage  # noqa: PLC0415 - as above

        return FlatPage(location, cache)
    return Repository(location, cache, pack)


def _page_key(name: NormalizedName, repositories: Sequence[Index]) -> Hashable:
    return ("page", name, tuple(repository.name for repository in repositories))


def _file_key(file: RemoteFile) -> Hashable:
    return ("core metadata", file.url)


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
