"""Variant metadata: ``variant.json`` of a wheel, ``{name}-{version}-variants.json``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from polylock.values import Value, field
from polylock.variants.provider_information import ProviderInformation, read_providers
from polylock.variants.variant_schema import (
    ABI_DEPENDENCY,
    InvalidVariantMetadata,
    invalid,
    key_path,
    read_feature_order,
    read_mapping,
    read_namespaces,
    read_value_order,
    read_variants,
    schema_version,
)

__all__ = [
    "InvalidVariantMetadata",
    "VariantMetadata",
    "combine",
]

_NAMESPACED = ("providers", "static-properties")
_KNOWN_KEYS = {
    "$schema",
    "default-priorities",
    "providers",
    "static-properties",
    "variants",
}
LARGEST = 1 << 23
"""Most bytes of a file with variant metadata."""

_DEEPEST = 16
"""The greatest nesting depth of an unknown key that is kept."""


class VariantMetadata(Value, frozen=True, kw_only=True):
    """Combined variant metadata of one release (PEP 825).

    ``variants`` maps label to namespace to feature to values. ``providers`` is None
    if the metadata declares no providers (pure PEP 825). ``feature_priorities`` and
    ``value_priorities`` are the project's preferences, which the drafts allow and PEP
    825 dropped: features of a namespace, values of a feature, the best first.
    ``document`` is the JSON as read, for ``[packages.variants-json]``.
    """

    schema: str
    namespace_priorities: tuple[str, ...]
    variants: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]]
    providers: Mapping[str, ProviderInformation] | None = None
    feature_priorities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    value_priorities: Mapping[str, Mapping[str, tuple[str, ...]]] = field(
        default_factory=dict
    )
    document: Mapping[str, Any] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VariantMetadata):
            return NotImplemented
        return all(
            getattr(self, name) == getattr(other, name)
            for name in self.__struct_fields__
            if name != "document"  # the other fields are read from it
        )

    def __hash__(self) -> int:
        return hash((self.schema, self.namespace_priorities))

    @classmethod
    def decode(cls, content: bytes) -> VariantMetadata:
        """Parse JSON; raises InvalidVariantMetadata.

        Duplicate keys, which make the file ambiguous, and NaN, which is not JSON, are
        refused. So is a file of more than 8 MiB; the largest published one has 5 kB.
        """
        if len(content) > LARGEST:
            raise InvalidVariantMetadata(f"is larger than {LARGEST} bytes")
        try:
            document = json.loads(
                content.decode("utf-8"),
                object_pairs_hook=_unique,
                parse_constant=_refuse_constant,
            )
        except InvalidVariantMetadata:
            raise
        except RecursionError as error:
            raise InvalidVariantMetadata("is nested too deeply") from error
        except ValueError as error:  # bad UTF-8, bad JSON, an endless number
            raise InvalidVariantMetadata(f"is not JSON: {error}") from error
        return cls.from_document(document)

    @classmethod
    def decode_wheel(cls, content: bytes, label: str) -> VariantMetadata:
        """Parse the ``variant.json`` of a wheel with this label in its file name.

        PEP 825, "Variants": the dictionary "MUST contain exactly one entry, whose key
        is the variant label present in that wheel's filename".
        """
        metadata = cls.decode(content)
        if set(metadata.variants) != {label}:
            found = ", ".join(sorted(metadata.variants)[:5]) or "none"
            raise invalid("variants", f"must hold {label} alone, and holds {found}")
        return metadata

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> VariantMetadata:
        """Read parsed JSON or TOML; raises InvalidVariantMetadata."""
        document = read_mapping(document, "")
        version = schema_version(document)
        if "default-priorities" not in document:
            raise invalid("default-priorities", "is missing")
        priorities = read_mapping(document["default-priorities"], "default-priorities")
        feature_priorities = read_feature_order(priorities)
        return cls(
            schema=document["$schema"],
            namespace_priorities=read_namespaces(priorities),
            variants=read_variants(document),
            providers=read_providers(document, version, feature_priorities),
            feature_priorities=feature_priorities,
            value_priorities=read_value_order(priorities),
            document=document,
        )

    def properties(self, label: str) -> dict[str, dict[str, list[str]]] | None:
        """Return the properties of a label as PEP 825 writes them, None without it.

        Values are sets: in another order they are the same.
        """
        found = self.variants.get(label)
        return None if found is None else _with_sorted_values({label: found})[label]

    def restricted(self, labels: Collection[str]) -> dict[str, Any]:
        """Return the document reduced to these labels and the namespaces that they use.

        Keys are sorted and null values omitted, so that equal input gives equal TOML.
        The list of namespaces must not be empty (PEP 825): if the labels use none, the
        first one is kept.
        """
        kept = {
            label: self.variants[label] for label in labels if label in self.variants
        }
        used = {namespace for properties in kept.values() for namespace in properties}
        namespaces = [name for name in self.namespace_priorities if name in used]
        namespaces = namespaces or list(self.namespace_priorities[:1])
        unknown = {
            key: value for key, value in self.document.items() if key not in _KNOWN_KEYS
        }
        document: dict[str, Any] = _plain(unknown, -1)
        document["$schema"] = self.schema
        document["default-priorities"] = self._restricted_priorities(namespaces)
        for key in _NAMESPACED:
            table = _only(self.document.get(key), namespaces)
            if table:
                document[key] = table
        document["variants"] = {
            label: _plain(properties, 0)
            for label, properties in _with_sorted_values(kept).items()
        }
        return {key: _sorted_keys(document[key]) for key in sorted(document)}

    def _restricted_priorities(self, namespaces: list[str]) -> dict[str, Any]:
        priorities: dict[str, Any] = {"namespace": namespaces}
        for key in ("feature", "property"):
            table = _only(self.document["default-priorities"].get(key), namespaces)
            if table:
                priorities[key] = table
        return priorities


def combine(metadatas: Iterable[VariantMetadata]) -> VariantMetadata:
    """Combine the metadata of the wheels of one release; at least one.

    Values are sorted (PEP 825, "Variants": "sets of feature values, converted to lists
    and sorted lexically"), also those of a single wheel.
    The result does not depend on their order. Raises InvalidVariantMetadata if they
    contradict each other (PEP 825, "Metadata consistency").
    """
    parts = list(metadatas)
    longest = max((part.namespace_priorities for part in parts), key=len)
    for part in parts:
        if longest[: len(part.namespace_priorities)] != part.namespace_priorities:
            raise invalid(
                "default-priorities.namespace",
                f"{list(part.namespace_priorities)} and {list(longest)} contradict "
                "each other: the longer must start with the shorter",
            )
    documents = [part.document for part in parts]
    priorities = [document["default-priorities"] for document in documents]
    merged: dict[str, Any] = {
        # The newest version can express everything that older ones can.
        "$schema": max(
            (document["$schema"] for document in documents),
            key=lambda schema: (schema_version({"$schema": schema}), schema),
        ),
        "default-priorities": {"namespace": list(longest)},
        "variants": _merge(
            "variants", [_with_sorted_values(part.variants) for part in parts]
        ),
    }
    for key in ("feature", "property"):
        path = key_path("default-priorities", key)
        tables = [priority.get(key) or {} for priority in priorities]
        if table := _merge(path, tables):
            merged["default-priorities"][key] = table
    for key in _NAMESPACED:
        if table := _merge(key, [document.get(key) or {} for document in documents]):
            merged[key] = table
    return VariantMetadata.from_document(merged)


def _merge(path: str, tables: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the union; raises InvalidVariantMetadata if values of a key differ."""
    merged: dict[str, Any] = {}
    for table in tables:
        for key, value in table.items():
            if merged.setdefault(key, value) != value:
                raise invalid(key_path(path, key), "differs between wheels")
    return merged


def _with_sorted_values(
    variants: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]],
) -> dict[str, dict[str, dict[str, list[str]]]]:
    return {
        label: {
            namespace: {
                _spelled(namespace, name): sorted(values)
                for name, values in features.items()
            }
            for namespace, features in properties.items()
        }
        for label, properties in variants.items()
    }


