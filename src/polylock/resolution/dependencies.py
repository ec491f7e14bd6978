"""The dependencies of a candidate on a target: core metadata with folded markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.direct import InvalidDirectSource, parse_direct_url
from polylock.model.distributions import Release, Releases, RemoteFile, Unusable
from polylock.model.folding import NON_VARIANT, SelectedVariant
from polylock.model.reasons import (
    DirectReference,
    NeedsBuild,
    NotOpened,
    Refusal,
    RequiresItself,
)
from polylock.model.requirements import Requirement, is_specifier
from polylock.model.source_choice import direct_source
from polylock.resolution.candidates import Candidate, ExtraCandidate
from polylock.resolution.constraints import Dependency, Unmeetable
from polylock.resolution.memory import Applicable, applicable
from polylock.resolution.versions import satisfies
from polylock.values import Mutable, field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.markers import MarkerExpression
    from polylock.model.target import Target
    from polylock.resolution.availability import Availability

__all__ = ["DependencyReader", "SdistReads"]


class SdistReads(Mutable):
    """The source distributions that were opened, and how many more may be.

    The metadata of a wheel costs a small request, that of a source distribution its
    whole download; old ones mostly leave it to their backends, so the download is in
    vain. So whatever needs no source distribution is found out first.

    ``opened`` holds URLs. ``left`` is how many more may be opened, None for any number.
    ``refused`` is set once the limit has kept one from being opened.
    """

    opened: set[str] = field(default_factory=set)
    left: int | None = None
    refused: bool = False

    def admit(self, candidate: Candidate) -> bool:
        """Return True if the metadata of a candidate may be read, and count that."""
        url = candidate.file.url
        if not candidate.is_sdist or url in self.opened:
            return True
        if self.left == 0:
            self.refused = True
            return False
        if self.left is not None:
            self.left -= 1
        self.opened.add(url)
        return True


def _excludes(requirement: Requirement, candidate: Candidate) -> bool:
    """Return True if a candidate's requirement on its own project rules it out."""
    return requirement.name == candidate.name and not satisfies(
        requirement.specifier, candidate.version
    )


class DependencyReader:
    """Reads the dependencies of candidates and folds their markers, once for each.

    ``reads`` limits which source distributions may be opened; the others are unusable.
    ``assumed`` is set once an answer was given without opening one.
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
        """Return a reader to which an unopened source distribution requires nothing.

        It shares what this one has read, and opens no source distribution.
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
        """Return a candidate's requirements; for an extra, those that it adds."""
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
        """Return the result of ``of`` for a candidate, None if it was not called.

        A refusal that takes no file to find is returned in any case.
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
        # If one version leaves its metadata to the backend, the others most likely do
        # as well; to be certain costs a download for each.
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
        """Start fetching the source distributions among the candidates.

        Does nothing where the number that may be opened is limited.
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

        # No crawl has seen a requirement with ===, so none is skipped as known.
        wanted = [
            Requirement(name=name, specifier=f"==={base.version}")
            for name, base in taken.items()
        ]
        self._pool.source.prefetch(wanted, self._pool.target, guess)

    def of_project(self, requirement: Requirement) -> list[Dependency]:
        """Return the dependencies of one of the project's requirements on the target.

        Overrides apply to it as well.
        """
        return [
            dependency
            for each, condition in applicable([requirement], self._pool.target)
            for dependency in self._overridden(each, condition)
        ]

    def requires_python(self, candidate: Candidate) -> str | None:
        """Return the ``requires-python`` of a candidate's own file.

        Text that is no specifier, and is not repaired, counts as none: it would make a
        lock file invalid (PEP 751).
        """
        metadata = self._pool.source.core_metadata(candidate.release, candidate.file)
        text = (
            candidate.file.requires_python
            if isinstance(metadata, Unusable)
            else metadata.requires_python
        )
        if text is None or is_specifier(text):
            return text
        from polylock.model.specifier_repairs import repaired_specifier  # noqa: PLC0415 - rare

        return repaired_specifier(text)

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
        for requirement, condition in self._applicable(
            metadata, extra, candidate.variant
        ):
            folded = self._overridden(requirement, condition)
            if folded and not self._is_agreed(requirement):
                reason: Refusal = DirectReference(requirement)
                return Unmeetable(candidate=candidate, reason=reason)
            for dependency in folded:
                if _excludes(dependency.requirement, candidate):
                    # The engine would see a conflict of versions, and so skip the
                    # other labels of this one.
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
        """Return True if a requirement names no source, or the project's own one."""
        if requirement.url is None:
            return True
        pool = self._pool
        try:
            wanted = parse_direct_url(requirement.url)
        except InvalidDirectSource:
            return False
        return wanted == direct_source(pool.inputs, requirement.name, pool.target)

    def _applicable(
        self, metadata: CoreMetadata, extra: str, variant: SelectedVariant
    ) -> Iterable[Applicable]:
        """Return the requirements that apply; for an extra, those that it adds."""
        if variant == NON_VARIANT:
            return self._pool.memory.requirements(metadata, extra)
        return applicable(metadata.requires_dist, self._pool.target, extra, variant)

    def _overridden(
        self, requirement: Requirement, condition: MarkerExpression | None
    ) -> list[Dependency]:
        """Return a requirement that applies, or the overrides that replace it."""
        overrides = self._overrides.get(requirement.name)
        if overrides is None:
            return [Dependency(requirement=requirement, condition=condition)]
        return [
            Dependency(requirement=override, condition=left)
            for override, left in applicable(overrides, self._pool.target)
        ]
