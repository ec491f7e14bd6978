"""The limit on what a solve tries, and the count of what it has tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.values import Mutable, field

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylock.ports import Reporter
    from polylock.resolution.candidates import AnyCandidate

__all__ = [
    "LOOKED_AT_MOST",
    "TRIES_AT_MOST",
    "WEIGHED_AT_MOST",
    "TooManyTries",
    "Tries",
]

TRIES_AT_MOST = 20_000
"""The hardest real project known takes 1,600; a slow machine tries 2,000 a second."""

LOOKED_AT_MOST = 3_000_000
"""Rounds, each times the projects that it looks at: 8 µs and 100 bytes each."""

WEIGHED_AT_MOST = 20_000_000
"""Requirements weighed against those of the same project: 1 µs each."""

_CONTESTED_AT_MOST = 5


class TooManyTries(Exception):
    """The limit on tried candidates, on other work, or on time was reached."""


class Tries(Mutable, kw_only=True, eq=False):
    """Counts the rounds of the engine, and the candidates that it tries and rejects.

    ``limit`` bounds the candidates tried; ``is_late`` returns true once the time is up.
    ``given_up`` counts rejected candidates by project. ``looked`` adds up the projects
    of each round, ``weighed`` the earlier requirements on a project for each new one. A
    ``reporter`` is called for each candidate, with the name of the ``target``.
    """

    limit: int = TRIES_AT_MOST
    is_late: Callable[[], bool] | None = None
    target: str = ""
    reporter: Reporter | None = None
    rounds: int = 0
    tried: int = 0
    looked: int = 0
    weighed: int = 0
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

    def looking(self, projects: int) -> None:
        """Count a round that looks at so many projects; raises TooManyTries."""
        self.looked += projects
        if self.looked > LOOKED_AT_MOST:
            raise TooManyTries

    def weighing(self, requirements: int) -> None:
        """Count a requirement beside so many others; raises TooManyTries."""
        self.weighed += requirements
        if self.weighed > WEIGHED_AT_MOST:
            raise TooManyTries

    @property
    def contested(self) -> list[str]:
        """Return the projects with the most rejected candidates, most first."""
        ordered = sorted(self.given_up, key=lambda name: (-self.given_up[name], name))
        return ordered[:_CONTESTED_AT_MOST]
