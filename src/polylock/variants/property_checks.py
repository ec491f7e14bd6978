"""Properties of labels that can be read, and that no machine or provider knows.

A label with a feature that no provider reports is never installed. Those who make
labels and indexes ask here; who installs them does not need to.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from polylock.values import Value
from polylock.variants.authority import has_built_in_provider
from polylock.variants.catalogue import (
    AARCH64_FEATURES,
    AARCH64_VERSIONS,
    AMD_GFX_ARCHITECTURES,
    AMD_ROCM_VERSIONS,
    CUDA_MAJORS,
    CUDA_MINORS,
    FEATURE_NAMES,
    INTEL_DEVICE_IPS,
    MULTI_VALUE_FEATURES,
    NEWEST_COMPUTE_MAJOR,
    OLDEST_COMPUTE_MAJOR,
    X86_64_FEATURES,
    X86_64_LEVELS,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from polylock.variants.variant_json import VariantMetadata

__all__ = [
    "FeatureUnknown",
    "PropertyFault",
    "SeveralValues",
    "ValuesUnknown",
    "ValuesUnlisted",
    "known_values",
    "property_faults",
]

_CUDA_VERSIONS = frozenset(
    {
        *map(str, CUDA_MAJORS),
        *(f"{major}.{minor}" for major in CUDA_MAJORS for minor in CUDA_MINORS),
    }
)
_COMPUTE_MAJORS = range(OLDEST_COMPUTE_MAJOR, NEWEST_COMPUTE_MAJOR + 1)
_ARCHITECTURES = frozenset(
    {
        # A GPU supports the real architectures of its major version up to its own, and
        # the virtual one of its major version alone.
        *(f"{major}{minor}_real" for major in _COMPUTE_MAJORS for minor in range(10)),
        *(f"{major}0_virtual" for major in _COMPUTE_MAJORS),
    }
)
_ON = frozenset({"on"})
_VALUES: dict[tuple[str, str], frozenset[str]] = {
    ("nvidia", "cuda_version_lower_bound"): _CUDA_VERSIONS,
    # No driver is older than 11.0, so it is the upper bound of none.
    ("nvidia", "cuda_version_upper_bound"): _CUDA_VERSIONS - {"11", "11.0"},
    ("nvidia", "sm_arch"): _ARCHITECTURES,
    **{("x86_64", feature): _ON for feature in X86_64_FEATURES},
    ("x86_64", "level"): frozenset(X86_64_LEVELS),
    **{("aarch64", feature): _ON for feature in AARCH64_FEATURES},
    ("aarch64", "version"): frozenset(AARCH64_VERSIONS),
    ("intel", "device_ip"): INTEL_DEVICE_IPS,
    ("tpu", "present"): frozenset({"true"}),
}
"""The values of each feature that some machine supports."""

_FORMS = {
    ("amd", "gfx_arch"): re.compile(r"gfx[0-9a-f]{3,4}"),
    ("amd", "rocm_version"): re.compile(r"[0-9]+\.[0-9]+"),
    ("ascend", "driver_version"): re.compile(r"[0-9]+(\.[0-9]+){1,2}(\.rc[0-9]+)?"),
    ("ascend", "cann_version"): re.compile(r"[0-9]+(\.[0-9]+){1,2}(\.rc[0-9]+)?"),
}
"""The form of values that depend on what a machine has installed."""

_LISTED = {
    ("amd", "gfx_arch"): AMD_GFX_ARCHITECTURES,
    ("amd", "rocm_version"): AMD_ROCM_VERSIONS,
}
"""The values that a provider lists, though it reports others as well."""


class FeatureUnknown(Value, frozen=True, kw_only=True):
    """No provider of the namespace reports the feature, so no machine supports it.

    ``close`` is the feature that may be meant, empty if there is none. ``is_static``:
    the metadata lists what its provider supports.
    """

    label: str
    namespace: str
    feature: str
    close: str = ""
    is_static: bool = False


class ValuesUnknown(Value, frozen=True, kw_only=True):
    """No machine supports these values; ``is_all`` if the feature has no other."""

    label: str
    namespace: str
    feature: str
    values: tuple[str, ...]
    is_all: bool
    is_static: bool = False


class ValuesUnlisted(Value, frozen=True, kw_only=True):
    """Machines may support these values, but the published provider lists none."""

    label: str
    namespace: str
    feature: str
    values: tuple[str, ...]


class SeveralValues(Value, frozen=True, kw_only=True):
    """The feature has several values, of which a machine can have one alone."""

    label: str
    namespace: str
    feature: str
    values: tuple[str, ...]


PropertyFault = FeatureUnknown | ValuesUnknown | ValuesUnlisted | SeveralValues


def property_faults(metadata: VariantMetadata) -> Iterator[PropertyFault]:
    """Yield the problems of the properties of labels, in the order of the metadata.

    A namespace whose provider is neither built in nor a static list is not judged.
    """
    for label, properties in metadata.variants.items():
        for namespace, features in properties.items():
            known = _known_features(metadata, namespace)
            if known is None:
                continue
            for feature, values in features.items():
                yield from _faults(metadata, label, namespace, feature, values)


def known_values(metadata: VariantMetadata, namespace: str, feature: str) -> list[str]:
    """Return the values of a feature, sorted; empty if they are not a fixed list."""
    static = _static_features(metadata, namespace)
    if static is not None:
        return list(static.get(feature, ()))
    return sorted(_VALUES.get((namespace, feature), ()))


def _faults(
    metadata: VariantMetadata,
    label: str,
    namespace: str,
    feature: str,
    values: tuple[str, ...],
) -> Iterator[PropertyFault]:
    known = _known_features(metadata, namespace) or ()
    static = _static_features(metadata, namespace)
    is_static = static is not None
    if feature not in known:
        close = get_close_matches(feature, sorted(known), n=1)
        yield FeatureUnknown(
            label=label,
            namespace=namespace,
            feature=feature,
            close=close[0] if close else "",
            is_static=is_static,
        )
        return
    place = (namespace, feature)
    if static is not None:
        unknown = tuple(value for value in values if value not in static[feature])
    else:
        unknown = tuple(value for value in values if not _is_possible(place, value))
        if len(values) > 1 and place not in MULTI_VALUE_FEATURES:
            yield SeveralValues(
                label=label, namespace=namespace, feature=feature, values=values
            )
        listed = _LISTED.get(place)
        if listed is not None:
            unlisted = tuple(
                value
                for value in values
                if value not in listed and value not in unknown
            )
            if unlisted:
                yield ValuesUnlisted(
                    label=label, namespace=namespace, feature=feature, values=unlisted
                )
    if unknown:
        yield ValuesUnknown(
            label=label,
            namespace=namespace,
            feature=feature,
            values=unknown,
            is_all=len(unknown) == len(values),
            is_static=is_static,
        )


def _is_possible(place: tuple[str, str], value: str) -> bool:
    values = _VALUES.get(place)
    if values is not None:
        return value in values
    form = _FORMS.get(place)
    return form is None or form.fullmatch(value) is not None


def _static_features(
    metadata: VariantMetadata, namespace: str
) -> dict[str, tuple[str, ...]] | None:
    provider = (metadata.providers or {}).get(namespace)
    if provider is None or provider.static_properties is None:
        return None
    return dict(provider.static_properties)


def _known_features(
    metadata: VariantMetadata, namespace: str
) -> Collection[str] | None:
    """Return the features that a namespace has, None if that is not known."""
    static = _static_features(metadata, namespace)
    if static is not None:
        return static
    # No target is given here: every marker of a provider may be true on one.
    if has_built_in_provider(metadata, namespace, bool):
        return FEATURE_NAMES[namespace]
    return None
