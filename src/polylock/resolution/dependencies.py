"""What a candidate requires on a target: core metadata with its markers folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.direct import InvalidDirectSource, parse_direct_url
from polylock.model.distributions import Unusable
from polylock.model.folding import NON_VARIANT
from polylock.model.reasons import (
    DirectReference,
    NeedsBuild,
    NotOpened,
    RequiresItself,
)
from polylock.model.requirements import Requirement, is_specifier
from polylock.model.source_choice import direct_source
from polylock.resolution.candidates import ExtraCandidate
from polylock.resolution.constraints import Dependency, Unmeetable
from polylock.resolution.memory import held
from polylock.resolution.sdist_reads import SdistReads
from polylock.resolution.versions import satisfies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.model.folding import SelectedVariant
    from polylock.model.markers import MarkerExpression
    from polylock.model.reasons import Refusal
    from polylock.model.target import Target
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
    """Reads and folds dependencies, each candidate once.

    ``reads`` says which source distributions may be opened; the others are unusable.
    ``assumed`` tells that an answer was given without opening one.
    """

    def __init__(
        self, availability: Availability, reads: SdistReads | None = None
    ) -> None:
        self.reads = SdistReads() if reads is None else reads
        self.assumed = False
        self._assumes = False
        self._availability = availability
        self._pool = availability.pool
        self._read: dict[int, tuple[Dependency, ...] | Unmeetable] = {}
        self._unbuildable: dict[str, NeedsBuild] = {}
        self._overrides: dict[str, list[Requirement]] = {}
        for override in self._pool.inputs.overrides:
            self._overrides.setdefault(override.name, []).append(override)

    def assuming(self) -> DependencyReader:
        """Return a reader that takes what was not opened to require nothing.

        It knows what this one has read, and opens no source distribution.
        """
        reader = DependencyReader(
            self._availability, SdistReads(opened=self.reads.opened, left=0)
        )
        reader._read = self._read
        reader._unbuildable = self._unbuildable
        reader._assumes = True
        return reader

    def of(
        self, candidate: Candidate | ExtraCandidate
    ) -> tuple[Dependency, ...] | Unmeetable:
        """Return a candidate's requirements; of an extra, what it adds to them."""
        answer = self._read.get(id(candidate))
        if answer is None:
            if isinstance(candidate, ExtraCandidate):
                base, extra = candidate.base, candidate.extra
            else:
                base, extra = candidate, ""
            answer = self._refused(base)
            if answer is None:
                if not self.reads.admit(base):
                    return self._unopened(base)
                answer = self._read_metadata(base, extra)
                if isinstance(answer, Unmeetable) and isinstance(
                    answer.reason, NeedsBuild
                ):
                    self._unbuildable[base.name] = answer.reason
            self._read[id(candidate)] = answer
        return answer

    def known(
        self, candidate: Candidate | ExtraCandidate
    ) -> tuple[Dependency, ...] | Unmeetable | None:
        """Return what ``of`` has answered of a candidate, None where it was not asked.

        That is known too where it takes no file to answer.
        """
        answer = self._read.get(id(candidate))
        if answer is None:
            base = (
                candidate.base if isinstance(candidate, ExtraCandidate) else candidate
            )
            return self._refused(base)
        return answer

    def _refused(self, candidate: Candidate) -> Unmeetable | None:
        if not candidate.is_sdist:
            return None
        found = self._pool.source.refusal(candidate.release, candidate.file)
        if found is not None:
            return Unmeetable(candidate=candidate, reason=found.reason)
        # What one version leaves to its backend, the others most likely do as well: to
        # see for certain is a download each.
        reason = self._unbuildable.get(candidate.name)
        if reason is None or candidate.file.url in self.reads.opened:
            return None
        return Unmeetable(candidate=candidate, reason=reason)

    def _unopened(self, candidate: Candidate) -> tuple[Dependency, ...] | Unmeetable:
        self.assumed = True
        if self._assumes:
            return ()
        return Unmeetable(candidate=candidate, reason=NotOpened())

    def fetch_ahead(self, candidates: Iterable[Candidate | ExtraCandidate]) -> None:
        """Begin to fetch the source distributions among candidates that are taken.

        Does nothing where few may be opened.
        """
        if self.reads.left is not None:
            return
        bases = (
            each.base if isinstance(each, ExtraCandidate) else each
            for each in candidates
        )
        taken = {base.name: base for base in bases if base.is_sdist}

        def guess(
            releases: Releases, requirement: Requirement, target: Target
        ) -> tuple[Release, RemoteFile] | None:
            base = taken.get(releases.name)
            if base is not None:
                return base.release, base.file
            return self._availability.guess(releases, requirement, target)

        # The version to the letter is what no crawl has met.
        wanted = [
            Requirement(name=name, specifier=f"==={base.version}")
            for name, base in taken.items()
        ]
        self._pool.source.prefetch(wanted, self._pool.target, guess)

    def of_project(self, requirement: Requirement) -> list[Dependency]:
        """Fold a requirement of the project itself; overrides count for it too."""
        return [
            dependency
            for each, condition in held([requirement], self._pool.target)
            for dependency in self._overridden(each, condition)
        ]

    def requires_python(self, candidate: Candidate) -> str | None:
        """Return the ``requires-python`` of a candidate's own file.

        One that is no specifier counts as none, so a lock file has none either: it
        would be invalid with it (PEP 751).
        """
        metadata = self._pool.source.core_metadata(candidate.release, candidate.file)
        text = (
            candidate.file.requires_python
            if isinstance(metadata, Unusable)
            else metadata.requires_python
        )
        return text if text is None or is_specifier(text) else None

    def _read_metadata(
        self, candidate: Candidate, extra: str
    ) -> tuple[Dependency, ...] | Unmeetable:
        source = self._pool.source
        metadata = source.core_metadata(candidate.release, candidate.file)
        if isinstance(metadata, Unusable):
            return Unmeetable(candidate=candidate, reason=metadata.reason)
        unmet = self._pool.python_unmet(metadata.requires_python)
        if unmet is not None:
            return Unmeetable(candidate=candidate, reason=unmet)
        found: list[Dependency] = []
        for requirement, condition in self._held(metadata, extra, candidate.variant):
            folded = self._overridden(requirement, condition)
            if folded and not self._is_agreed(requirement):
                reason: Refusal = DirectReference(requirement)
                return Unmeetable(candidate=candidate, reason=reason)
            for dependency in folded:
                if _excludes(dependency.requirement, candidate):
                    # The engine would take another version instead, and so pass over
                    # the other labels of this one.
                    reason = RequiresItself(dependency.requirement)
                    return Unmeetable(candidate=candidate, reason=reason)
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
