"""Validation of variant metadata (PEP 825, PEP 850).

Each reader takes one part of the parsed document, checks types and names, and raises
InvalidVariantMetadata with the key path of the first fault. Supported versions: the
drafts v0.0.x in use, 0.1.x (PEP 825), 0.2.x (PEP 850) and the coming 1.x.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from packaging.utils import canonicalize_name

from polylock.values import Value
from polylock.variants.properties import (
    NULL_LABEL,
    is_feature_name,
    is_feature_value,
    is_label,
    is_namespace,
)

__all__ = [
    "ABI_DEPENDENCY",
    "InvalidVariantMetadata",
    "ProviderRequirement",
    "invalid",
    "is_draft",
    "key_path",
    "read_feature_order",
    "read_mapping",
    "read_marker",
    "read_names",
    "read_namespaces",
    "read_optional",
    "read_requires",
    "read_value_order",
    "read_variants",
    "schema_version",
]

ABI_DEPENDENCY = "abi_dependency"
"""The reserved namespace for builds against one version of another project."""

_SUPPORTED_MAJORS = (0, 1)
_SCHEMA = r"[!-~]+"
_VERSION = r"/v([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.[0-9]{1,9})?(?:\.json)?/?(?:[?#].*)?"
_LONGEST = 400
_PLAIN_KEY = r"[A-Za-z0-9_$-]+"
_DEPENDENCY_FEATURE = r"[a-z0-9_-]+"


class InvalidVariantMetadata(ValueError):
    """Variant metadata that breaks a rule; the message is the reason.

    ``key`` is the path of the key at fault, empty for the file as a whole, and
    ``problem`` the reason without it.
    """

    def __init__(self, problem: str, key: str = "") -> None:
        """Store the problem and its key."""
        text = f"{key}: {problem}" if key else problem
        cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        super().__init__(cut)
        self.key = key
        self.problem = problem[:_LONGEST]


class ProviderRequirement(Value, frozen=True, kw_only=True):
    """A package of a provider (PEP 850, ``requires``).

    ``name`` is normalized. ``specifier`` and ``marker`` are text, empty if there is
    none. A direct reference may lead to a package other than the one of that name.
    """

    name: str
    specifier: str = ""
    marker: str = ""
    is_direct: bool = False


def key_path(path: str, key: object) -> str:
    """Return the path of a key below another: ``variants["cu12.6"].nvidia``."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    text = key if isinstance(key, str) else repr(key)
    if re.fullmatch(_PLAIN_KEY, text):
        return f"{path}.{text}" if path else text
    quoted = ascii(text)[1:-1].replace('"', '\\"')
    return f'{path}["{quoted[:80]}"]'


def invalid(path: str, problem: str) -> InvalidVariantMetadata:
    """Return the error for a key path; a long message is cut."""
    return InvalidVariantMetadata(problem, path)


def schema_version(document: Mapping[str, Any]) -> tuple[int, int]:
    """Return the major and minor version of the format, from the URL in ``$schema``.

    PEP 825, "Variant metadata": "Tools MUST reject metadata with a major version
    number that they do not support." A newer minor version is accepted.
    """
    schema = document.get("$schema")
    if not isinstance(schema, str):
        raise invalid("$schema", "must be the URL of the JSON schema, and is missing")
    if not re.fullmatch(_SCHEMA, schema):
        raise invalid("$schema", "is not a URL")
    matches = list(re.finditer(_VERSION, schema))
    if not matches or matches[-1].end() != len(schema):
        raise invalid("$schema", f"{schema[:200]} names no format version")
    major, minor = int(matches[-1][1]), int(matches[-1][2] or 0)
    if major not in _SUPPORTED_MAJORS:
        raise invalid("$schema", f"format version {major}.{minor} is not known")
    return major, minor


def is_draft(version: tuple[int, int]) -> bool:
    """Return True if this is a draft v0.0.x, older than PEP 825."""
    return version == (0, 0)


def read_mapping(value: object, path: str) -> Mapping[str, Any]:
    """Return a mapping whose keys are strings."""
    if not isinstance(value, Mapping):
        raise invalid(path, f"must be a table, not {_kind(value)}")
    for key in value:
        if not isinstance(key, str):
            raise invalid(path, f"has the key {key!r}, which is not a string")
    return value


def read_optional(parent: Mapping[str, Any], key: str, path: str) -> Mapping[str, Any]:
    """Return a mapping that may be missing or null."""
    value = parent.get(key)
    return {} if value is None else read_mapping(value, key_path(path, key))


def read_names(
    value: object, path: str, is_valid: Callable[[str], bool], what: str
) -> tuple[str, ...]:
    """Return a list of distinct names in their order."""
    if not isinstance(value, (list, tuple)):
        raise invalid(path, f"must be a list of strings, not {_kind(value)}")
    for position, item in enumerate(value):
        if not isinstance(item, str):
            place = key_path(path, position)
            raise invalid(place, f"must be a string, not {_kind(item)}")
        if not is_valid(item):
            place = key_path(path, position)
            raise invalid(place, f"{item[:80]!a} is not a valid {what}")
    if len(set(value)) != len(value):
        raise invalid(path, f"lists a {what} twice")
    return tuple(value)


