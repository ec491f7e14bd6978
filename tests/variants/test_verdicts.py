"""Why one label goes before another, in words."""

from __future__ import annotations

import pytest

from polylock.variants.ordering import VariantPattern
from polylock.variants.properties import VariantProperty
from polylock.variants.verdicts import preferred_by, why_before

SM90, SM80 = (VariantProperty("nvidia", "sm_arch", v) for v in ("90_real", "80_real"))
V3 = VariantProperty("x86_64", "level", "v3")
AVX = VariantProperty("x86_64", "avx2", "on")


@pytest.mark.parametrize(
    ("winning", "losing", "words"),
    [
        (
            [SM90],
            [SM80],
            "lost to w on nvidia :: sm_arch: 90_real is preferred to 80_real",
        ),
        (
            [SM90, V3],
            [SM90],
            "lost to w, which has x86_64 :: level :: v3 besides",
        ),
        (
            [V3],
            [],
            (
                "lost to w, which has x86_64 :: level :: v3, while this one has no "
                "property"
            ),
        ),
        (
            [V3],
            [AVX],
            (
                "lost to w on x86_64 :: level, which weighs more than x86_64 :: avx2: "
                "w has v3, this one asks for none"
            ),
        ),
        (
            [V3],
            [V3],
            (
                "lost to w, which comes first by its name: their properties are worth "
                "the same"
            ),
        ),
    ],
)
def test_first_difference_is_told(
    winning: list[VariantProperty], losing: list[VariantProperty], words: str
) -> None:
    """The weightiest difference decides, then more features, then the name."""
    assert why_before("w", winning, losing) == words


def test_wish_that_tells_two_labels_apart() -> None:
    """The first wish that one of them meets decides; none where the loser meets it."""
    cu12 = ("cu12", {"nvidia": {"sm_arch": ["80_real"]}})
    null: tuple[str, dict[str, dict[str, list[str]]]] = ("null", {})
    neither, wish = VariantPattern.parse("amd"), VariantPattern.parse("nvidia")
    assert preferred_by([neither, wish], cu12, null) == wish
    assert preferred_by([neither, wish], null, cu12) is None
    assert preferred_by([neither], cu12, null) is None
