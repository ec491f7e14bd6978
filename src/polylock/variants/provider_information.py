"""The provider of a namespace, as variant metadata declares it (PEP 850)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.values import Value
from polylock.variants.properties import is_feature_name
from polylock.variants.variant_schema import (
    ProviderRequirement,
    invalid,
    is_draft,
    key_path,
    read_mapping,
    read_marker,
    read_names,
    read_optional,
    read_requires,
    read_value_lists,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ProviderInformation", "read_providers"]


class ProviderInformation(Value, frozen=True, kw_only=True):
    """The provider of a namespace (PEP 850, "Provider information").

    ``static_properties`` are in the order of ``feature-order``; None if the
    provider is a package or built in. ``enable_if`` is the marker of a draft that
    disables the provider where it is false, empty if there is none.
    """

    optional: bool = False
    enable_if: str = ""
    requires: tuple[ProviderRequirement, ...] = ()
    plugin_api: str | None = None
    builtin: bool = False
    static_properties: Mapping[str, tuple[str, ...]] | None = None


def read_providers(
    document: Mapping[str, Any],
    version: tuple[int, int],
    feature_priorities: Mapping[str, tuple[str, ...]],
) -> dict[str, ProviderInformation] | None:
    """Read the providers of variant metadata, None if it declares none.

    ``feature_priorities`` order the static properties without ``feature-order``.
    Raises InvalidVariantMetadata.
    """
    statics = {
        namespace: read_value_lists(features, key_path("static-properties", namespace))
        for namespace, features in read_optional(
            document, "static-properties", ""
        ).items()
    }
    if document.get("providers") is None and not statics:
        return None
    providers = {
        namespace: _read_provider(
            read_mapping(information, key_path("providers", namespace)),
            key_path("providers", namespace),
            version,
            (statics.get(namespace), feature_priorities.get(namespace, ())),
        )
        for namespace, information in read_optional(document, "providers", "").items()
    }
    for namespace, features in statics.items():
        if namespace not in providers:
            order = feature_priorities.get(namespace, ())
            providers[namespace] = ProviderInformation(
                static_properties=_in_order(features, order)
            )
    return providers


def _read_provider(
    information: Mapping[str, Any],
    path: str,
    version: tuple[int, int],
    elsewhere: tuple[dict[str, tuple[str, ...]] | None, tuple[str, ...]],
) -> ProviderInformation:
    """Read one provider; ``elsewhere`` has static lists and order from outside it."""
    static, order = elsewhere
    if information.get("static-properties") is not None:
        static = read_value_lists(
            information["static-properties"], key_path(path, "static-properties")
        )
    if information.get("feature-order") is not None:
        order = read_names(
            information["feature-order"],
            key_path(path, "feature-order"),
            is_feature_name,
            "feature name",
        )
    requires = read_requires(information, path)
    builtin = _read_builtin(information, path)
    if is_draft(version):
        # v0.0.x: a provider that does not run at installation has only static lists.
        if not _read_boolean(information, "install-time", path, default=True):
            static = static or {}
    else:
        if (static is not None) + (requires is not None) + builtin != 1:
            raise invalid(
                path, "must have exactly one of requires, static-properties, builtin"
            )
        if static is not None and len(static) > 1 and set(static) - set(order):
            raise invalid(path, "has several static features and no order for them")
    return ProviderInformation(
        optional=_read_boolean(information, "optional", path, default=False),
        enable_if=read_marker(information, "enable-if", path)
        if is_draft(version)
        else "",
        requires=requires or (),
        plugin_api=_read_text(information, "plugin-api", path),
        builtin=builtin,
        static_properties=None if static is None else _in_order(static, order),
    )


def _in_order(
    features: Mapping[str, tuple[str, ...]], order: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    # JSON keys are unordered, so features without a priority are sorted.
    ranked = [name for name in order if name in features]
    ranked += sorted(set(features) - set(ranked))
    return {name: features[name] for name in ranked}


def _read_boolean(
    information: Mapping[str, Any], key: str, path: str, *, default: bool
) -> bool:
    value = information.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise invalid(key_path(path, key), "must be true or false")
    return value


def _read_builtin(information: Mapping[str, Any], path: str) -> bool:
    # Published tools accept a name or true for this key.
    value = information.get("builtin")
    if value is None or isinstance(value, bool):
        return bool(value)
    if not isinstance(value, str):
        raise invalid(key_path(path, "builtin"), "must be true or a string")
    return True


def _read_text(information: Mapping[str, Any], key: str, path: str) -> str | None:
    value = information.get(key)
    if value is not None and not isinstance(value, str):
        raise invalid(key_path(path, key), "must be a string")
    return value
