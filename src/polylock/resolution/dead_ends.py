"""What can never be part of a solution, whatever else is decided.

Backjumping forgets why it went back. A project without a file for the target, deep
below others, would be come upon again for each version of each project above it: the
product of their numbers. So a candidate that failed all by itself is remembered, and
from it what no requirement can ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.resolution.versions import positions

if TYPE_CHECKING:
    from collections.abc import Collection

    from packaging.utils import NormalizedName

    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import Candidate

__all__ = ["DeadEnds"]


class DeadEnds:
    """What one search has learnt; it holds for as long as the roots are the same.

    A candidate may fail for what one of its extras requires, so what is said holds
    where those extras are asked for, others or not.
    """

    def __init__(self, availability: Availability) -> None:
        self._availability = availability
        self._candidates: dict[Candidate, list[frozenset[str]]] = {}
        self._demands: dict[tuple[NormalizedName, str], list[frozenset[str]]] = {}

    def add(self, candidate: Candidate, extras: Collection[str]) -> None:
        """Remember that a candidate fails with these extras, or with more."""
        if not self.holds(candidate, extras):
            self._candidates.setdefault(candidate, []).append(frozenset(extras))

    def holds(self, candidate: Candidate, extras: Collection[str]) -> bool:
        """Say whether a candidate is known to fail with these extras."""
        return any(
            known.issubset(extras) for known in self._candidates.get(candidate, ())
        )

    def learn(
        self, name: NormalizedName, specifier: str, extras: Collection[str]
    ) -> None:
        """Remember a requirement if all that could meet it has failed.

        Opens no version that the search has not opened.
        """
        if self.bars(name, specifier, extras):
            return
        releases = self._availability.releases(name)
        if releases is None:
            return
        pool = self._availability.pool
        mask = self._availability.allowed(releases, [specifier])
        if any((name, position) not in pool.visited for position in positions(mask)):
            return
        if all(
            self.holds(candidate, extras)
            for candidate in self._availability.candidates(releases, mask)
        ):
            known = self._demands.setdefault((name, specifier), [])
            known.append(frozenset(extras))

    def bars(
        self, name: NormalizedName, specifier: str, extras: Collection[str]
    ) -> bool:
        """Say whether a requirement is known to be more than anything can meet."""
        known = self._demands.get((name, specifier), ())
        return any(found.issubset(extras) for found in known)
