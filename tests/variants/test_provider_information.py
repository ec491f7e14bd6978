"""Who answers for a namespace, read from metadata."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.variant_data import decoded, document
from polylock.variants.variant_json import VariantMetadata


def test_provider_that_is_not_asked_has_lists_of_its_own_alone() -> None:
    """``install-time = false`` means static lists, even where there are none."""
    found = VariantMetadata.from_document(
        document(
            providers={"blas": {"install-time": False, "requires": []}},
        )
        | {"$schema": "https://variants-schema.example.com/v0.0.3.json"}
    )
    assert found.providers is not None
    assert found.providers["blas"].static_properties == {}


def test_pure_pep_825_says_nothing_of_providers() -> None:
    """Without the key ``providers`` there is no provider information."""
    raw = document()
    del raw["providers"]
    raw["$schema"] = "https://variants-schema.example.com/peps/825/v0.1.1.json"
    assert VariantMetadata.from_document(raw).providers is None


@pytest.mark.parametrize("place", ["provider", "priorities"])
def test_feature_order_says_the_order_of_static_features(place: str) -> None:
    """Static features are ordered by the provider or by the default priorities."""
    provider: dict[str, Any] = {"static-properties": {"a": ["1"], "b": ["1"]}}
    priorities: dict[str, Any] = {"namespace": ["blas"]}
    if place == "provider":
        provider["feature-order"] = ["b", "a"]
    else:
        priorities["feature"] = {"blas": ["b", "a"]}
    found = decoded(
        providers={"blas": provider}, default_priorities=priorities, variants={}
    )
    assert found.providers is not None
    assert list(found.providers["blas"].static_properties or ()) == ["b", "a"]


def test_static_lists_need_no_provider() -> None:
    """Static lists at top level count for a namespace without provider information."""
    raw = document(static_properties={"blas": {"b": ["1"], "a": ["1"]}})
    del raw["providers"]
    found = VariantMetadata.from_document(raw)
    assert found.providers is not None
    assert found.providers["blas"].static_properties == {"a": ("1",), "b": ("1",)}


def test_built_in_provider_may_have_a_name() -> None:
    """``builtin`` is true or a name."""
    found = decoded(providers={"x86_64": {"builtin": "x86_64"}})
    assert found.providers is not None
    assert found.providers["x86_64"].builtin
