"""Why one label of a release goes before another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from polylock.variants.ordering import VariantPattern
    from polylock.variants.properties import VariantProperty

__all__ = ["LabelLost", "preferred_by", "why_before"]


class LabelLost(Value, frozen=True, kw_only=True):
    """The label fits, and another one is better.

    What decides is, in this order: the ``pattern`` of ``prefer-variants`` that the
    winner alone matches; that the loser ``is_plain``, without a label; the weightiest
    property that differs, ``winning`` against ``losing``, of which the loser has none
    where it is None; the name, where none of these is set. ``shares`` says whether
    both have weightier properties in common.
    """

    winner: str
    pattern: str = ""
    is_plain: bool = False
    winning: VariantProperty | None = None
    losing: VariantProperty | None = None
    shares: bool = False


def why_before(
    winner: str,
    winning: Sequence[VariantProperty],
    losing: Sequence[VariantProperty],
) -> LabelLost:
    """Return on what a label loses to another, by PEP 825's comparison of properties.

    ``winning`` and ``losing`` are the best supported properties of both, the
    weightiest first (``RankedLabel.decided_by``).
    """
    for one, other in zip(winning, losing, strict=False):
        if one != other:
            return LabelLost(winner=winner, winning=one, losing=other)
    if len(winning) > len(losing):
        more = winning[len(losing)]
        return LabelLost(winner=winner, winning=more, shares=bool(losing))
    return LabelLost(winner=winner)


def preferred_by(
    patterns: Sequence[VariantPattern],
    winner: tuple[str, Mapping[str, Mapping[str, Sequence[str]]]],
    loser: tuple[str, Mapping[str, Mapping[str, Sequence[str]]]],
) -> VariantPattern | None:
    """Return the first of the user's wishes that tells two labels apart.

    A label comes with its properties. None where no wish puts the winner first.
    """
    for pattern in patterns:
        wins, loses = pattern.matches(*winner), pattern.matches(*loser)
        if wins != loses:
            return pattern if wins else None
    return None
