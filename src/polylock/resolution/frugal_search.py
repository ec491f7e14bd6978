"""Search without source distributions first, and with them where that leaves a chance.

What a source distribution requires can only take solutions away. So a search that
takes those which were not opened to require nothing, and finds no solution, has shown
that there is none, at the cost of wheels alone. Where it met no such candidate its
answer is the answer. Otherwise the search is done again with all that they say, and in
the order of decisions that this gives: the answer is the same as without the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.resolution.search import Search, SearchTooLong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import Candidate, ExtraCandidate
    from polylock.resolution.constraints import Dependency
    from polylock.resolution.dependencies import DependencyReader

__all__ = ["FrugalSearch"]


class FrugalSearch:
    """Both searches for one target; counts and ``on_rejection`` are as ``Search`` has.

    ``places`` is the order of decisions of the last of them.
    """

    def __init__(
        self,
        availability: Availability,
        dependencies: DependencyReader,
        *,
        on_rejection: Callable[[Candidate], None] | None = None,
    ) -> None:
        self.tried = 0
        self.rejected = 0
        self.places: Mapping[NormalizedName, int] = {}
        self._availability = availability
        self._dependencies = dependencies
        self._on_rejection = on_rejection

    def solve(
        self, roots: Sequence[Dependency], *, tries_at_most: int
    ) -> Mapping[str, Candidate | ExtraCandidate] | None:
        """Return candidates by identifier, None where there is no solution.

        Each of the two searches may try as many candidates. Raises SearchTooLong, and
        what the package source raises.
        """
        assuming = self._dependencies.assuming()
        try:
            mapping = self._once(assuming, roots, tries_at_most)
        except SearchTooLong:
            if not assuming.assumed:
                raise
        else:
            if mapping is None or not assuming.assumed:
                return mapping
            self._dependencies.fetch_ahead(mapping.values())
        return self._once(self._dependencies, roots, tries_at_most)

    def _once(
        self,
        dependencies: DependencyReader,
        roots: Sequence[Dependency],
        tries_at_most: int,
    ) -> Mapping[str, Candidate | ExtraCandidate] | None:
        search = Search(
            self._availability, dependencies, on_rejection=self._on_rejection
        )
        try:
            return search.solve(roots, tries_at_most=tries_at_most)
        finally:
            self.tried += search.tried
            self.rejected += search.rejected
            self.places = search.places