def _spelled(namespace: str, feature: str) -> str:
    """Return a feature as PEP 825 can spell it.

    PEP 850: a feature of ``abi_dependency`` is a normalized project name. That may have
    hyphens, which neither PEP 825 nor its schema allows.
    """
    return feature.replace("-", "_") if namespace == ABI_DEPENDENCY else feature


def _only(table: Mapping[str, Any] | None, namespaces: list[str]) -> dict[str, Any]:
    return {
        namespace: _plain(table[namespace], 0)
        for namespace in namespaces
        if table and namespace in table
    }


def _plain(value: object, depth: int) -> Any:  # noqa: ANN401  # any TOML value
    """Return a copy of the values that TOML can hold, None for any other."""
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    if isinstance(value, str):
        return value if _is_text(value) else None
    if isinstance(value, (list, tuple)) and depth < _DEEPEST:
        items = [_plain(item, depth + 1) for item in value]
        return [item for item in items if item is not None]
    if isinstance(value, Mapping) and depth < _DEEPEST:
        table = {key: _plain(item, depth + 1) for key, item in value.items()}
        return {
            k: item for k, item in table.items() if item is not None and _is_text(k)
        }
    return None


def _is_text(text: str) -> bool:
    """Return True if a text is printable or ASCII: no lone surrogates, for example."""
    return text.isascii() or text.isprintable()


def _sorted_keys(value: Any) -> Any:  # noqa: ANN401  # any TOML value
    if isinstance(value, dict):
        return {key: _sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted_keys(item) for item in value]
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise InvalidVariantMetadata(f"the key {twice[:80]!a} occurs twice in a table")
    return table


def _refuse_constant(name: str) -> None:
    raise InvalidVariantMetadata(f"{name} is not JSON")
