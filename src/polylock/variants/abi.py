"""Labels that are built against a version of another project (PEP 850).

A property ``abi_dependency :: torch :: 2.9`` says that a wheel works with
``torch==2.9.*``, and several of one project that it works with any of these. Which of
them holds is the solver's to say, so a label is laid out into alternatives here, each
of which takes one value for each project.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.variants.properties import VariantProperty
from polylock.variants.variant_schema import ABI_DEPENDENCY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.utils import NormalizedName

    from polylock.variants.ordering import DeferredFeature

__all__ = ["AbiNeed", "InvalidAbiDependency", "alternatives"]

_RELEASE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,2}")
_ALTERNATIVES_AT_MOST = 100


class InvalidAbiDependency(ValueError):
    """The properties cannot hold whatever is installed; the text is a clause."""


@dataclass(frozen=True, slots=True)
class AbiNeed:
    """A property of ``abi_dependency``, its feature as the metadata spells it."""

    feature: str
    value: str

    @property
    def name(self) -> NormalizedName:
        """Return the project: PEP 825 bars the hyphens of its name from features."""
        return canonicalize_name(self.feature)

    @property
    def specifier(self) -> str:
        """Return what the version must meet, "same as the =={value}.* specifier"."""
        return f"=={self.value}.*"

    @property
    def property(self) -> VariantProperty:
        """Return the property as it stands in the metadata."""
        return VariantProperty(ABI_DEPENDENCY, self.feature, self.value)

    def order(self, *, lowest_first: bool) -> tuple[float, ...]:
        """Return a sort key: the newest, or the lowest, release first.

        The less specific goes before the more specific, as variantlib has it.
        """
        parts = [int(part) for part in self.value.split(".")]
        parts = parts if lowest_first else [-part for part in parts]
        return (*parts, *[-math.inf] * (3 - len(parts)))


def alternatives(features: Iterable[DeferredFeature]) -> list[tuple[AbiNeed, ...]]:
    """Return each way to meet the ABI dependencies of a label, one need a project.

    There is one without needs where the label has none. Raises InvalidAbiDependency
    where there is no way, or more than a hundred.
    """
    needs = []
    count = 1
    for found in sorted(features, key=lambda found: found.feature):
        fitting = [
            AbiNeed(found.feature, value)
            for value in dict.fromkeys(found.values)
            if _RELEASE.fullmatch(value)
        ]
        if not fitting:
            shown = ", ".join(found.values)
            raise InvalidAbiDependency(
                f"needs {ABI_DEPENDENCY} :: {found.feature} :: {shown}, which is no "
                "release of up to three numbers"
            )
        count *= len(fitting)
        if count > _ALTERNATIVES_AT_MOST:
            raise InvalidAbiDependency(
                f"its ABI dependencies can be met in more than {_ALTERNATIVES_AT_MOST} "
                "ways"
            )
        needs.append(fitting)
    return list(itertools.product(*needs))
