"""Variant metadata: ``variant.json`` of a wheel, ``{name}-{version}-variants.json``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["InvalidVariantMetadata", "ProviderInformation", "VariantMetadata"]


class InvalidVariantMetadata(ValueError):
    """Variant metadata that must not be relied on; the reason is its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderInformation:
    """Who answers for a namespace (PEP 850, "Provider information").

    ``static_properties`` are in the order of ``feature-order``; None where the
    provider is a package or built in. ``requires`` are names of packages, normalized.
    """

    optional: bool = False
    requires: tuple[str, ...] = ()
    plugin_api: str | None = None
    builtin: bool = False
    static_properties: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantMetadata:
    """Combined variant metadata of one release (PEP 825).

    ``variants`` maps label to namespace to feature to values. ``providers`` is None
    where the metadata says nothing of providers (pure PEP 825). ``document`` is the
    JSON as read, for ``[packages.variants-json]``.
    """

    schema: str
    namespace_priorities: tuple[str, ...]
    variants: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]
    providers: Mapping[str, ProviderInformation] | None = None
    document: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def decode(cls, content: bytes) -> VariantMetadata:
        """Read JSON; raises InvalidVariantMetadata."""
        raise NotImplementedError

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> VariantMetadata:
        """Read parsed JSON or TOML; raises InvalidVariantMetadata."""
        raise NotImplementedError

    def restricted(self, labels: Collection[str]) -> dict[str, Any]:
        """Return the document with these labels and the namespaces they use alone."""
        raise NotImplementedError
