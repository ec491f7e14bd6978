"""The variant preferences of a target: its own keys, and those of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.variants.ordering import VariantPreferences

if TYPE_CHECKING:
    from polylock.model.inputs import Inputs
    from polylock.model.target import TargetDescription

__all__ = ["preferences_of"]


def preferences_of(inputs: Inputs, target: TargetDescription) -> VariantPreferences:
    """Return the preferences of a target: its own keys, else those of the project.

    An empty list in ``require_variants`` of the target removes the requirement.
    """
    exclude, prefer = target.exclude_variants, target.prefer_variants
    required = {**inputs.require_variants, **target.require_variants}
    return VariantPreferences.parse(
        inputs.exclude_variants if exclude is None else exclude,
        inputs.prefer_variants if prefer is None else prefer,
        {name: patterns for name, patterns in sorted(required.items()) if patterns},
    )
