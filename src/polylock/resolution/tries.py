"""How much a solve may try, has tried, and what it says meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.values import Mutable, field

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylock.ports import Reporter
    from polylock.resolution.candidates import AnyCandidate

__all__ = ["TooManyTries", "Tries"]

TRIES_AT_MOST = 50_000
"""The hardest real project known takes 1,600; a slow machine tries 2,500 a second."""

_CONTESTED_AT_MOST = 5


class TooManyTries(Exception):
    """As many candidates were tried as may be."""


class Tries(Mutable, kw_only=True, eq=False):
    """Counts the rounds of the engine and the candidates that it tries and gives up.

    ``given_up`` counts the latter by project. ``reporter`` is told of them for
    ``target``, where there is one. Nothing more is tried once it ``is_late``.
    """

    limit: int = TRIES_AT_MOST
    is_late: Callable[[], bool] | None = None
    target: str = ""
    reporter: Reporter | None = None
    rounds: int = 0
    tried: int = 0
    rejected: int = 0
    given_up: dict[str, int] = field(default_factory=dict)

    def trying(self, candidate: AnyCandidate) -> None:
        """Count a candidate that is to be pinned; raises TooManyTries."""
        late = self.is_late is not None and self.is_late()
        if late or self.tried == self.limit:
            raise TooManyTries
        if self.reporter is not None:
            self.reporter.trying(self.target, candidate.name, self.tried)
        self.tried += 1

    def giving_up(self, candidate: AnyCandidate) -> None:
        """Count a candidate that cannot be pinned, or is pinned no longer."""
        self.rejected += 1
        self.given_up[candidate.name] = self.given_up.get(candidate.name, 0) + 1
        if self.reporter is not None:
            self.reporter.backtracking(self.target, str(candidate))

    @property
    def contested(self) -> list[str]:
        """Return the projects of which most candidates were given up."""
        ordered = sorted(self.given_up, key=lambda name: (-self.given_up[name], name))
        return ordered[:_CONTESTED_AT_MOST]
