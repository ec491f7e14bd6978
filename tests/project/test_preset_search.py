"""Presets found by words."""

from __future__ import annotations

import pytest

from polylock.project.preset_search import search
from polylock.project.presets import PRESETS


@pytest.mark.parametrize(
    ("words", "some", "others"),
    [
        ("h100", {"h100", "azure-nc-h100-v5"}, {"t4", "linux-x86_64"}),
        ("H100 cloud", {"azure-nc-h100-v5"}, {"h100"}),
        ("arm64", {"macos-arm64", "graviton3", "github-ubuntu-24.04-arm"}, {"t4"}),
        ("mac", {"macos-arm64", "apple-m1", "github-macos-15"}, {"gcp-a3", "t4"}),
        ("ci windows", {"github-windows-2025", "gitlab-windows"}, {"windows-x86_64"}),
        ("runner gpu", {"gitlab-linux-gpu"}, {"github-ubuntu-24.04", "t4"}),
        ("alpine", {"linux-x86_64-musl"}, {"linux-x86_64"}),
        ("laptop", {"macos-arm64", "windows-x86_64"}, {"linux-x86_64"}),
        ("server x86-64-v3", {"linux-x86_64-v3"}, {"macos-x86_64"}),
        ("gfx942", {"mi300x"}, {"h100"}),
    ],
)
def test_every_word_counts(words: str, some: set[str], others: set[str]) -> None:
    """A word is a part of a name or value, or a purpose; all have to be true."""
    found = set(search(words))
    assert some <= found
    assert not others & found


def test_no_words_mean_all_and_nonsense_none() -> None:
    """The order is that of the presets."""
    assert list(search(" ")) == list(PRESETS)
    assert not search("h100 mac")
