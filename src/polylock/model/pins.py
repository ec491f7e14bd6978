"""What one solve returns: a pin for each project, and who asked for it."""

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

    ``extra`` is the extra of the depending project under which it holds, None for
    always; ``extras`` are those asked of the other project, ``specifier`` the versions.
    ``condition`` is what the target leaves open of the marker, None where nothing.
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
    ``edges`` cover all extras that were asked for. ``passed_over`` says that a pin
    from a lock file was taken although there were variants, which ``release`` lacks.
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
        """Return the direct source that it comes from, None where an index has it."""
        return self.release.direct


class Resolution(Value, frozen=True, kw_only=True):
    """The pins of one target.

    ``conditions`` says for each project when it is installed, over the markers
    ``extras``, ``dependency_groups`` and what the target leaves open; None: always.
    """

    target: Target
    pins: Mapping[NormalizedName, Pin]
    conditions: Mapping[NormalizedName, MarkerExpression | None]


class Preference(Value, frozen=True, kw_only=True):
    """What an earlier answer took for a project: tried first where it still holds.

    ``filenames`` is empty where only the version should be kept.
    """

    version: str
    filenames: tuple[str, ...] = ()
