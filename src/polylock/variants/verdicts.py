"""Why one label of a release goes before another, in words."""

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
) -> str:
    """Say why a label goes before another by PEP 825's comparison of properties.

    ``winning`` and ``losing`` are the best supported properties of both, the
    weightiest first (``RankedLabel.decided_by``). The answer is a clause about the
    loser: ``lost to cu13 on nvidia :: sm_arch: 90_real is preferred to 80_real``.
    """
    for one, other in zip(winning, losing, strict=False):
        if one == other:
            continue
        feature = f"{one.namespace} :: {one.feature}"
        if (one.namespace, one.feature) == (other.namespace, other.feature):
            return (
                f"lost to {winner} on {feature}: "
                f"{one.value} is preferred to {other.value}"
            )
        return (
            f"lost to {winner} on {feature}, which weighs more than "
            f"{other.namespace} :: {other.feature}: {winner} has {one.value}, "
            "this one asks for none"
        )
    if len(winning) > len(losing):
        more = winning[len(losing)]
        besides = " besides" if losing else ", while this one has no property"
        return f"lost to {winner}, which has {more}{besides}"
    return (
        f"lost to {winner}, which comes first by its name: their properties are "
        "worth the same"
    )


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
