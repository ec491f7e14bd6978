"""Who answers for a namespace, in the order of PEP 850."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.variant_data import metadata
from polylock.variants.authority import (
    namespaces_without_provider,
    supported_properties,
)
from polylock.variants.properties import SupportedProperties
from polylock.variants.variant_json import VariantMetadata

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING = SupportedProperties()
DERIVED = SupportedProperties({"nvidia": {"sm_arch": ("90_real",)}})
STATED = SupportedProperties({"nvidia": {"sm_arch": ("80_real",)}})


def make(provider: dict[str, Any] | None, namespace: str = "nvidia") -> VariantMetadata:
    """Return metadata of one label that uses a namespace with this provider."""
    document: dict[str, Any] = {
        "$schema": "https://variants-schema.example.com/peps/850/v0.2.0.json",
        "default-priorities": {"namespace": [namespace]},
        "variants": {"a": {namespace: {"sm_arch": ["90_real"]}}},
    }
    if provider is not None:
        document["providers"] = {namespace: provider}
    return VariantMetadata.from_document(document)


def answer(
    provider: dict[str, Any] | None,
    *,
    stated: SupportedProperties = NOTHING,
    derived: SupportedProperties = DERIVED,
    enabled: tuple[str, ...] = (),
    holds: Callable[[str], bool] = bool,
) -> dict[str, Any]:
    """Return the features that count for the namespace ``nvidia``."""
    found = supported_properties(
        make(provider),
        stated=stated,
        derived=derived,
        enabled_providers=enabled,
        holds=holds,
    )
    return dict(found.features("nvidia"))


KNOWN = {"requires": ["nvidia-variant-provider >=0.0.2"]}
STATIC = {"static-properties": {"sm_arch": ["70_real"]}}


def test_optional_provider_is_off_until_enabled() -> None:
    """An optional provider supports nothing, whoever could answer, until enabled."""
    optional = {**STATIC, "optional": True}
    assert answer(optional, stated=STATED) == {}
    assert answer(optional, enabled=("nvidia",)) == {"sm_arch": ("70_real",)}


def test_static_properties_come_before_the_user() -> None:
    """Static lists in the metadata count exclusively."""
    assert answer(STATIC, stated=STATED) == {"sm_arch": ("70_real",)}


def test_user_comes_before_the_built_in_provider() -> None:
    """The user's list counts exclusively where the metadata has none."""
    assert answer(KNOWN, stated=STATED) == {"sm_arch": ("80_real",)}


def test_user_may_say_that_nothing_is_supported() -> None:
    """An empty list of the user is an answer too."""
    assert answer(KNOWN, stated=SupportedProperties({"nvidia": {}})) == {}


@pytest.mark.parametrize("provider", [None, KNOWN, {"builtin": True}])
def test_built_in_provider_answers_for_packages_it_stands_for(
    provider: dict[str, Any] | None,
) -> None:
    """What is derived counts without provider information, and for known packages."""
    assert answer(provider) == {"sm_arch": ("90_real",)}


OURS = "nvidia-variant-provider"
API = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"


@pytest.mark.parametrize(
    "provider",
    [
        {"requires": [f"{OURS} >=0.0.2,<1.0.0"], "plugin-api": API},
        {"requires": [f"{OURS} >0.5"]},
        {"requires": [f"{OURS} ==0.0.3.dev1"]},
        {"requires": ["other; os_name == 'nt'", f"{OURS}; os_name == 'posix'"]},
        {"requires": ["other", OURS], "plugin-api": API},
        {"requires": [OURS, "other >=9"]},
    ],
)
def test_built_in_provider_answers_for_a_list_of_packages(
    provider: dict[str, Any],
) -> None:
    """The plugin is that of ``plugin-api``, else of the first package that remains.

    PEP 850, "Provider information": ``requires`` is "a list of one or more package
    dependency specifiers", "and the requirements for which the markers evaluate to
    false are filtered out".
    """
    assert answer(provider, holds=lambda marker: "posix" in marker) == {
        "sm_arch": ("90_real",)
    }


@pytest.mark.parametrize(
    "provider",
    [
        {"requires": ["nvidia-lookalike", OURS]},
        {"requires": ["nvidia-lookalike"], "plugin-api": API},
        {"requires": [f"{OURS} >=1.0"]},
        {"requires": [f"{OURS} >=0.0.2,<0.0.1"]},
        {"requires": [OURS], "plugin-api": "nvidia_variant_provider.v2:Plugin"},
        {"requires": [f"{OURS}; os_name == 'nt'"]},
        {"requires": [f"{OURS}; os_name == 'nt'", "other; os_name == 'posix'"]},
        {"requires": [f"{OURS} @ https://example.com/a.whl"]},
    ],
)
def test_built_in_provider_is_silent_for_another_plugin(
    provider: dict[str, Any],
) -> None:
    """A plugin of another package, version or name may mean something else.

    PEP 850, "Provider information": "the first dependency that remains after filtering
    MUST always evaluate to the same default ``plugin-api`` value".
    """
    assert answer(provider, holds=lambda marker: "posix" in marker) == {}
    found = make(provider)
    unanswered = namespaces_without_provider(
        found, stated=NOTHING, holds=lambda marker: "posix" in marker
    )
    assert unanswered == ("nvidia",)