def read_namespaces(priorities: Mapping[str, Any]) -> tuple[str, ...]:
    """Return ``default-priorities.namespace``, which "MUST NOT be empty"."""
    path = "default-priorities.namespace"
    if "namespace" not in priorities:
        raise invalid(path, "is missing")
    namespaces = read_names(priorities["namespace"], path, is_namespace, "namespace")
    if not namespaces:
        raise invalid(path, "must not be empty")
    return namespaces


def read_feature_order(
    priorities: Mapping[str, Any],
) -> dict[str, tuple[str, ...]]:
    """Return ``default-priorities.feature``: namespace to features, the best first."""
    path = "default-priorities.feature"
    orders = read_optional(priorities, "feature", "default-priorities")
    return {
        namespace: read_names(order, place, is_feature_name, "feature name")
        for namespace, order, place in _namespaced(orders, path)
    }


def read_value_order(
    priorities: Mapping[str, Any],
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return ``default-priorities.property`` of the drafts, values best first."""
    path = "default-priorities.property"
    orders = read_optional(priorities, "property", "default-priorities")
    return {
        namespace: read_value_lists(features, place)
        for namespace, features, place in _namespaced(orders, path)
    }


def read_variants(
    document: Mapping[str, Any],
) -> dict[str, dict[str, dict[str, tuple[str, ...]]]]:
    """Return ``variants``: label to namespace to feature to values."""
    if "variants" not in document:
        raise invalid("variants", "is missing")
    variants = {}
    for label, properties in read_mapping(document["variants"], "variants").items():
        path = key_path("variants", label)
        if not is_label(label):
            raise invalid(path, "is not a valid variant label")
        variants[label] = {
            namespace: read_value_lists(features, place, namespace=namespace)
            for namespace, features, place in _namespaced(
                read_mapping(properties, path), path
            )
        }
        if label == NULL_LABEL and variants[label]:
            raise invalid(path, "the null variant must have no properties")
    return variants


def read_value_lists(
    features: object, path: str, *, namespace: str = ""
) -> dict[str, tuple[str, ...]]:
    """Return feature to values; each list is non-empty and keeps its order."""
    lists = {}
    for feature, values in read_mapping(features, path).items():
        place = key_path(path, feature)
        if not _is_feature_of(namespace, feature):
            raise invalid(place, "is not a valid feature name")
        lists[feature] = read_names(values, place, is_feature_value, "feature value")
        if not values:
            raise invalid(place, "must list at least one value")
    return lists


def read_requires(
    information: Mapping[str, Any], path: str
) -> tuple[ProviderRequirement, ...] | None:
    """Return the packages of a provider in their order, None without the key."""
    requires = information.get("requires")
    if requires is None:
        return None
    # 8 ms with its parser, where metadata names packages.
    from packaging.requirements import (  # noqa: PLC0415
        InvalidRequirement,
        Requirement,
    )

    place = key_path(path, "requires")
    found: list[ProviderRequirement] = []
    for position, text in enumerate(
        read_names(requires, place, lambda _: True, "requirement")
    ):
        try:
            requirement = Requirement(text)
        except (InvalidRequirement, RecursionError) as error:
            problem = f"{text[:80]!a} is not a dependency specifier"
            raise invalid(key_path(place, position), problem) from error
        found.append(
            ProviderRequirement(
                name=canonicalize_name(requirement.name),
                specifier=str(requirement.specifier),
                marker=str(requirement.marker or ""),
                is_direct=requirement.url is not None,
            )
        )
    return tuple(found)


def read_marker(information: Mapping[str, Any], key: str, path: str) -> str:
    """Return an environment marker as text, empty without the key."""
    text = information.get(key)
    if text is None:
        return ""
    # As above.
    from packaging.markers import InvalidMarker, Marker  # noqa: PLC0415

    place = key_path(path, key)
    if not isinstance(text, str):
        raise invalid(place, f"must be a string, not {_kind(text)}")
    try:
        return str(Marker(text))
    except (InvalidMarker, RecursionError) as error:
        raise invalid(place, f"{text[:80]!a} is not an environment marker") from error


def _is_feature_of(namespace: str, feature: str) -> bool:
    # PEP 850: a feature of abi_dependency is the normalized name of a project, which
    # may hold hyphens although PEP 825 allows none in the name of a feature.
    if namespace == ABI_DEPENDENCY:
        return re.fullmatch(_DEPENDENCY_FEATURE, feature) is not None
    return is_feature_name(feature)


def _namespaced(
    mapping: Mapping[str, Any], path: str
) -> Iterator[tuple[str, Any, str]]:
    for namespace, value in mapping.items():
        place = key_path(path, namespace)
        if not is_namespace(namespace):
            raise invalid(place, "is not a valid namespace")
        yield namespace, value, place


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "a boolean"),
        ((int, float), "a number"),
        (str, "a string"),
        ((list, tuple), "a list"),
        (Mapping, "a table"),
    )
    names = (name for kind, name in kinds if isinstance(value, kind))
    return next(names, f"a {type(value).__name__}")
