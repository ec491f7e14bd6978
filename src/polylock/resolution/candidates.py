"""Expand a version into the artifacts that a target could install, best first.

Within a version come the variant wheels in the order of PEP 825, then the best
non-variant wheel. The solver asks for a version only when it reaches it, so the
versions that it never looks at cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from polylock.model.distributions import Unusable
from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.model.markers import NON_VARIANT, SelectedVariant
from polylock.resolution.versions import satisfies
from polylock.variants.authority import supported_properties
from polylock.variants.ordering import VariantWishes, order_labels

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.model.inputs import Inputs
    from polylock.model.target import Target
    from polylock.ports import PackageSource
    from polylock.variants.properties import VariantProperty
    from polylock.variants.variant_json import VariantMetadata

__all__ = [
    "UNFIT_TAGS",
    "Candidate",
    "CandidatePool",
    "Expansion",
    "ExtraCandidate",
    "Rejection",
]

UNFIT_TAGS = "its tags do not fit the target"

_UNKNOWN_PATCH = 999
"""Stands for the newest patch release of a target that names none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """One artifact of one version, for one target.

    Interned by CandidatePool: resolvelib compares candidates by identity.
    """

    releases: Releases
    position: int
    release: Release
    file: RemoteFile
    variant: SelectedVariant = NON_VARIANT
    decided_by: tuple[VariantProperty, ...] = ()
    variant_metadata: VariantMetadata | None = None

    @property
    def name(self) -> NormalizedName:
        """Return the normalized name of the project."""
        return self.releases.name

    @property
    def version(self) -> str:
        """Return the normalized version."""
        return self.release.version

    def __str__(self) -> str:
        label = f" ({self.variant.label})" if self.variant.label else ""
        return f"{self.name} {self.version}{label}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExtraCandidate:
    """An extra of a candidate; it adds requirements, and installs nothing itself."""

    base: Candidate
    extra: str

    @property
    def name(self) -> NormalizedName:
        """Return the normalized name of the project."""
        return self.base.name

    def __str__(self) -> str:
        return f"{self.base.name}[{self.extra}] {self.base.version}"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a file or a label of a version is out, as a clause for people."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class Expansion:
    """The candidates of one version, best first, and what was left out and why."""

    candidates: tuple[Candidate, ...]
    rejections: tuple[Rejection, ...]


@dataclass(kw_only=True)
class CandidatePool:
    """Candidates of one target, each made once.

    ``expanded`` counts the versions that were opened: the measure of search effort.
    """

    target: Target
    inputs: Inputs
    source: PackageSource
    expanded: int = 0
    _expansions: dict[tuple[NormalizedName, int, bool], Expansion] = field(
        default_factory=dict, repr=False
    )
    _extras: dict[tuple[int, str], ExtraCandidate] = field(
        default_factory=dict, repr=False
    )

    @cached_property
    def _wishes(self) -> VariantWishes:
        return VariantWishes.parse(
            self.inputs.exclude_variants, self.inputs.prefer_variants
        )

    def expand(self, releases: Releases, position: int, *, yanked: bool) -> Expansion:
        """Return the candidates of a version; ``yanked`` admits yanked files."""
        key = (releases.name, position, yanked)
        expansion = self._expansions.get(key)
        if expansion is None:
            expansion = self._expand(releases, position, yanked=yanked)
            self._expansions[key] = expansion
            self.expanded += 1
        return expansion

    def extended(self, base: Candidate, extra: str) -> Candidate | ExtraCandidate:
        """Return the candidate for an extra, the same object each time.

        An empty extra means the candidate itself.
        """
        if not extra:
            return base
        key = (id(base), extra)
        candidate = self._extras.get(key)
        if candidate is None:
            candidate = self._extras[key] = ExtraCandidate(base=base, extra=extra)
        return candidate

    @property
    def python_version(self) -> str:
        """Return the Python that ``requires-python`` is asked for: the newest patch."""
        python = self.target.description.python
        patch = _UNKNOWN_PATCH if python.patch is None else python.patch
        return f"{python.minor_version}.{patch}"

    def accepts_python(self, requires_python: str | None) -> bool:
        """Say whether the target's Python meets a ``requires-python``."""
        return not requires_python or satisfies(requires_python, self.python_version)

    def _expand(self, releases: Releases, position: int, *, yanked: bool) -> Expansion:
        release = releases.release(position)
        rejections: list[Rejection] = []
        best: dict[str | None, tuple[tuple[int, int, str], RemoteFile]] = {}
        if releases.name in self.inputs.no_binary_packages:
            forbidden = "has wheels, which no-binary-package forbids"
            return Expansion((), (Rejection(release.version, forbidden),))
        for file in release.wheels:
            try:
                filename = WheelFilename.parse(file.filename)
            except InvalidFilename as error:
                rejections.append(Rejection(file.filename, str(error)))
                continue
            rank = self.target.tag_rank(filename)
            reason = self._unfit(file, rank, yanked=yanked)
            if reason is not None or rank is None:
                rejections.append(Rejection(file.filename, reason or ""))
                continue
            number, suffix = filename.build_number
            order = (rank, -number, suffix)
            label = filename.variant_label
            if label not in best or order < best[label][0]:
                best[label] = (order, file)
        candidates = self._variants(releases, position, best, rejections)
        if None in best:
            candidates.append(
                Candidate(
                    releases=releases,
                    position=position,
                    release=release,
                    file=best[None][1],
                )
            )
        if not release.wheels:
            rejections.append(Rejection(release.version, "has no wheel at all"))
        return Expansion(tuple(candidates), tuple(rejections))

    def _unfit(self, file: RemoteFile, rank: int | None, *, yanked: bool) -> str | None:
        """Return why a wheel is out before variants are looked at, None if it is in."""
        if rank is None:
            return UNFIT_TAGS
        if not self.accepts_python(file.requires_python):
            return f"requires Python {file.requires_python}"
        if file.yanked is not None and not yanked:
            return "is yanked" + (f": {file.yanked}" if file.yanked else "")
        cutoff = self.inputs.exclude_newer
        if cutoff is not None and (file.upload_time or 0) > cutoff:
            return "was uploaded after exclude-newer"
        return None

    def _variants(
        self,
        releases: Releases,
        position: int,
        best: dict[str | None, tuple[tuple[int, int, str], RemoteFile]],
        rejections: list[Rejection],
    ) -> list[Candidate]:
        labels = sorted(label for label in best if label is not None)
        if not labels:
            return []
        release = releases.release(position)
        metadata = self.source.variant_metadata(release)
        if isinstance(metadata, Unusable):
            # PEP 825: bad metadata costs a release its variants, not its plain wheels.
            rejections.extend(Rejection(label, metadata.reason) for label in labels)
            return []
        supported = supported_properties(
            metadata,
            stated=self.target.stated,
            derived=self.target.derived,
            enabled_providers=self.inputs.enable_providers,
        )
        order = order_labels(
            metadata,
            supported,
            labels,
            wishes=self._wishes.for_project(releases.name),
        )
        rejections.extend(Rejection(r.label, r.reason) for r in order.rejected)
        return [
            Candidate(
                releases=releases,
                position=position,
                release=release,
                file=best[ranked.label][1],
                variant=SelectedVariant(ranked.label, ranked.properties),
                decided_by=ranked.decided_by,
                variant_metadata=metadata,
            )
            for ranked in order.compatible
        ]
