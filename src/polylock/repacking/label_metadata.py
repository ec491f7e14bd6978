"""The ``variant.json`` of a label, from properties and a ``[variant]`` table.

The table is the one of ``pyproject.toml`` that variantlib 0.2 reads: the order of the
namespaces, their providers, and labels with properties, which no released backend has
needed yet. Values are as PEP 825 and PEP 850 write them, so the same input gives the
same bytes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, assert_never

from polylock.toml_tables import closest, suggestion
from polylock.values import Value, field
from polylock.variants.authority import PROVIDER_PACKAGES, usual_provider
from polylock.variants.properties import (
    NULL_LABEL,
    InvalidProperty,
    VariantProperty,
    is_label,
)
from polylock.variants.property_checks import (
    FeatureUnknown,
    SeveralValues,
    ValuesUnknown,
    ValuesUnlisted,
    known_values,
    property_faults,
)
from polylock.variants.variant_json import InvalidVariantMetadata, VariantMetadata
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from polylock.toml_tables import Table

__all__ = [
    "InvalidLabel",
    "LabelRequest",
    "VariantTable",
    "json_bytes",
    "label_metadata",
    "property_problems",
    "read_properties",
    "read_variant_table",
]

_PROVIDERS_FORMAT = "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json"
_PURE_FORMAT = "https://variants-schema.wheelnext.dev/peps/825/v0.1.1.json"
_KEYS = ("default-priorities", "providers", "variants")
_PRIORITY_KEYS = ("namespace", "feature")
_PROVIDER_KEYS = (
    "requires",
    "optional",
    "plugin-api",
    "static-properties",
    "feature-order",
    "builtin",
)
_FEW = 8  # values that are all listed
_DRAFT_KEYS = ("enable-if", "install-time")


class InvalidLabel(ValueError):
    """A label that cannot be made; the text is the reason, ``advice`` the next step."""

    def __init__(self, problem: str, advice: str | None = None) -> None:
        """Store the problem and the advice."""
        super().__init__(problem)
        self.advice = advice


class VariantTable(Value, frozen=True, kw_only=True):
    """A ``[variant]`` table; ``path`` is its file, empty if there is none.

    ``providers`` and ``feature_priorities`` are as written, and checked. ``variants``
    maps label to properties.
    """

    path: str = ""
    namespaces: tuple[str, ...] = ()
    feature_priorities: Mapping[str, Any] = field(default_factory=dict)
    providers: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, tuple[VariantProperty, ...]] = field(default_factory=dict)


class LabelRequest(Value, frozen=True, kw_only=True):
    """A label with its properties, and namespaces in order of priority.

    Without ``namespaces`` those of the table count, or else those of the properties.
    """

    label: str
    properties: tuple[VariantProperty, ...] = ()
    namespaces: tuple[str, ...] = ()


def read_properties(texts: Iterable[str]) -> tuple[VariantProperty, ...]:
    """Read ``namespace :: feature :: value``; raises InvalidLabel."""
    try:
        return tuple(dict.fromkeys(VariantProperty.parse(text) for text in texts))
    except InvalidProperty as error:
        raise InvalidLabel(
            str(error),
            "write -p 'x86_64 :: level :: v3': names have a-z, 0-9 and _, "
            "values also full stops",
        ) from error


def read_variant_table(table: Table) -> VariantTable:
    """Read a ``[variant]`` table; raises the error of the table."""
    table.refuse_unknown(_KEYS)
    priorities = table.table("default-priorities")
    priorities.refuse_unknown(_PRIORITY_KEYS)
    providers = table.table("providers")
    for namespace in providers.values:
        _check_provider(providers.table(namespace))
    namespaces = priorities.strings("namespace")
    document = _document(
        namespaces or ("none",), table.table("variants").values, providers.values
    )
    feature_priorities = priorities.table("feature").values
    if feature_priorities:
        document["default-priorities"]["feature"] = feature_priorities
    try:
        metadata = VariantMetadata.from_document(document)
    except InvalidVariantMetadata as error:
        raise table.error(str(error)) from error
    for namespace in providers.values:
        if namespace not in namespaces:
            raise priorities.error(
                f"must list {namespace}, which has a provider", "namespace"
            )
    return VariantTable(
        path=table.path,
        namespaces=namespaces,
        feature_priorities=feature_priorities,
        providers=providers.values,
        variants={
            label: tuple(
                VariantProperty(namespace, feature, value)
                for namespace, features in properties.items()
                for feature, values in features.items()
                for value in values
            )
            for label, properties in metadata.variants.items()
        },
    )


def _check_provider(provider: Table) -> None:
    for key in _DRAFT_KEYS:
        if key in provider:
            raise provider.error(
                "is a key of a draft, which PEP 850 left out", key, advice="remove it"
            )
    if "build-requires" in provider:
        raise provider.error(
            "would run a package to learn its values, which polylock does not",
            "build-requires",
            advice="list the values under static-properties",
        )
    provider.refuse_unknown(_PROVIDER_KEYS)


def label_metadata(
    request: LabelRequest, table: VariantTable, *, lenient: bool = False
) -> VariantMetadata:
    """Return the metadata of a wheel with a label; raises InvalidLabel.

    With ``lenient`` a namespace may have no known provider: the result is then pure
    PEP 825, without providers.
    """
    label = request.label
    properties = request.properties or table.variants.get(label, ())
    _check_label(label, properties, table)
    listed = request.namespaces or table.namespaces
    used = tuple(dict.fromkeys(each.namespace for each in properties))
    used = tuple(name for name in used if name != ABI_DEPENDENCY)
    namespaces = listed or used
    if ABI_DEPENDENCY in listed:
        raise InvalidLabel(f"{ABI_DEPENDENCY} has no priority (PEP 850)")
    if not namespaces:
        raise InvalidLabel(
            f"label {label} has no namespace of its own, and the order of the "
            "release's namespaces is not known",
            "list them as for its other labels: --namespace nvidia --namespace x86_64, "
            "or default-priorities.namespace under [variant] in pyproject.toml",
        )
    for name in used:
        if name not in namespaces:
            raise InvalidLabel(
                f"label {label} has properties of {name}, which is not among the "
                f"namespaces of the release: {', '.join(namespaces)}",
                f"add {name} to --namespace, or to default-priorities.namespace under "
                "[variant]",
            )
    providers = _providers(namespaces, table, lenient=lenient)
    variant: dict[str, dict[str, list[str]]] = {}
    for each in sorted(properties):  # "converted to lists and sorted lexically"
        features = variant.setdefault(each.namespace, {})
        features.setdefault(each.feature, []).append(each.value)
    document = _document(namespaces, {label: variant}, providers)
    orders = {
        name: order
        for name, order in table.feature_priorities.items()
        if name in namespaces
    }
    if orders:
        document["default-priorities"]["feature"] = orders
    try:
        return VariantMetadata.from_document(document)
    except InvalidVariantMetadata as error:
        raise InvalidLabel(str(error)) from error


def property_problems(metadata: VariantMetadata) -> Iterator[str]:
    """Yield the reasons why no machine would take a label, a clause each."""
    for fault in property_faults(metadata):
        feature = f"{fault.namespace} :: {fault.feature}"
        match fault:
            case FeatureUnknown():
                problem = f"no provider of {fault.namespace} reports {feature}"
                meant = fault.close
            case ValuesUnknown():
                problem = f"no machine has {feature} :: {' or '.join(fault.values)}"
                known = known_values(metadata, fault.namespace, fault.feature)
                meant = closest(fault.values[0], known) or ""
                if not meant and 0 < len(known) <= _FEW:
                    problem += f": its values are {', '.join(known)}"
            case SeveralValues():
                values = " and ".join(fault.values)
                problem = f"{feature} can have one value, and has {values}"
                meant = ""
            case ValuesUnlisted():
                continue  # machines report them
            case _:
                assert_never(fault)
        question = f", did you mean {meant}?" if meant else ""
        yield f"{problem}{question} (--lenient to accept)"


def json_bytes(metadata: VariantMetadata) -> bytes:
    """Return the content of ``variant.json``, in a fixed form."""
    return (json.dumps(metadata.document, indent=2, sort_keys=True) + "\n").encode()


def _check_label(
    label: str, properties: Sequence[VariantProperty], table: VariantTable
) -> None:
    if not is_label(label):
        raise InvalidLabel(
            f"{label!a} is not a variant label",
            "a label has only a-z, 0-9, _ and full stops, for example cuda13.0",
        )
    if label == NULL_LABEL and properties:
        raise InvalidLabel(
            f"the label {NULL_LABEL} means no properties, and has {properties[0]}",
            "give the label another name, or leave out the properties",
        )
    if label != NULL_LABEL and not properties:
        known = [name for name in table.variants if name != NULL_LABEL]
        meant = f"; {table.path}: {suggestion(label, known)}" if known else ""
        raise InvalidLabel(
            f"label {label} has no properties",
            "give them with -p, or use --null for a wheel that runs everywhere" + meant,
        )


def _providers(
    namespaces: Sequence[str], table: VariantTable, *, lenient: bool
) -> dict[str, Any]:
    """Return the provider of each namespace, or none if one has none."""
    found: dict[str, Any] = {}
    for name in namespaces:
        if name in table.providers:
            found[name] = table.providers[name]
        elif (usual := usual_provider(name)) is not None:
            found[name] = usual
        elif lenient:
            return {}
        else:
            close = suggestion(name, tuple(PROVIDER_PACKAGES))
            raise InvalidLabel(
                f"namespace {name} has no published provider",
                f"{close} Or describe its provider under [variant.providers.{name}] "
                "in pyproject.toml, or use --lenient",
            )
    return found


def _document(
    namespaces: Sequence[str],
    variants: Mapping[str, Any],
    providers: Mapping[str, Any],
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "$schema": _PROVIDERS_FORMAT if providers else _PURE_FORMAT,
        "default-priorities": {"namespace": list(namespaces)},
        "variants": dict(variants),
    }
    if providers:
        document["providers"] = dict(providers)
    return document
