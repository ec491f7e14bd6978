"""What a candidate requires on a target: core metadata with its markers folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.direct import InvalidDirectSource, parse_direct_url
from polylock.model.distributions import BuildRefused, Unusable
from polylock.model.folding import NON_VARIANT
from polylock.model.source_choice import direct_source
from polylock.resolution.candidates import ExtraCandidate
from polylock.resolution.constraints import Dependency, Unmeetable
from polylock.resolution.memory import held
from polylock.resolution.versions import satisfies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.folding import SelectedVariant
    from polylock.model.markers import MarkerExpression
    from polylock.model.requirements import Requirement
    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import Candidate
    from polylock.resolution.memory import Held

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
        return [
            dependency
            for each, condition in held([requirement], self._pool.target)
            for dependency in self._overridden(each, condition)
        ]

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
            return Unmeetable(
                candidate=candidate,
                reason=metadata.reason,
                may_not_run=isinstance(metadata, BuildRefused),
            )
        if not self._pool.accepts_python(metadata.requires_python):
            return Unmeetable(
                candidate=candidate,
                reason=f"requires Python {metadata.requires_python}",
            )
        found: list[Dependency] = []
        for requirement, condition in self._held(metadata, extra, candidate.variant):
            folded = self._overridden(requirement, condition)
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

    def _held(
        self, metadata: CoreMetadata, extra: str, variant: SelectedVariant
    ) -> Iterable[Held]:
        """Return what holds on the target, of an extra what it adds."""
        if variant == NON_VARIANT:
            return self._pool.memory.requirements(metadata, extra)
        return held(metadata.requires_dist, self._pool.target, extra, variant)

    def _overridden(
        self, requirement: Requirement, condition: MarkerExpression | None
    ) -> list[Dependency]:
        """Return what takes the place of a requirement that holds, if not itself."""
        overrides = self._overrides.get(requirement.name)
        if overrides is None:
            return [Dependency(requirement=requirement, condition=condition)]
        return [
            Dependency(requirement=override, condition=left)
            for override, left in held(overrides, self._pool.target)
        ]
