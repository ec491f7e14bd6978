"""Markers of providers, evaluated for a target and never for this machine."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.resolutions import make_target
from polylock.model.target_properties import (
    namespaces_without_provider,
    supported_properties,
)
from polylock.variants.variant_json import VariantMetadata

LISTS: dict[str, dict[str, tuple[str, ...]]] = {"nvidia": {"sm_arch": ("90_real",)}}
OURS = "nvidia-variant-provider"
WINDOWS = make_target("w", "windows-x86_64", derived=LISTS)
LINUX = make_target("l", "linux-x86_64", derived=LISTS)


def made(version: str, **provider: Any) -> VariantMetadata:  # noqa: ANN401 - JSON values
    """Return metadata of one label, in a version of the format."""
    return VariantMetadata.from_document(
        {
            "$schema": f"https://variants-schema.example.com/v{version}.json",
            "default-priorities": {"namespace": ["nvidia"]},
            "providers": {
                "nvidia": {key.replace("_", "-"): v for key, v in provider.items()}
            },
            "variants": {"a": {"nvidia": {"sm_arch": ["90_real"]}}},
        }
    )


def test_a_requirement_whose_marker_is_false_for_the_target_does_not_count() -> None:
    """The plugin would be installed on the target.

    PEP 850, "Provider information": markers "are evaluated against the environment
    where the plugin is being installed".
    """
    found = made(
        "0.2.0",
        requires=[f"{OURS}; sys_platform == 'linux'", "another; os_name == 'nt'"],
    )
    assert supported_properties(found, LINUX).namespaces == LISTS
    assert supported_properties(found, WINDOWS).namespaces == {}
    assert namespaces_without_provider(found, WINDOWS) == ("nvidia",)


@pytest.mark.parametrize("version", ["0.0.2", "0.0.3"])
def test_enable_if_is_evaluated_for_the_target(version: str) -> None:
    """A key of the drafts: the provider is off where the marker is false."""
    found = made(version, requires=[OURS], enable_if="platform_system == 'Linux'")
    assert supported_properties(found, LINUX).namespaces == LISTS
    assert supported_properties(found, WINDOWS).namespaces == {}
    assert namespaces_without_provider(found, WINDOWS) == ()


def test_enable_if_means_nothing_after_the_drafts() -> None:
    """PEP 850 has no such key."""
    found = made("0.2.0", requires=[OURS], enable_if="platform_system == 'Linux'")
    assert supported_properties(found, WINDOWS).namespaces == LISTS


def test_what_a_target_leaves_open_counts_as_true() -> None:
    """The patch release of a target for Python 3.12 is not known."""
    found = made("0.2.0", requires=[f"{OURS}; python_full_version >= '3.12.4'"])
    assert supported_properties(found, LINUX).namespaces == LISTS
