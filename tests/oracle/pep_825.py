"""PEP 825, "Variant ordering", implemented step by step for comparison.

It uses no code of polylock. The machine is given as ordered lists, namespace to
feature to values; a variant as in ``variant.json``, namespace to feature to values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Variant", "compatible", "ordered"]


Triple = tuple[str, str, str]


def compatible(
    properties: Mapping[str, Mapping[str, Sequence[str]]],
    machine: Mapping[str, Mapping[str, Sequence[str]]],
    namespaces: Sequence[str],
) -> bool:
    """Return True if at least one value of every feature is supported.

    A namespace that the priorities do not list has no place in the order, and
    ``default-priorities.namespace`` MUST contain all namespaces in use.
    """
    for namespace, features in properties.items():
        for feature, values in features.items():
            if namespace not in namespaces:
                return False
            offered = machine.get(namespace, {}).get(feature, ())
            if not any(value in offered for value in values):
                return False
    return True


@dataclass(frozen=True)
class Variant:
    """A label and its properties, comparable on one machine."""

    label: str
    properties: Mapping[str, Mapping[str, Sequence[str]]]
    namespace_order: Sequence[str]
    value_order: Mapping[str, Mapping[str, Sequence[str]]]

    def best_properties(self) -> list[Triple]:
        """Step 4: the value of each feature that stands first in the machine's list."""
        best = []
        for namespace, features in self.properties.items():
            for feature, values in features.items():
                for offered in self.value_order[namespace][feature]:
                    if offered in values:
                        best.append((namespace, feature, offered))
                        break
                else:
                    raise AssertionError(f"{self.label} should have been left out")
        return best

    def key(self, triple: Triple) -> tuple[int, int, int]:
        """Step 5: the places of namespace, feature and value in their lists."""
        namespace, feature, value = triple
        return (
            list(self.namespace_order).index(namespace),
            list(self.value_order[namespace]).index(feature),
            list(self.value_order[namespace][feature]).index(value),
        )

    def keys(self) -> list[tuple[int, int, int]]:
        """Step 6: the keys of the best properties, ascending."""
        return sorted(self.key(triple) for triple in self.best_properties())

    def __lt__(self, other: Variant) -> bool:
        """Step 7: the first difference decides, then more keys, then the label."""
        mine, theirs = self.keys(), other.keys()
        for one, another in zip(mine, theirs, strict=False):
            if one != another:
                return one < another
        if len(mine) != len(theirs):
            return len(mine) > len(theirs)
        return self.label < other.label


def ordered(
    variants: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]],
    machine: Mapping[str, Mapping[str, Sequence[str]]],
    namespaces: Sequence[str],
) -> list[str]:
    """Return the labels that fit the machine, the best first."""
    fitting = [
        Variant(label, properties, namespaces, machine)
        for label, properties in variants.items()
        if compatible(properties, machine, namespaces)
    ]
    return [variant.label for variant in sorted(fitting)]
