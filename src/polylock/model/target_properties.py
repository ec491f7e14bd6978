"""The properties that a target supports for one release, by its providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.folding import fold
from polylock.model.markers import InvalidMarker, parse_marker
from polylock.variants import authority

if TYPE_CHECKING:
    from collections.abc import Collection

    from polylock.model.target import Target
    from polylock.variants.authority import MarkerHolds
    from polylock.variants.properties import SupportedProperties
    from polylock.variants.variant_json import VariantMetadata

__all__ = [
    "has_built_in_provider",
    "namespaces_without_provider",
    "supported_properties",
]


def supported_properties(
    metadata: VariantMetadata, target: Target, enabled_providers: Collection[str] = ()
) -> SupportedProperties:
    """Return the properties that a target supports, in the namespaces of a release.

    ``enabled_providers`` are the namespaces of optional providers that are enabled.
    """
    return authority.supported_properties(
        metadata,
        stated=target.stated,
        derived=target.derived,
        enabled_providers=enabled_providers,
        holds=_markers_of(target),
    )


def namespaces_without_provider(
    metadata: VariantMetadata, target: Target, enabled_providers: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the used namespaces that no provider covers, in order of priority."""
    return authority.namespaces_without_provider(
        metadata,
        stated=target.stated,
        enabled_providers=enabled_providers,
        holds=_markers_of(target),
    )


def has_built_in_provider(
    metadata: VariantMetadata, namespace: str, target: Target
) -> bool:
    """Return True if a built-in provider may answer for a namespace of a release."""
    return authority.has_built_in_provider(metadata, namespace, _markers_of(target))


def _markers_of(target: Target) -> MarkerHolds:
    """Return the evaluation of providers' markers for a target.

    The plugin would be installed on the target. What it leaves open counts as true.
    """

    def holds(marker: str) -> bool:
        try:
            return fold(parse_marker(marker), target) is not False
        except InvalidMarker:
            return False

    return holds
