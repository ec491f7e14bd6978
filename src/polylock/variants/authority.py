"""Who says what a machine supports, namespace by namespace (PEP 850, "Providers")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.variants.properties import SupportedProperties
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from polylock.variants.provider_information import ProviderInformation
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["PROVIDER_PACKAGES", "supported_properties", "unanswered"]

PROVIDER_PACKAGES = {
    "nvidia": ("nvidia-variant-provider",),
    "x86_64": ("provider-variant-x86-64", "x86-64-variant-provider"),
    "aarch64": ("provider-variant-aarch64", "aarch64-variant-provider"),
    "amd": ("amd-variant-provider",),
    "intel": ("intel-variant-provider",),
    "ascend": ("huawei-ascend-variant-provider", "ascend-variant-provider"),
    "tpu": ("tpu-variant-provider",),
}
"""Namespaces that polylock answers itself, and the packages that it stands for.

The CPU providers are published under one spelling and recognised by uv under another.
"""


def supported_properties(
    metadata: VariantMetadata,
    *,
    stated: SupportedProperties,
    derived: SupportedProperties,
    enabled_providers: Collection[str] = (),
) -> SupportedProperties:
    """Return the ordered lists that count for a release, for its namespaces alone.

    ``stated`` are the lists that the user gave, ``derived`` those of the built-in
    providers, and ``enabled_providers`` the namespaces of optional providers that the
    user switched on. PEP 850's steps 5 and 6, to install and ask a provider's
    package, are never taken.
    """
    namespaces = {}
    for namespace in metadata.namespace_priorities:
        if namespace == ABI_DEPENDENCY:  # reserved: no provider may answer for it
            continue
        provider = _provider(metadata, namespace)
        # 1. "If a provider is disabled, the tools MUST assume that the list of
        # compatible features is empty."
        if _is_disabled(provider, namespace, enabled_providers):
            continue
        # 2. "A variant provider's metadata MAY include a static list […] the tools
        # MUST use the static lists exclusively."
        if provider is not None and provider.static_properties is not None:
            features = provider.static_properties
            namespaces[namespace] = _by_priority(metadata, namespace, features)
        # 3. "If the user provides said list, the tools MUST use it exclusively."
        elif namespace in stated.namespaces:
            namespaces[namespace] = stated.namespaces[namespace]
        # 4. "The tools MAY choose to vendor or reimplement plugin packages."
        elif _is_built_in(provider, namespace) and derived.features(namespace):
            features = derived.features(namespace)
            namespaces[namespace] = _by_priority(metadata, namespace, features)
    return SupportedProperties(namespaces)


def unanswered(
    metadata: VariantMetadata,
    *,
    stated: SupportedProperties,
    enabled_providers: Collection[str] = (),
) -> tuple[str, ...]:
    """Return the namespaces in use for which nobody answered, in order of priority.

    A provider that is switched off is an answer, and so is a built-in provider that
    found no such hardware.
    """
    used = {name for label in metadata.variants.values() for name in label}
    return tuple(
        namespace
        for namespace in metadata.namespace_priorities
        if namespace in used
        and namespace != ABI_DEPENDENCY
        and namespace not in stated.namespaces
        and not _has_answer(
            _provider(metadata, namespace), namespace, enabled_providers
        )
    )


def _provider(metadata: VariantMetadata, namespace: str) -> ProviderInformation | None:
    return (metadata.providers or {}).get(namespace)


def _has_answer(
    provider: ProviderInformation | None, namespace: str, enabled: Collection[str]
) -> bool:
    return (
        _is_disabled(provider, namespace, enabled)
        or (provider is not None and provider.static_properties is not None)
        or _is_built_in(provider, namespace)
    )


def _is_disabled(
    provider: ProviderInformation | None, namespace: str, enabled: Collection[str]
) -> bool:
    return provider is not None and provider.optional and namespace not in enabled


def _is_built_in(provider: ProviderInformation | None, namespace: str) -> bool:
    """Say whether the built-in provider may answer.

    Another package may use the same namespace with another meaning, so where the
    metadata names a package it must be one that ours stands for.
    """
    packages = PROVIDER_PACKAGES.get(namespace)
    if packages is None:
        return False
    if provider is None or provider.builtin:
        return True
    return bool(provider.requires) and provider.requires[0] in packages


def _by_priority(
    metadata: VariantMetadata,
    namespace: str,
    features: Mapping[str, tuple[str, ...]],
) -> Mapping[str, tuple[str, ...]]:
    """Apply the drafts' own priorities: what they list comes first, in their order."""
    order = metadata.feature_priorities.get(namespace, ())
    value_order = metadata.value_priorities.get(namespace, {})
    if not order and not value_order:
        return features
    return {
        name: _first(value_order.get(name, ()), features[name])
        for name in _first(order, tuple(features))
    }


def _first(order: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    listed = [name for name in order if name in names]
    return (*listed, *(name for name in names if name not in listed))
