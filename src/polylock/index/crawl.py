"""Fetching ahead: what a solve will likely need, before it asks.

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
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from polylock.errors import PolylockError
from polylock.model.by_extra import ByExtra
from polylock.model.distributions import Unusable
from polylock.model.folding import fold
from polylock.network.keyed_jobs import Once
from polylock.values import Mutable, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from packaging.utils import NormalizedName

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.model.requirements import Requirement
    from polylock.model.target import Target
    from polylock.ports import Guess

__all__ = ["AtHand", "Crawl", "NotYet"]

logger = logging.getLogger(__name__)


class NotYet(Exception):
    """What is asked for needs a request: ``work`` makes it, once for each key."""

    def __init__(self, key: Hashable, work: Callable[[], object]) -> None:
        super().__init__(str(key))
        self.key = key
        self.work = work


class AtHand(Protocol):
    """What is known without a request; each raises NotYet, or what the answer is."""

    def releases_at_hand(self, name: NormalizedName, target: Target) -> Releases:
        """Return the versions of a project."""
        ...

    def core_metadata_at_hand(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the core metadata of a file."""
        ...


class _Plan(Value, frozen=True, eq=False):
    """A target's crawl: for whom, and who guesses the files."""

    target: Target
    guess: Guess


class _Visit(Mutable):
    """A requirement on its way through a crawl, and how far it has come."""

    plan: _Plan
    requirement: Requirement
    chosen: tuple[Release, RemoteFile] | None = None


class Crawl:
    """The jobs of a run, and what is still to be fetched ahead.

    One that is not ``ahead`` runs what it is asked for and nothing else. To be closed.
    """

    def __init__(self, known: AtHand, *, threads: int, ahead: bool) -> None:
        self._known = known
        self._ahead = ahead
        self._completed: SimpleQueue[Hashable] = SimpleQueue()
        self.once = Once(threads=threads, on_done=self._completed.put)
        self._begun = False
        # Nobody has looked at these: markers are folded once something is missing.
        self._noted: deque[tuple[_Plan, tuple[Requirement, ...]]] = deque()
        self._ready: deque[_Visit] = deque()
        self._waiting: dict[Hashable, list[_Visit]] = {}
        self._seen: set[tuple[str, Requirement]] = set()
        self._descended: dict[tuple[str, int, str], CoreMetadata] = {}
        self._by_extra = ByExtra()
        self.is_advancing = False
        """Whether it is the crawl that asks: then it must not wait."""

    def add(
        self, requirements: Iterable[Requirement], target: Target, guess: Guess
    ) -> None:
        """Note what a solve begins with; fetched ahead once something is missing."""
        self._noted.append((_Plan(target, guess), tuple(requirements)))
        if self._begun:
            self._advance()

    def wait(self, pending: NotYet) -> None:
        """Have a job done, crawling on while a thread works on it; raises its error."""
        if self._ahead:
            self._begun = True
            self._advance()
            while self.once.is_running(pending.key):
                self._wake(self._completed.get())
                self._advance()
        try:
            self.once.ask(pending.key, pending.work)
        finally:
            # A job that ran in this thread is not in the queue.
            self._wake(pending.key)

    def close(self) -> None:
        """Stop fetching ahead."""
        self.once.close()

    def _note(self, plan: _Plan, requirement: Requirement, *, extra: str) -> None:
        """Queue a requirement that may hold on the target under an extra."""
        seen = (plan.target.name, requirement)
        if requirement.url is not None or seen in self._seen:
            return
        marker = requirement.marker_expression
        if marker is not None and fold(marker, plan.target, extra=extra) is False:
            return
        self._seen.add(seen)
        self._ready.append(_Visit(plan, requirement))

    def _advance(self) -> None:
        """Do all that can be done without waiting."""
        if self.is_advancing:  # a guess asked for something
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
        """Take a requirement further, as far as what is known goes.

        What is missing is fetched, and the visit taken up again when it is there. An
        error is left to the solver, which may never ask for what it befell.
        """
        try:
            if visit.chosen is None:
                name = visit.requirement.normalized_name
                releases = self._known.releases_at_hand(name, visit.plan.target)
                visit.chosen = visit.plan.guess(
                    releases, visit.requirement, visit.plan.target
                )
            if visit.chosen is not None:
                self._descend(visit, *visit.chosen)
        except NotYet as pending:
            self._waiting.setdefault(pending.key, []).append(visit)
            self.once.start(pending.key, pending.work)
        except PolylockError as error:
            logger.debug("not fetched ahead: %s: %s", visit.requirement, error)

    def _descend(self, visit: _Visit, release: Release, file: RemoteFile) -> None:
        metadata = self._known.core_metadata_at_hand(release, file)
        if not isinstance(metadata, Unusable):
            for extra in ("", *visit.requirement.extras):
                # Each extra of a file once: one may ask for thousands, one by one.
                asked = visit.plan.target.name, id(metadata), extra
                if asked not in self._descended:
                    self._descended[asked] = metadata
                    for position in self._by_extra.positions(metadata, extra):
                        dependency = metadata.requires_dist[position]
                        self._note(visit.plan, dependency, extra=extra)
