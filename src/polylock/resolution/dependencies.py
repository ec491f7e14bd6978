"""What a candidate requires on a target: core metadata with its markers folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.direct import (
    InvalidDirectSource,
    direct_source,
    parse_direct_url,
)
from polylock.model.distributions import Unusable
from polylock.model.markers import NON_VARIANT, fold
from polylock.resolution.candidates import ExtraCandidate
from polylock.resolution.constraints import Dependency, Unmeetable
from polylock.resolution.versions import satisfies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.model.markers import MarkerExpression, SelectedVariant
    from polylock.model.requirements import Requirement
    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import Candidate

__all__ = ["DependencyReader"]


def _excludes(requirement: Requirement, candidate: Candidate) -> bool:
    """Say whether a candidate's own requirement on its project rules it out."""
    return requirement.name == candidate.name and not satisfies(
        requirement.specifier, candidate.version
    )


class DependencyReader:
    """Reads and folds dependencies, each candidate once."""

    def __init__(self, availability: Availability) -> None:
        self._availability = availability
        self._pool = availability.pool
        self._read: dict[int, tuple[Dependency, ...] | Unmeetable] = {}
        self._overrides: dict[str, list[Requirement]] = {}
        for override in self._pool.inputs.overrides:
            self._overrides.setdefault(override.name, []).append(override)

    def of(
        self, candidate: Candidate | ExtraCandidate
    ) -> tuple[Dependency, ...] | Unmeetable:
        """Return a candidate's requirements; of an extra, what it adds to them."""
        answer = self._read.get(id(candidate))
        if answer is None:
            if isinstance(candidate, ExtraCandidate):
                answer = self._read_metadata(candidate.base, candidate.extra)
            else:
                answer = self._read_metadata(candidate, "")
            self._read[id(candidate)] = answer
        return answer

    def of_project(self, requirement: Requirement) -> list[Dependency]:
        """Fold a requirement of the project itself; overrides count for it too."""
        return list(self._fold(requirement, "", NON_VARIANT))

    def requires_python(self, candidate: Candidate) -> str | None:
        """Return the ``requires-python`` of a candidate's own file."""
        metadata = self._pool.source.core_metadata(candidate.release, candidate.file)
        if isinstance(metadata, Unusable):
            return candidate.file.requires_python
        return metadata.requires_python

    def _read_metadata(
        self, candidate: Candidate, extra: str
    ) -> tuple[Dependency, ...] | Unmeetable:
        source = self._pool.source
        metadata = source.core_metadata(candidate.release, candidate.file)
        if isinstance(metadata, Unusable):
            return Unmeetable(candidate=candidate, reason=metadata.reason)
        if not self._pool.accepts_python(metadata.requires_python):
            return Unmeetable(
                candidate=candidate,
                reason=f"requires Python {metadata.requires_python}",
            )
        found: list[Dependency] = []
        for requirement in metadata.requires_dist:
            if extra and "extra" not in requirement.marker:
                continue  # the candidate itself asks for it
            folded = list(self._fold(requirement, extra, candidate.variant))
            if folded and not self._is_agreed(requirement):
                return Unmeetable(
                    candidate=candidate,
                    reason=f"requires {requirement}, a direct reference",
                )
            for dependency in folded:
                if _excludes(dependency.requirement, candidate):
                    # The engine would take another version instead, and so pass over
                    # the other labels of this one.
                    return Unmeetable(
                        candidate=candidate,
                        reason=f"requires itself as {dependency.requirement}",
                    )
            found += folded
        source.prefetch(
            [dependency.requirement for dependency in found],
            self._pool.target,
            self._availability.guess,
        )
        return tuple(found)

    def _is_agreed(self, requirement: Requirement) -> bool:
        """Say whether a requirement names no source, or the one the project names."""
        if requirement.url is None:
            return True
        pool = self._pool
        try:
            wanted = parse_direct_url(requirement.url)
        except InvalidDirectSource:
            return False
        return wanted == direct_source(pool.inputs, requirement.name, pool.target)

    def _fold(
        self, requirement: Requirement, extra: str, variant: SelectedVariant
    ) -> Iterator[Dependency]:
        condition = self._condition(requirement, extra, variant)
        if condition is False:
            return
        if extra and self._condition(requirement, "", variant) is True:
            return  # holds without the extra
        for actual in self._overrides.get(requirement.name, [requirement]):
            if actual is not requirement:
                condition = self._condition(actual, "", NON_VARIANT)
                if condition is False:
                    continue
            kept = None if isinstance(condition, bool) else condition
            yield Dependency(requirement=actual, condition=kept)

    def _condition(
        self, requirement: Requirement, extra: str, variant: SelectedVariant
    ) -> MarkerExpression | bool:
        marker = requirement.marker_expression
        if marker is None:
            return True
        return fold(marker, self._pool.target, extra=extra, variant=variant)
