"""Targets to their records and back."""

from __future__ import annotations

import pytest

from fakes.resolutions import Lists, make_target
from polylock.lockfile.recorded_targets import locked_target, record_target

DERIVED: Lists = {
    "x86_64": {"level": ("v3", "v2"), "avx2": ("on",)},
    "nvidia": {"sm_arch": ("90_real",)},
}


@pytest.mark.parametrize(
    ("platform", "python"),
    [
        ("linux-x86_64", "3.12"),
        ("linux-aarch64", "3.12.7"),
        ("macos-aarch64", "3.13t"),
        ("windows-x86_64", "pypy3.11"),
    ],
)
def test_locked_target_is_the_target_that_was_recorded(
    platform: str, python: str
) -> None:
    """Name, environment, tags and both kinds of lists come back, in their order."""
    target = make_target(
        "t", platform, python, stated={"amd": {}, "z": {"b": ("1",)}}, derived=DERIVED
    )

    again = locked_target(record_target(target))

    assert again.name == "t"
    assert again.marker_environment == target.marker_environment
    assert again.tags == target.tags
    assert again.stated == target.stated
    assert list(again.derived.features("x86_64").items()) == list(
        DERIVED["x86_64"].items()
    )
    assert record_target(again) == record_target(target)
