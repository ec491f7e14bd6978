"""The result of a solve: a pin for each project, with its dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName

    from polylock.model.distributions import DirectOrigin, Release, RemoteFile
    from polylock.model.markers import MarkerExpression
    from polylock.model.target import Target
    from polylock.variants.properties import VariantProperty
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["Edge", "Pin", "Preference", "Resolution"]


class Edge(Value, frozen=True, kw_only=True):
    """A dependency of a pin on another project.

    ``extra`` is the extra of the dependent under which it holds, None for always;
    ``extras`` are the requested extras of the dependency, ``specifier`` its versions.
    ``condition`` is the part of the marker that the target leaves open, None if none.
    """

    name: NormalizedName
    extras: tuple[str, ...] = ()
    extra: str | None = None
    specifier: str = ""
    condition: MarkerExpression | None = None


class Pin(Value, frozen=True, kw_only=True):
    """The version and the file of one project that a target installs.

    ``requires_python`` is the file's own, from its metadata. ``variant_label`` is
    None for a non-variant wheel; ``decided_by`` are the properties of the label that
    the target supports, the best one of each feature, in order of weight.
    ``edges`` cover all requested extras. ``passed_over`` means that the pin of a lock
    file was kept although there were variants, which ``release`` lacks.
    """

    name: NormalizedName
    version: str
    release: Release
    index_url: str
    file: RemoteFile
    requires_python: str | None = None
    variant_label: str | None = None
    variant_metadata: VariantMetadata | None = None
    decided_by: tuple[VariantProperty, ...] = ()
    edges: tuple[Edge, ...] = ()
    passed_over: bool = False

    @property
    def direct(self) -> DirectOrigin | None:
        """Return its direct source, None if it comes from an index."""
        return self.release.direct


class Resolution(Value, frozen=True, kw_only=True):
    """The pins of one target.

    ``conditions`` maps each project to the marker under which it is installed, over
    ``extras``, ``dependency_groups`` and the fields that the target leaves open; None
    means always.
    """

    target: Target
    pins: Mapping[NormalizedName, Pin]
    conditions: Mapping[NormalizedName, MarkerExpression | None]


class Preference(Value, frozen=True, kw_only=True):
    """The version and files of an earlier lock, tried first where still compatible.

    ``filenames`` is empty if only the version should be kept.
    """

    version: str
    filenames: tuple[str, ...] = ()
