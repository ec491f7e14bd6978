"""ABI dependencies: labels built against a version of another project (PEP 850).

A property ``abi_dependency :: torch :: 2.9`` means that a wheel works with
``torch==2.9.*``; several for one project mean that it works with any of them. The
solver decides which one holds, so a label is expanded into alternatives with one value
for each project.
"""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName, canonicalize_name

from polylock.values import Value
from polylock.variants.properties import VariantProperty
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from polylock.variants.ordering import DeferredFeature

__all__ = ["AbiNeed", "InvalidAbiDependency", "alternatives", "is_release"]

_RELEASE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,2}")
_MOST_ALTERNATIVES = 100


def is_release(value: str) -> bool:
    """Return True if a value is a release of up to three numbers (PEP 850)."""
    return _RELEASE.fullmatch(value) is not None


class InvalidAbiDependency(ValueError):
    """ABI dependencies that no installation can meet; the message is a clause."""


class AbiNeed(Value, frozen=True):
    """A property of ``abi_dependency``, its feature as the metadata spells it."""

    feature: str
    value: str

    @property
    def name(self) -> NormalizedName:
        """Return the project; PEP 825 forbids the hyphens of its name in features."""
        return canonicalize_name(self.feature)

    @property
    def specifier(self) -> str:
        """Return the specifier that the version must meet (PEP 850)."""
        return f"=={self.value}.*"

    @property
    def property(self) -> VariantProperty:
        """Return the property as the metadata has it."""
        return VariantProperty(ABI_DEPENDENCY, self.feature, self.value)

    def order(self, *, lowest_first: bool) -> tuple[float, ...]:
        """Return a sort key: the newest, or the lowest, release first.

        The less specific sorts before the more specific, as in variantlib.
        """
        parts = [int(part) for part in self.value.split(".")]
        parts = parts if lowest_first else [-part for part in parts]
        return (*parts, *[-math.inf] * (3 - len(parts)))


def alternatives(features: Iterable[DeferredFeature]) -> list[tuple[AbiNeed, ...]]:
    """Return each way to meet the ABI dependencies of a label, one need per project.

    A label without ABI dependencies has one alternative, without needs. Raises
    InvalidAbiDependency if there is none, or more than a hundred.
    """
    needs = []
    count = 1
    for found in sorted(features, key=lambda found: found.feature):
        fitting = [
            AbiNeed(found.feature, value)
            for value in dict.fromkeys(found.values)
            if is_release(value)
        ]
        if not fitting:
            shown = ", ".join(found.values)
            raise InvalidAbiDependency(
                f"needs {ABI_DEPENDENCY} :: {found.feature} :: {shown}, which is "
                "not a release of up to three numbers"
            )
        count *= len(fitting)
        if count > _MOST_ALTERNATIVES:
            raise InvalidAbiDependency(
                f"its ABI dependencies can be met in more than {_MOST_ALTERNATIVES} "
                "ways"
            )
        needs.append(fitting)
    return list(itertools.product(*needs))
