"""The choice of the provider for the supported properties of a namespace (PEP 850)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from polylock.variants.properties import SupportedProperties
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from polylock.variants.provider_information import ProviderInformation
    from polylock.variants.variant_json import VariantMetadata
    from polylock.variants.variant_schema import ProviderRequirement

__all__ = [
    "PROVIDER_PACKAGES",
    "MarkerHolds",
    "has_built_in_provider",
    "namespaces_without_provider",
    "supported_properties",
    "usual_provider",
]

MarkerHolds = Callable[[str], bool]
"""Returns whether the text of a marker may be true on a target."""

PROVIDER_PACKAGES = {
    "nvidia": ("nvidia-variant-provider",),
    "x86_64": ("provider-variant-x86-64", "x86-64-variant-provider"),
    "aarch64": ("provider-variant-aarch64", "aarch64-variant-provider"),
    "amd": ("amd-variant-provider",),
    "intel": ("intel-variant-provider",),
    "ascend": ("huawei-ascend-variant-provider", "ascend-variant-provider"),
    "tpu": ("tpu-variant-provider",),
}
"""The namespaces of the built-in providers, and the packages that they replace.

The CPU providers are published under one spelling and recognised by uv under another.
"""

_PLUGINS = {
    "nvidia": "NvidiaVariantPlugin",
    "x86_64": "X8664Plugin",
    "aarch64": "AArch64Plugin",
    "amd": "AMDVariantPlugin",
    "intel": "IntelVariantPlugin",
    "ascend": "AscendVariantPlugin",
    "tpu": "TpuVariantPlugin",
}
"""The class that a published provider has in its module ``plugin``."""

_OUR_MAJOR = ">=0.dev0,<1"
"""The versions of the published providers whose answers the built-in ones give."""


def supported_properties(
    metadata: VariantMetadata,
    *,
    stated: SupportedProperties,
    derived: SupportedProperties,
    holds: MarkerHolds,
    enabled_providers: Collection[str] = (),
) -> SupportedProperties:
    """Return the supported properties that apply to a release, in its namespaces.

    ``stated`` are the user's lists, ``derived`` those of the built-in providers, and
    ``enabled_providers`` the namespaces of optional providers that the user enabled.
    ``holds`` evaluates the markers of providers.
    PEP 850's steps 5 and 6, to install and run a provider's package, are never taken.
    """
    namespaces = {}
    for namespace in metadata.namespace_priorities:
        if namespace == ABI_DEPENDENCY:  # reserved: it has no provider
            continue
        provider = _provider(metadata, namespace)
        # 1. "If a provider is disabled, the tools MUST assume that the list of
        # compatible features is empty."
        if _is_disabled(provider, namespace, enabled_providers, holds):
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
        elif _is_built_in(provider, namespace, holds) and derived.features(namespace):
            features = derived.features(namespace)
            namespaces[namespace] = _by_priority(metadata, namespace, features)
    return SupportedProperties(namespaces)


def namespaces_without_provider(
    metadata: VariantMetadata,
    *,
    stated: SupportedProperties,
    holds: MarkerHolds,
    enabled_providers: Collection[str] = (),
) -> tuple[str, ...]:
    """Return the used namespaces that no provider covers, in order of priority.

    A disabled provider covers its namespace, and so does a built-in one that found no
    such hardware.
    """
    used = {name for label in metadata.variants.values() for name in label}
    return tuple(
        namespace
        for namespace in metadata.namespace_priorities
        if namespace in used
        and namespace != ABI_DEPENDENCY
        and namespace not in stated.namespaces
        and not _is_covered(
            _provider(metadata, namespace), namespace, enabled_providers, holds
        )
    )


def has_built_in_provider(
    metadata: VariantMetadata, namespace: str, holds: MarkerHolds
) -> bool:
    """Return True if a built-in provider may answer for a namespace of a release."""
    return _is_built_in(_provider(metadata, namespace), namespace, holds)


def usual_provider(namespace: str) -> dict[str, Any] | None:
    """Return the published provider in the metadata, None if there is none."""
    packages = PROVIDER_PACKAGES.get(namespace)
    if packages is None:
        return None
    plugin = f"{_module(packages[0])}.plugin:{_PLUGINS[namespace]}"
    return {"requires": [packages[0]], "plugin-api": plugin}


def _provider(metadata: VariantMetadata, namespace: str) -> ProviderInformation | None:
    return (metadata.providers or {}).get(namespace)


def _is_covered(
    provider: ProviderInformation | None,
    namespace: str,
    enabled: Collection[str],
    holds: MarkerHolds,
) -> bool:
    return (
        _is_disabled(provider, namespace, enabled, holds)
        or (provider is not None and provider.static_properties is not None)
        or _is_built_in(provider, namespace, holds)
    )


def _is_disabled(
    provider: ProviderInformation | None,
    namespace: str,
    enabled: Collection[str],
    holds: MarkerHolds,
) -> bool:
    """Return True if an optional provider is off, or the ``enable-if`` of a draft."""
    if provider is None:
        return False
    if provider.enable_if and not holds(provider.enable_if):
        return True
    return provider.optional and namespace not in enabled


def _is_built_in(
    provider: ProviderInformation | None, namespace: str, holds: MarkerHolds
) -> bool:
    """Return True if the built-in provider may be used.

    Another package may give the namespace another meaning, so if the metadata names
    packages, its plugin must be one that the built-in provider replaces, in a version
    that it knows.
    """
    packages = PROVIDER_PACKAGES.get(namespace)
    if packages is None:
        return False
    if provider is None or provider.builtin:
        return True
    # PEP 850, "Provider information": "the requirements for which the markers evaluate
    # to false are filtered out."
    needed = [r for r in provider.requires if not r.marker or holds(r.marker)]
    if not needed:
        return False
    # "If it is not specified, a default value is determined by normalizing the package
    # name from the first dependency specifier in requires and then replacing all -
    # characters with _".
    endpoint = provider.plugin_api or _module(needed[0].name)
    plugin = f"plugin:{_PLUGINS[namespace]}"
    ours = {
        package
        for package in packages
        if endpoint in {_module(package), f"{_module(package)}.{plugin}"}
    }
    found = [each for each in needed if each.name in ours]
    return bool(found) and all(map(_is_known_version, found))


def _is_known_version(requirement: ProviderRequirement) -> bool:
    if requirement.is_direct:
        return False
    # Imported by whatever has read the requirement.
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - see above

    wanted = SpecifierSet(requirement.specifier) & SpecifierSet(_OUR_MAJOR)
    return not wanted.is_unsatisfiable()


def _module(package: str) -> str:
    return package.replace("-", "_")


def _by_priority(
    metadata: VariantMetadata,
    namespace: str,
    features: Mapping[str, tuple[str, ...]],
) -> Mapping[str, tuple[str, ...]]:
    """Apply the priorities of draft metadata: listed names first, in their order."""
    order = metadata.feature_priorities.get(namespace, ())
    value_order = metadata.value_priorities.get(namespace, {})
    if not order and not value_order:
        return features
    return {
        name: _listed_first(value_order.get(name, ()), features[name])
        for name in _listed_first(order, tuple(features))
    }


def _listed_first(order: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    listed = [name for name in order if name in names]
    return (*listed, *(name for name in names if name not in listed))
