"""The limit on what a solve tries, and the count of what it has tried."""

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
    """The limit on tried candidates, or on time, was reached."""


class Tries(Mutable, kw_only=True, eq=False):
    """Counts the rounds of the engine, and the candidates that it tries and rejects.

    ``limit`` bounds the candidates tried; ``is_late`` returns true once the time is up.
    ``given_up`` counts rejected candidates by project. A ``reporter`` is called for
    each, with the name of the ``target``.
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
        """Count a candidate that is about to be pinned; raises TooManyTries."""
        late = self.is_late is not None and self.is_late()
        if late or self.tried == self.limit:
            raise TooManyTries
        if self.reporter is not None:
            self.reporter.trying(self.target, candidate.name, self.tried)
        self.tried += 1

    def giving_up(self, candidate: AnyCandidate) -> None:
        """Count a candidate that cannot be pinned, or whose pin is taken back."""
        self.rejected += 1
        self.given_up[candidate.name] = self.given_up.get(candidate.name, 0) + 1
        if self.reporter is not None:
            self.reporter.backtracking(self.target, str(candidate))

    @property
    def contested(self) -> list[str]:
        """Return the projects with the most rejected candidates, most first."""
        ordered = sorted(self.given_up, key=lambda name: (-self.given_up[name], name))
        return ordered[:_CONTESTED_AT_MOST]
