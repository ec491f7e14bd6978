"""Properties that no machine supports, by the tables of the providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.variant_data import DATA, metadata
from polylock.project.presets import preset_names
from polylock.project.targets import parse_targets
from polylock.providers.derive import build_target
from polylock.variants.property_checks import (
    FeatureUnknown,
    SeveralValues,
    ValuesUnknown,
    ValuesUnlisted,
    property_faults,
)
from polylock.variants.variant_json import VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Sequence


def found(
    namespace: str,
    feature: str,
    values: Sequence[str],
    **provider: Any,  # noqa: ANN401 - JSON values
) -> list[object]:
    """Return the faults of a label with one feature."""
    document: dict[str, Any] = {
        "$schema": "https://example.com/v0.0.3.json",
        "default-priorities": {"namespace": [namespace]},
        "variants": {"one": {namespace: {feature: list(values)}}},
    }
    if provider:
        document["providers"] = {namespace: provider}
    return list(property_faults(VariantMetadata.from_document(document)))


@pytest.mark.parametrize(
    ("namespace", "feature", "value"),
    [
        ("nvidia", "cuda_version_lower_bound", "12.21"),
        ("nvidia", "cuda_version_lower_bound", "10.2"),
        ("nvidia", "cuda_version_upper_bound", "11.0"),
        ("nvidia", "sm_arch", "90"),
        ("nvidia", "sm_arch", "89_virtual"),
        ("nvidia", "sm_arch", "37_real"),
        ("x86_64", "level", "4"),
        ("x86_64", "avx2", "true"),
        ("aarch64", "version", "8.2"),
        ("amd", "gfx_arch", "90a"),
        ("amd", "rocm_version", "6.4.1"),
        ("intel", "device_ip", "20.1"),
        ("tpu", "present", "on"),
    ],
)
def test_values_of_no_machine_are_found(
    namespace: str, feature: str, value: str
) -> None:
    """Each is spelled in a way that looks right."""
    assert found(namespace, feature, [value]) == [
        ValuesUnknown(
            label="one",
            namespace=namespace,
            feature=feature,
            values=(value,),
            is_all=True,
        )
    ]


def test_unknown_values_beside_known_ones_are_named_alone() -> None:
    """The label can still be installed."""
    (fault,) = found("nvidia", "sm_arch", ["90", "90_real", "100"])
    assert isinstance(fault, ValuesUnknown)
    assert fault.values == ("90", "100")
    assert not fault.is_all


def test_unknown_feature_suggests_the_near_one() -> None:
    """No machine supports any value of it, so its values are not judged."""
    (fault,) = found("x86_64", "levle", ["v99"])
    assert isinstance(fault, FeatureUnknown)
    assert fault.close == "level"


def test_static_properties_are_the_only_values() -> None:
    """PEP 850, "Providers", step 2: tools "MUST use the static lists exclusively"."""
    static = {"static-properties": {"level": ["v9"]}}
    assert found("x86_64", "level", ["v9"], **static) == []
    (fault,) = found("x86_64", "level", ["v3"], **static)
    assert isinstance(fault, ValuesUnknown)
    assert fault.is_static


def test_namespace_of_another_provider_is_not_judged() -> None:
    """Its package may give the names another meaning."""
    assert found("x86_64", "anything", ["9"], requires=["other-provider"]) == []
    assert found("mine", "anything", ["9"]) == []


def test_several_values_are_only_for_features_that_allow_them() -> None:
    """PEP 850, ``multi_value``: "it is an error to specify multiple values"."""
    (fault,) = found("amd", "rocm_version", ["6.3", "6.4"])
    assert isinstance(fault, SeveralValues)
    assert found("amd", "gfx_arch", ["gfx90a", "gfx942"]) == []


def test_values_that_the_provider_does_not_list_may_be_supported() -> None:
    """amd-variant-provider reports what rocm_agent_enumerator shows."""
    (fault,) = found("amd", "gfx_arch", ["gfx90a", "gfx950"])
    assert isinstance(fault, ValuesUnlisted)
    assert fault.values == ("gfx950",)


@pytest.mark.parametrize("name", preset_names())
def test_what_a_machine_supports_is_never_called_impossible(name: str) -> None:
    """Each value of each preset is one that a label may need."""
    table = {"preset": name, "python": "3.13"}
    (description,) = parse_targets(
        {"one": table},
        path="presets",
        default_python=None,
        reserved=(),
        requires_python="",
    )
    for namespace, features in build_target(description).derived.namespaces.items():
        for feature, values in features.items():
            for value in values:
                wrong = [
                    fault
                    for fault in found(namespace, feature, [value])
                    if not isinstance(fault, ValuesUnlisted)
                ]
                assert wrong == [], (feature, value)


@pytest.mark.parametrize(
    "name",
    [
        path.name.removesuffix("-variants.json")
        for path in sorted((DATA / "published").glob("*-variants.json"))
    ],
)
def test_published_metadata_has_only_values_that_some_machine_supports(
    name: str,
) -> None:
    """So its labels are all installed somewhere."""
    faults = [
        fault
        for fault in property_faults(metadata(name))
        if not isinstance(fault, ValuesUnlisted)
    ]
    assert faults == []
