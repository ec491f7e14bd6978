"""Candidates: the files of a version that a solve may choose among."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.folding import NON_VARIANT, SelectedVariant
from polylock.values import Value

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from polylock.model.distributions import Release, Releases, RemoteFile
    from polylock.model.reasons import Rejection
    from polylock.variants.abi import AbiNeed
    from polylock.variants.properties import VariantProperty
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["AnyCandidate", "Candidate", "Expansion", "ExtraCandidate"]


class Candidate(Value, frozen=True, kw_only=True, eq=False):
    """One artifact of one version, for one target.

    Interned by CandidatePool: resolvelib compares candidates by identity. ``rank``
    orders the labels of a version; a non-variant wheel has None and comes after them.
    ``abi`` are the versions of other projects that the label is built against
    (PEP 850); a label that fits several has one candidate for each.
    """

    releases: Releases
    position: int
    release: Release
    file: RemoteFile
    variant: SelectedVariant = NON_VARIANT
    decided_by: tuple[VariantProperty, ...] = ()
    variant_metadata: VariantMetadata | None = None
    rank: int | None = None
    abi: tuple[AbiNeed, ...] = ()

    @property
    def name(self) -> NormalizedName:
        """Return the normalized name of the project."""
        return self.releases.name

    @property
    def version(self) -> str:
        """Return the normalized version."""
        return self.release.version

    @property
    def is_sdist(self) -> bool:
        """Return True if it is a source distribution of an index."""
        release = self.release
        return self.file is release.sdist and release.direct is None

    def __str__(self) -> str:
        label = f" ({self.variant.label})" if self.variant.label else ""
        return f"{self.name} {self.version}{label}"


class ExtraCandidate(Value, frozen=True, kw_only=True, eq=False):
    """An extra of a candidate: it adds requirements and installs no file."""

    base: Candidate
    extra: str

    @property
    def name(self) -> NormalizedName:
        """Return the normalized name of the project."""
        return self.base.name

    def __str__(self) -> str:
        return f"{self.base.name}[{self.extra}] {self.base.version}"


class Expansion(Value, frozen=True):
    """The candidates of one version, best first, and the rejected files with reasons.

    ``rejections`` is empty where the candidate is known from an earlier run.
    """

    candidates: tuple[Candidate, ...]
    rejections: tuple[Rejection, ...]


AnyCandidate = Candidate | ExtraCandidate
"""A choice of the solver."""
