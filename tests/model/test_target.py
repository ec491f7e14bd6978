"""Targets as values."""

from __future__ import annotations

import pytest

from polylock.model.target import usual_platform


@pytest.mark.parametrize(
    ("platform", "usual"),
    [
        ("linux-aarch64", "linux-aarch64"),
        ("linux-x86_64", "linux-x86_64"),
        ("macos-aarch64", "macos-arm64"),
        ("macos-x86_64", "macos-x86_64"),
        ("windows-aarch64", "windows-arm64"),
    ],
)
def test_arm_is_called_as_its_system_calls_it(platform: str, usual: str) -> None:
    """Linux says aarch64, macOS and Windows say arm64."""
    assert usual_platform(platform) == usual
