"""Prefetching of what a solve will likely need.

The solver asks for one thing after another, and each may take a request. So the first
cache miss starts a crawl: the pages of all requirements, the metadata of the files that
the solver would take, the pages of their requirements, and so on, in a few threads. The
threads only fetch; the solver's thread decides what to fetch next whenever it waits. A
run with cache hits only starts no thread.

The crawl fills tables from which results are read, and decides nothing, so results do
not depend on the order of responses.
"""

from __future__ import annotations

import logging
from collections import deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from polylock.errors import PolylockError
from polylock.model.by_extra import ByExtra
from polylock.model.distributions import Release, Releases, RemoteFile, Unusable
from polylock.model.folding import fold
from polylock.network.keyed_jobs import KeyedJobs
from polylock.values import Mutable, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from packaging.utils import NormalizedName

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target
    from polylock.ports import Guess

__all__ = ["CachedResults", "Crawl", "RequestNeeded"]

logger = logging.getLogger(__name__)


class RequestNeeded(Exception):
    """A cache miss: ``work`` makes the request, once for each key."""

    def __init__(self, key: Hashable, work: Callable[[], object]) -> None:
        super().__init__(str(key))
        self.key = key
        self.work = work


class CachedResults(Protocol):
    """The results that take no request.

    Each method raises RequestNeeded for a cache miss, and what the result raises.
    """

    def cached_releases(self, name: NormalizedName, target: Target) -> Releases:
        """Return the versions of a project."""
        ...

    def cached_core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the core metadata of a file."""
        ...


class _Plan(Value, frozen=True, eq=False):
    """The target of a crawl, and the guess of the files that it will need."""

    target: Target
    guess: Guess


class _Visit(Mutable):
    """The state of one requirement in a crawl."""

    plan: _Plan
    requirement: Requirement
    chosen: tuple[Release, RemoteFile] | None = None


class Crawl:
    """The requests of a run, and a queue of what to prefetch; close it after use.

    With ``ahead`` false it makes only the requests that are waited for.
    """

    def __init__(self, known: CachedResults, *, threads: int, ahead: bool) -> None:
        self._known = known
        self._ahead = ahead
        self._completed: SimpleQueue[Hashable] = SimpleQueue()
        self.jobs = KeyedJobs(threads=threads, on_done=self._completed.put)
        self._begun = False
        # Not processed yet: markers are folded after the first cache miss.
        self._noted: deque[tuple[_Plan, tuple[Requirement, ...]]] = deque()
        self._ready: deque[_Visit] = deque()
        self._waiting: dict[Hashable, list[_Visit]] = {}
        self._seen: set[tuple[str, Requirement]] = set()
        self._descended: dict[tuple[str, int, str], CoreMetadata] = {}
        self._by_extra = ByExtra()
        self.is_advancing = False
        """True while the crawl itself asks for results: it must not wait for them."""

    def add(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        """Queue the requirements of a solve; they are fetched after a cache miss."""
        self._noted.append((_Plan(target, guess), tuple(requirements)))
        if self._begun:
            self._advance()

    def wait(self, pending: RequestNeeded) -> None:
        """Run a request; crawl on while a thread works on it. Raises its error."""
        if self._ahead:
            self._begun = True
            self._advance()
            while self.jobs.is_running(pending.key):
                self._wake(self._completed.get())
                self._advance()
        try:
            self.jobs.result(pending.key, pending.work)
        finally:
            # A job that ran in this thread is not in the queue.
            self._wake(pending.key)

    def close(self) -> None:
        """Stop prefetching."""
        self.jobs.close()

    def _note(self, plan: _Plan, requirement: Requirement, *, extra: str) -> None:
        """Queue a requirement that may apply to the target with an extra."""
        seen = (plan.target.name, requirement)
        if requirement.url is not None or seen in self._seen:
            return
        marker = requirement.marker_expression
        if marker is not None and fold(marker, plan.target, extra=extra) is False:
            return
        self._seen.add(seen)
        self._ready.append(_Visit(plan, requirement))

    def _advance(self) -> None:
        """Do everything that takes no waiting."""
        if self.is_advancing:  # called by way of a guess
            return
        self.is_advancing = True
        try:
            while True:
                while self._noted:
                    plan, requirements = self._noted.popleft()
                    for requirement in requirements:
                        self._note(plan, requirement, extra="")
                while self._ready:
                    self._visit(self._ready.popleft())
                try:
                    self._wake(self._completed.get_nowait())
                except Empty:
                    return
        finally:
            self.is_advancing = False

    def _wake(self, key: Hashable) -> None:
        self._ready.extend(self._waiting.pop(key, ()))

    def _visit(self, visit: _Visit) -> None:
        """Process a requirement as far as possible without waiting.

        A cache miss is fetched, and the visit continues when it is complete. Errors are
        ignored: the solver raises them if it asks for the same thing, which it may not.
        """
        try:
            if visit.chosen is None:
                name = visit.requirement.normalized_name
                releases = self._known.cached_releases(name, visit.plan.target)
                visit.chosen = visit.plan.guess(
                    releases, visit.requirement, visit.plan.target
                )
            if visit.chosen is not None:
                self._descend(visit, *visit.chosen)
        except RequestNeeded as pending:
            self._waiting.setdefault(pending.key, []).append(visit)
            self.jobs.start(pending.key, pending.work)
        except PolylockError as error:
            logger.debug("not fetched ahead: %s: %s", visit.requirement, error)

    def _descend(self, visit: _Visit, release: Release, file: RemoteFile) -> None:
        metadata = self._known.cached_core_metadata(release, file)
        if not isinstance(metadata, Unusable):
            for extra in ("", *visit.requirement.extras):
                # Each extra of a file once: one may ask for thousands, one by one.
                asked = visit.plan.target.name, id(metadata), extra
                if asked not in self._descended:
                    self._descended[asked] = metadata
                    for position in self._by_extra.positions(metadata, extra):
                        dependency = metadata.requires_dist[position]
                        self._note(visit.plan, dependency, extra=extra)
