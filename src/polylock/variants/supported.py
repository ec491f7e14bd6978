"""The variant properties that a machine supports, in order of preference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SupportedProperties"]


class SupportedProperties(Value, frozen=True):
    """Ordered lists of compatible features and values (PEP 825, "Variant ordering").

    Maps namespace to feature to values. The order of the features and of their
    values is their meaning, the most preferred first; the order of the namespaces
    is not: a release's own metadata says it.
    """

    namespaces: Mapping[str, Mapping[str, tuple[str, ...]]] = field(
        default_factory=dict
    )

    def features(self, namespace: str) -> Mapping[str, tuple[str, ...]]:
        """Return the features of a namespace, none where it is not supported."""
        return self.namespaces.get(namespace, {})

    def supports(self, namespace: str, feature: str, value: str) -> bool:
        """Say whether this property is supported."""
        return value in self.features(namespace).get(feature, ())
