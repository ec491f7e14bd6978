"""Why one label goes before another."""

from __future__ import annotations

import pytest

from polylock.variants.ordering import VariantPattern
from polylock.variants.properties import VariantProperty
from polylock.variants.verdicts import LabelLost, preferred_by, why_before

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
