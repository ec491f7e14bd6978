"""Requirements by the extra without which they hold nowhere.

Most requirements of an extra are ``... and extra == 'name'``. To evaluate each of them
for each extra is quadratic: seconds for the 400 extras that real metadata has, minutes
for the thousands that hostile metadata may have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.model.markers import Combination

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.markers import MarkerExpression
    from polylock.model.requirements import Requirement

__all__ = ["ByExtra"]


class ByExtra:
    """Finds the requirements that may hold under an extra; each metadata once a run."""

    def __init__(self) -> None:
        self._tables: dict[int, tuple[CoreMetadata, _Table]] = {}

    def positions(self, metadata: CoreMetadata, extra: str) -> list[int]:
        """Return the positions of the requirements that may hold under an extra.

        With no extra these are all that may hold without one; with an extra only those
        whose marker names one.
        """
        known = self._tables.get(id(metadata))
        if known is None:
            known = metadata, _Table(metadata.requires_dist)
            self._tables[id(metadata)] = known
        return known[1].positions(extra)


class _Table:
    """The positions of one list of requirements."""

    def __init__(self, requirements: Sequence[Requirement]) -> None:
        self._others: list[int] = []
        self._naming: list[int] = []
        self._confined: dict[str, list[int]] = {}
        for position, requirement in enumerate(requirements):
            marker = requirement.marker_expression
            extra = None if marker is None else _confining(marker)
            if extra:
                self._confined.setdefault(extra, []).append(position)
                continue
            self._others.append(position)
            if "extra" in requirement.marker:
                self._naming.append(position)

    def positions(self, extra: str) -> list[int]:
        if not extra:
            return self._others
        confined = self._confined.get(canonicalize_name(extra), [])
        return sorted([*self._naming, *confined]) if self._naming else confined


def _confining(marker: MarkerExpression) -> str | None:
    """Return the extra without which a marker is false, None where there is none."""
    if isinstance(marker, Combination):
        if marker.operator == "or":
            return None
        found = (_confining(operand) for operand in marker.operands)
        return next((extra for extra in found if extra), None)
    if (marker.field, marker.operator) == ("extra", "=="):
        return canonicalize_name(marker.value)
    return None
