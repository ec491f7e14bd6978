"""Which labels fit a machine, and in what order."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.variant_data import description, metadata, vectors
from polylock.providers.derive import build_target
from polylock.variants.authority import supported_properties
from polylock.variants.ordering import (
    LabelExcluded,
    LabelLost,
    LabelOrder,
    LabelRefusal,
    LabelUndescribed,
    PropertyUnmet,
    VariantPattern,
    VariantPreferences,
    order_labels,
    preferred_by,
    why_before,
)
from polylock.variants.properties import (
    InvalidProperty,
    SupportedProperties,
    VariantProperty,
)
from polylock.variants.variant_json import VariantMetadata

SCHEMA = "https://variants-schema.example.com/peps/825/v0.1.1.json"


def make(namespaces: list[str], variants: dict[str, Any]) -> VariantMetadata:
    """Return metadata with these priorities and variants."""
    return VariantMetadata.from_document(
        {
            "$schema": SCHEMA,
            "default-priorities": {"namespace": namespaces},
            "variants": variants,
        }
    )


def labels(order: LabelOrder) -> list[str]:
    """Return the compatible labels, best first."""
    return [ranked.label for ranked in order.compatible]


def published_order(case: str) -> tuple[list[str], list[str]]:
    """Return found and expected labels of a published file on a described machine."""
    release, machine = case.split(" | ")
    profile = vectors("derived_from_description")[machine]["profile"]
    target = build_target(description(machine, profile))
    found = metadata(release.replace(" ", "-"))
    supported = supported_properties(
        found, stated=target.stated, derived=target.derived, holds=bool
    )
    order = order_labels(found, supported, found.variants)
    return labels(order), vectors("selection")[case]


@pytest.mark.parametrize("case", vectors("selection"))
def test_published_labels_on_described_machines(case: str) -> None:
    """Each described machine takes the published labels that it should, in order."""
    found, expected = published_order(case)
    assert found == expected


LEVELS = SupportedProperties(
    {
        "x86_64": {"level": ("v3", "v2", "v1"), "avx2": ("on",)},
        "blas": {"lib": ("a", "b")},
    }
)
RELEASE = make(
    ["x86_64", "blas"],
    {
        "null": {},
        "v2": {"x86_64": {"level": ["v2"]}},
        "v3a": {"x86_64": {"level": ["v3"]}, "blas": {"lib": ["a", "z"]}},
        "v3b": {"x86_64": {"level": ["v3"]}, "blas": {"lib": ["b"]}},
        "v4": {"x86_64": {"level": ["v4"]}},
        "gpu": {"nvidia": {"sm_arch": ["90_real"]}},
        "other": {"x86_64": {"sse9": ["on"]}},
        "abi": {"abi_dependency": {"torch": ["2.9"]}, "x86_64": {"level": ["v2"]}},
    },
)


def test_ranked_label_says_what_decided() -> None:
    """A ranked label has the best value of each feature, in order of weight."""
    best = order_labels(RELEASE, LEVELS, ["v3a", "null"]).compatible[0]
    assert best.decided_by == (
        VariantProperty("x86_64", "level", "v3"),
        VariantProperty("blas", "lib", "a"),
    )


def test_properties_are_those_supported() -> None:
    """Variant markers see each supported property of the label and no other."""
    best = order_labels(RELEASE, LEVELS, ["v3a"]).compatible[0]
    assert best.properties == {("x86_64", "level", "v3"), ("blas", "lib", "a")}


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("v4", PropertyUnmet("x86_64", "level", ("v4",), ("v3", "v2", "v1"))),
        ("other", PropertyUnmet("x86_64", "sse9", ("on",))),
        ("nowhere", LabelUndescribed()),
        (
            "gpu",
            PropertyUnmet("nvidia", "sm_arch", ("90_real",), gap="priorities"),
        ),
        (
            "abi",
            PropertyUnmet("abi_dependency", "torch", ("2.9",), gap="abi"),
        ),
    ],
)
def test_rejected_label_says_why(label: str, reason: LabelRefusal) -> None:
    """A rejected label has a reason, and costs no other label its place."""
    order = order_labels(RELEASE, LEVELS, [label, "null"])
    assert [found.reason for found in order.rejected] == [reason]
    assert labels(order) == ["null"]


def test_rejection_of_an_unsupported_namespace_says_so() -> None:
    """A target without any property of a namespace is told in one clause."""
    release = make(["nvidia"], {"cu": {"nvidia": {"sm_arch": ["90_real", "80_real"]}}})
    (rejected,) = order_labels(release, SupportedProperties(), ["cu"]).rejected
    assert rejected.reason == PropertyUnmet(
        "nvidia", "sm_arch", ("90_real", "80_real"), gap="namespace"
    )


def test_weightiest_failure_is_named() -> None:
    """Of several failures the one of the first namespace and feature is named."""
    release = make(
        ["x86_64", "blas"],
        {"l": {"blas": {"lib": ["c"]}, "x86_64": {"avx2": ["off"], "level": ["v9"]}}},
    )
    (rejected,) = order_labels(release, LEVELS, ["l"]).rejected
    assert isinstance(rejected.reason, PropertyUnmet)
    assert (rejected.reason.namespace, rejected.reason.feature) == ("x86_64", "level")


def test_deferred_namespace_is_handed_back() -> None:
    """A feature of a deferred namespace neither rejects nor ranks, and is kept."""
    order = order_labels(
        RELEASE, LEVELS, ["abi", "v2"], deferred_namespaces=["abi_dependency"]
    )
    assert labels(order) == ["abi", "v2"]
    assert order.compatible[0].rank == order.compatible[1].rank
    (deferred,) = order.compatible[0].deferred
    assert (deferred.feature, deferred.values) == ("torch", ("2.9",))


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        (["x86_64"], ["null"]),
        (["blas::lib"], ["v2", "null"]),
        (["blas :: lib :: a"], ["v3b", "v2", "null"]),
        (["Demo@v3a", "other@null"], ["v3b", "v2", "null"]),
    ],
)
def test_excluded_labels_are_rejected(exclude: list[str], left: list[str]) -> None:
    """Exclusion removes what has the namespace, feature, property or label."""
    preferences = VariantPreferences.parse(exclude, []).for_project("demo")
    order = order_labels(
        RELEASE, LEVELS, ["null", "v2", "v3a", "v3b"], preferences=preferences
    )
    assert labels(order) == left
    assert {found.reason for found in order.rejected} <= {
        LabelExcluded(text) for text in exclude
    }


@pytest.mark.parametrize(
    ("prefer", "first"),
    [
        (["blas :: lib :: b"], ["v3b", "v3a", "v2", "null"]),
        (["x86_64 :: level :: v2"], ["v2", "v3a", "v3b", "null"]),
        (["demo@null", "blas :: lib :: b"], ["null", "v3b", "v3a", "v2"]),
        (["x86_64 :: level :: v4"], ["v3a", "v3b", "v2", "null"]),
    ],
)
def test_preferred_labels_come_first(prefer: list[str], first: list[str]) -> None:
    """Preference reorders what is compatible and adds nothing to it."""
    preferences = VariantPreferences.parse([], prefer).for_project("demo")
    wanted = ["null", "v2", "v3a", "v3b", "v4"]
    assert (
        labels(order_labels(RELEASE, LEVELS, wanted, preferences=preferences)) == first
    )


@pytest.mark.parametrize(
    "text", ["", "A", "a :: ", "a :: b :: c :: d", "@label", "demo@", "demo@Label"]
)
def test_pattern_is_checked(text: str) -> None:
    """Text that names neither a property nor a label is refused."""
    with pytest.raises(InvalidProperty):
        VariantPattern.parse(text)


def test_order_does_not_depend_on_the_order_of_labels() -> None:
    """The same labels in another order give the same answer."""
    wanted = list(RELEASE.variants)
    backwards = order_labels(RELEASE, LEVELS, wanted[::-1])
    assert order_labels(RELEASE, LEVELS, wanted) == backwards


SM90, SM80 = (VariantProperty("nvidia", "sm_arch", v) for v in ("90_real", "80_real"))
V3 = VariantProperty("x86_64", "level", "v3")
AVX = VariantProperty("x86_64", "avx2", "on")


@pytest.mark.parametrize(
    ("winning", "losing", "reason"),
    [
        ([SM90], [SM80], LabelLost(winner="w", winning=SM90, losing=SM80)),
        ([SM90, V3], [SM90], LabelLost(winner="w", winning=V3, shares=True)),
        ([V3], [], LabelLost(winner="w", winning=V3)),
        ([V3], [AVX], LabelLost(winner="w", winning=V3, losing=AVX)),
        ([V3], [V3], LabelLost(winner="w")),
    ],
)
def test_first_difference_is_told(
    winning: list[VariantProperty], losing: list[VariantProperty], reason: LabelLost
) -> None:
    """The weightiest difference decides, then more features, then the name."""
    assert why_before("w", winning, losing) == reason


def test_wish_that_tells_two_labels_apart() -> None:
    """The first wish that one of them meets decides; none where the loser meets it."""
    cu12 = ("cu12", {"nvidia": {"sm_arch": ["80_real"]}})
    null: tuple[str, dict[str, dict[str, list[str]]]] = ("null", {})
    neither, wish = VariantPattern.parse("amd"), VariantPattern.parse("nvidia")
    assert preferred_by([neither, wish], cu12, null) == wish
    assert preferred_by([neither, wish], null, cu12) is None
    assert preferred_by([neither], cu12, null) is None
