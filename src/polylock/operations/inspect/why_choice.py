"""Why a target has just this version and this variant: what the index says of the rest.

The lock file lists what was chosen and nothing else. What the other labels lacked, and
what kept newer versions out, is told from the pages and the metadata of the index, out
of the cache or fetched, for the target as it was locked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from polylock.errors import PolylockError
from polylock.lockfile.pylock import PackageSdist, PackageWheel
from polylock.model.distributions import Unusable
from polylock.operations.inspect.why_labels import judge_labels
from polylock.resolution.align import public
from polylock.resolution.availability import Availability
from polylock.resolution.candidate_pool import CandidatePool
from polylock.resolution.constraints import Unmeetable
from polylock.resolution.dependencies import DependencyReader
from polylock.resolution.shortage import rejected, span
from polylock.resolution.versions import positions, satisfies
from polylock.variants.variant_json import InvalidVariantMetadata, VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.utils import NormalizedName

    from polylock.lockfile.pylock import Package
    from polylock.lockfile.select import Selected
    from polylock.model.distributions import Release, Releases
    from polylock.model.inputs import Inputs
    from polylock.model.requirements import Requirement
    from polylock.operations.inspect.graph import LockedGraph
    from polylock.operations.inspect.selection import LockedSelection
    from polylock.operations.inspect.why_labels import LabelVerdict
    from polylock.ports import PackageSource
    from polylock.resolution.candidates import Candidate, Expansion

__all__ = ["ChoiceReader", "Evidence", "VersionVerdict"]

_OPENED_AT_MOST = 8
"""How many newer versions are opened; each may cost two requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionVerdict:
    """Why versions newer than the chosen one were not taken; ``versions`` is a span."""

    versions: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the index tells of a choice; ``notes`` say what it could not."""

    labels: tuple[LabelVerdict, ...] = ()
    newer: tuple[VersionVerdict, ...] = ()
    notes: tuple[str, ...] = ()


class ChoiceReader:
    """Explains the locked packages of one target.

    ``inputs`` are those that the lock file answers.
    """

    def __init__(
        self,
        selection: LockedSelection,
        graph: LockedGraph,
        *,
        inputs: Inputs,
        source: PackageSource,
    ) -> None:
        self.target = selection.target
        self.graph = graph
        self.inputs = inputs
        self.source = source
        self._selected = {str(each.package.name): each for each in selection.selected}
        self.pool = CandidatePool(target=selection.target, inputs=inputs, source=source)
        self._availability = Availability(
            self.pool,
            {},
            preferences={},
            own=[requirement for _, requirement in graph.requirements],
        )
        self._reader = DependencyReader(self._availability)

    def explain(
        self, name: NormalizedName, beside: Sequence[ChoiceReader] = ()
    ) -> Evidence:
        """Explain one locked package; what cannot be asked becomes a note.

        ``beside`` are the readers of the other targets, for whose sake a version may
        have been kept back.
        """
        selected = self._selected[name]
        version, file = selected.package.version, selected.file
        if version is None or not isinstance(file, PackageWheel | PackageSdist):
            return Evidence(notes=("it has a direct source, and no index was asked",))
        try:
            releases = self.source.releases(name, self.target)
            position = self._availability.table(releases).position(version)
            if position is None:
                gone = f"the index has changed: it has no version {version} any more"
                return Evidence(notes=(gone,))
            return Evidence(
                labels=tuple(judge_labels(self, releases, position, selected)),
                newer=self._newer(releases, position, beside),
                notes=tuple(self._changes(releases.release(position), selected)),
            )
        except PolylockError as error:
            problem = f"what else there was cannot be told: {error}"
            return Evidence(notes=(problem,))

    def locked_candidate(self, name: NormalizedName) -> Candidate | None:
        """Return the locked file of a package as the index offers it, if it does."""
        selected = self._selected[name]
        file = selected.file
        if not isinstance(file, PackageWheel | PackageSdist):
            return None
        releases = self.source.releases(name, self.target)
        table = self._availability.table(releases)
        position = table.position(selected.package.version or "")
        if position is None:
            return None
        expansion = self.pool.expand(releases, position, yanked=True)
        return _of_file(expansion, file.filename)

    def conflict(self, candidate: Candidate) -> str | None:
        """Return what of a candidate's requirements contradicts what is locked."""
        found = self._reader.of(candidate)
        if isinstance(found, Unmeetable):
            return found.reason
        for dependency in found:
            requirement = dependency.requirement
            node = self.graph.nodes.get(requirement.name)
            if node is None:
                try:
                    self.source.releases(requirement.normalized_name, self.target)
                except PolylockError:
                    return f"requires {requirement.name}, which no index has"
            elif node.version and not satisfies(requirement.specifier, node.version):
                wanted = f"{requirement.name}{requirement.specifier}"
                return f"requires {wanted}, and {node.version} is locked"
        return None

    def hindrance(self, name: NormalizedName, version: str) -> str | None:
        """Return why this target cannot have a version, None where it could.

        Local versions are left aside, as in the alignment of targets. None also for
        what the target does not install, or where it is not from an index.
        """
        selected = self._selected.get(name)
        if selected is None or not isinstance(
            selected.file, PackageWheel | PackageSdist
        ):
            return None
        releases = self.source.releases(name, self.target)
        wanted = public(version)
        table = self._availability.table(releases)
        fitting = list(positions(table.mask(f"=={wanted}"), lowest_first=True))
        if not fitting:
            return f"the index has no {name} {wanted}"
        constraints = list(self._constraints(name))
        reasons = [
            self._kept_out(releases, position, constraints)
            or self._refused(releases, position)
            for position in fitting
        ]
        return None if None in reasons else reasons[-1]

    def _newer(
        self, releases: Releases, locked: int, beside: Sequence[ChoiceReader]
    ) -> tuple[VersionVerdict, ...]:
        """Tell why each version above the locked one was not taken, newest first."""
        above = range(len(releases.versions) - 1, locked, -1)
        if not above:
            return ()
        constraints = list(self._constraints(releases.name))
        groups: dict[str, list[int]] = {}
        opened = 0
        for position in above:
            reason = self._kept_out(releases, position, constraints)
            if reason is None and opened < _OPENED_AT_MOST:
                opened += 1
                reason = self._refused(releases, position)
                reason = reason or self._passed_over(releases, position, beside)
            groups.setdefault(reason or "not looked at", []).append(position)
        return tuple(
            VersionVerdict(versions=span(releases, found), reason=reason)
            for reason, found in groups.items()
        )

    def _constraints(self, name: NormalizedName) -> Iterator[tuple[str, Requirement]]:
        """Yield who limits the versions of a project, and how."""
        for place, requirement in self.graph.requirements:
            if requirement.name == name:
                yield f"the {place}", requirement
        for requirement in self.inputs.constraints:
            if requirement.name == name:
                yield "constraint-dependencies", requirement
        for dependent in self.graph.dependents(name):
            try:
                parent = self.locked_candidate(self._selected[dependent].package.name)
                found = () if parent is None else self._reader.of(parent)
            except PolylockError:
                continue
            if isinstance(found, Unmeetable):
                continue
            for dependency in found:
                if dependency.requirement.name == name:
                    yield str(self.graph.nodes[dependent]), dependency.requirement

    def _kept_out(
        self,
        releases: Releases,
        position: int,
        constraints: Sequence[tuple[str, Requirement]],
    ) -> str | None:
        """Return what keeps a version out whatever its files are."""
        table = self._availability.table(releases)
        bit = 1 << position
        for origin, requirement in constraints:
            if not table.mask(requirement.specifier) & bit:
                return f"{origin} asks for {releases.name}{requirement.specifier}"
        specifiers = [requirement.specifier for _, requirement in constraints]
        if self._availability.allowed(releases, specifiers) & bit:
            return None
        if releases.yanked & bit:
            return "yanked"
        if not releases.finals & bit:
            return "a pre-release, which is not admitted"
        return "uploaded after exclude-newer"

    def _refused(self, releases: Releases, position: int) -> str | None:
        """Say why no file of a version could be taken, None where one could."""
        expansion = self.pool.expand(releases, position, yanked=False)
        if not expansion.candidates:
            return "; ".join(rejected(self.pool, releases, position))
        conflicts = [
            (candidate, conflict)
            for candidate in expansion.candidates
            if (conflict := self.conflict(candidate)) is not None
        ]
        if len(conflicts) == len(expansion.candidates):
            candidate, conflict = conflicts[0]
            label = candidate.variant.label
            return f"{label}: {conflict}" if label else conflict
        return None

    def _passed_over(
        self, releases: Releases, position: int, beside: Sequence[ChoiceReader]
    ) -> str:
        """Say why a version that this target could have was not taken."""
        if self.inputs.resolution == "lowest":
            return 'resolution = "lowest" takes the lowest that fits'
        if self.inputs.align != "independent":
            version = releases.versions[position]
            for other in beside:
                found = other.hindrance(releases.name, version)
                if found is not None:
                    return (
                        f"kept back for {other.target.name} ({found}), since one "
                        "version is taken for all targets where one will do (align)"
                    )
        return (
            f"nothing locked for {self.target.name} speaks against it: it may be newer "
            f"than the lock file; `polylock lock --upgrade-package {releases.name}` "
            "tries it"
        )

    def _changes(self, release: Release, selected: Selected) -> Iterator[str]:
        """Tell what the index says otherwise than the lock file."""
        file = selected.file
        assert isinstance(file, PackageWheel | PackageSdist)
        offered = {each.filename: each for each in release.wheels}
        if release.sdist is not None:
            offered[release.sdist.filename] = release.sdist
        now = offered.get(file.filename)
        if now is None:
            yield f"the index has changed: {file.filename} is not there any more"
        elif any(
            now.hashes.get(algorithm, value) != value
            for algorithm, value in file.hashes.items()
        ):
            yield f"the index has changed: {file.filename} has another hash there"
        moved = self._moved_labels(release, selected.package)
        if moved:
            yield (
                f"the index has changed: it says otherwise of {', '.join(moved)} than "
                "the lock file; the reasons are by what it says now"
            )

    def _moved_labels(self, release: Release, package: Package) -> list[str]:
        """Return the locked labels whose properties the index no longer gives."""
        if package.variants_json is None:
            return []
        metadata = self.source.variant_metadata(release)
        try:
            locked = VariantMetadata.from_document(package.variants_json).variants
        except InvalidVariantMetadata:
            return []
        now = {} if isinstance(metadata, Unusable) else metadata.variants
        return [label for label in sorted(locked) if locked[label] != now.get(label)]


def _of_file(expansion: Expansion, filename: str) -> Candidate | None:
    found = (each for each in expansion.candidates if each.file.filename == filename)
    return next(found, None)