@pytest.mark.parametrize(
    ("namespace", "package"),
    [
        ("x86_64", "provider-variant-x86-64"),
        ("x86_64", "x86-64-variant-provider"),
        ("aarch64", "Provider_Variant.AArch64"),
        ("aarch64", "aarch64-variant-provider"),
        ("amd", "amd-variant-provider"),
        ("intel", "intel-variant-provider"),
        ("ascend", "huawei-ascend-variant-provider"),
        ("ascend", "ascend-variant-provider"),
        ("tpu", "tpu-variant-provider"),
    ],
)
def test_known_packages(namespace: str, package: str) -> None:
    """Every published spelling of a provider's package is recognised."""
    derived = SupportedProperties({namespace: {"feature": ("value",)}})
    found = make({"requires": [package]}, namespace)
    supported = supported_properties(found, stated=NOTHING, derived=derived, holds=bool)
    assert supported.features(namespace) == {"feature": ("value",)}
    assert namespaces_without_provider(found, stated=NOTHING, holds=bool) == ()


def test_namespaces_are_those_of_the_metadata() -> None:
    """What the metadata does not list does not count."""
    derived = SupportedProperties({"amd": {"gfx_arch": ("gfx942",)}})
    supported = supported_properties(
        make(None), stated=NOTHING, derived=derived, holds=bool
    )
    assert supported.namespaces == {}


def test_nobody_may_answer_for_abi_dependency() -> None:
    """The reserved namespace has no provider, not even the user."""
    found = make(None, "abi_dependency")
    stated = SupportedProperties({"abi_dependency": {"torch": ("2.9",)}})
    supported = supported_properties(found, stated=stated, derived=NOTHING, holds=bool)
    assert supported.namespaces == {}
    assert namespaces_without_provider(found, stated=NOTHING, holds=bool) == ()


def test_priorities_of_the_drafts_reorder_what_is_derived() -> None:
    """Listed features and values come first, the rest keeps its order."""
    found = VariantMetadata.from_document(
        {
            "$schema": "https://variants-schema.example.com/v0.0.3.json",
            "default-priorities": {
                "namespace": ["nvidia"],
                "feature": {"nvidia": ["sm_arch", "unknown"]},
                "property": {"nvidia": {"sm_arch": ["80_real"]}},
            },
            "variants": {},
        }
    )
    derived = SupportedProperties(
        {"nvidia": {"cuda": ("13", "12"), "sm_arch": ("90_real", "80_real", "70_real")}}
    )
    supported = supported_properties(found, stated=NOTHING, derived=derived, holds=bool)
    assert list(supported.features("nvidia").items()) == [
        ("sm_arch", ("80_real", "90_real", "70_real")),
        ("cuda", ("13", "12")),
    ]


def test_unanswered_names_a_provider_that_nobody_knows() -> None:
    """A namespace with an unknown package is named, unless the user states it."""
    unknown = make({"requires": ["strange-provider"]}, "strange")
    assert namespaces_without_provider(unknown, stated=NOTHING, holds=bool) == (
        "strange",
    )
    stated = SupportedProperties({"strange": {}})
    assert namespaces_without_provider(unknown, stated=stated, holds=bool) == ()


def test_unanswered_leaves_out_what_is_off_or_unused() -> None:
    """A provider that is switched off, and a namespace no label uses, are no loss."""
    off = make({"requires": ["strange-provider"], "optional": True}, "strange")
    assert namespaces_without_provider(off, stated=NOTHING, holds=bool) == ()
    assert namespaces_without_provider(
        off, stated=NOTHING, enabled_providers=["strange"], holds=bool
    ) == ("strange",)
    assert (
        namespaces_without_provider(
            metadata("torch-2.10.0"), stated=NOTHING, holds=bool
        )
        == ()
    )


def test_provider_of_a_draft_without_lists_supports_nothing() -> None:
    """``install-time = false`` without static lists leaves the label unsupported."""
    found = VariantMetadata.from_document(
        {
            "$schema": "https://variants-schema.example.com/v0.0.3.json",
            "default-priorities": {"namespace": ["nvidia"]},
            "providers": {"nvidia": {"install-time": False, "requires": []}},
            "variants": {},
        }
    )
    supported = supported_properties(found, stated=STATED, derived=DERIVED, holds=bool)
    assert supported.features("nvidia") == {}


@pytest.mark.parametrize("asked", [True, False])
def test_enable_if_of_a_draft_disables_a_provider(asked: bool) -> None:  # noqa: FBT001 - a parameter
    """Where the marker is false, the provider supports nothing, and nobody may answer.

    PEP 850, "Providers", step 1: "If a provider is disabled, the tools MUST assume that
    the list of compatible features is empty".
    """
    found = VariantMetadata.from_document(
        {
            "$schema": "https://variants-schema.example.com/v0.0.3.json",
            "default-priorities": {"namespace": ["nvidia"]},
            "providers": {
                "nvidia": {
                    "enable-if": "platform_system == 'Linux'",
                    "requires": [OURS],
                }
            },
            "variants": {"a": {"nvidia": {"sm_arch": ["90_real"]}}},
        }
    )
    supported = supported_properties(
        found, stated=STATED, derived=DERIVED, holds=lambda _: asked
    )
    assert dict(supported.features("nvidia")) == (
        {"sm_arch": ("80_real",)} if asked else {}
    )
    assert (
        namespaces_without_provider(found, stated=NOTHING, holds=lambda _: asked) == ()
    )
