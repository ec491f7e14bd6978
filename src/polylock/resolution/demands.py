"""What is asked of each project during a search, by whom, and what that leaves of it.

Who asks is kept as a mask: bit n stands for the n-th decision of the search, no bit for
the project itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.utils import NormalizedName

    from polylock.resolution.availability import Availability

__all__ = ["Demands"]

_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class _Demand:
    """What one requirement, or the label of a wheel, asks of a project.

    ``cause`` is the mask of the decisions that it comes from, ``mask`` that of the
    versions which this demand and those before it leave, ``_UNKNOWN`` as long as none
    of them ``requires`` the project: a label only has a say in its version. A demand
    ``narrows`` if it left out a version, and is ``needed`` if without it the project
    would have more to choose from or less to give; if it is neither it is never to
    blame.
    """

    specifier: str
    cause: int
    mask: int
    requires: bool
    extras: tuple[str, ...]
    narrows: bool
    needed: bool


class Demands:
    """The demands of a search; those that came last are taken back first."""

    def __init__(self, availability: Availability) -> None:
        self._availability = availability
        self._demands: dict[NormalizedName, list[_Demand]] = {}

    def required(self) -> Iterator[NormalizedName]:
        """Yield the projects that some demand requires."""
        return (name for name in self._demands if self.is_required(name))

    def is_required(self, name: NormalizedName) -> bool:
        """Say whether any demand requires a project."""
        return any(demand.requires for demand in self._demands.get(name, ()))

    def extras(self, name: NormalizedName) -> dict[str, None]:
        """Return the extras that are asked of a project."""
        demands = self._demands.get(name, ())
        return dict.fromkeys(extra for demand in demands for extra in demand.extras)

    def requirements(
        self, name: NormalizedName
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the distinct requirements of a project: specifier and extras."""
        return iter(
            dict.fromkeys(
                (demand.specifier, demand.extras)
                for demand in self._demands[name]
                if demand.requires
            )
        )

    def mask(self, name: NormalizedName) -> int:
        """Return the versions that are left of a project that is required."""
        return self._demands[name][-1].mask

    def mask_with(self, name: NormalizedName, specifier: str) -> int | None:
        """Return what one more specifier would leave; None: no index has the project.

        Raises what the package source raises.
        """
        releases = self._availability.releases(name)
        if releases is None:
            return None
        demands = self._demands.get(name, [])
        specifiers = dict.fromkeys(demand.specifier for demand in demands)
        if specifier in specifiers and demands[-1].mask != _UNKNOWN:
            return demands[-1].mask
        return self._availability.allowed(releases, [*specifiers, specifier])

    def narrowing(self, name: NormalizedName) -> int:
        """Return who left out a version of a project."""
        demands = self._demands.get(name, ())
        return _causes(demand for demand in demands if demand.narrows)

    def needed(self, name: NormalizedName) -> int:
        """Return who made a project needed, with what it has to be."""
        return _causes(demand for demand in self._demands[name] if demand.needed)

    def require(
        self,
        name: NormalizedName,
        specifier: str,
        extras: tuple[str, ...],
        *,
        mask: int,
        cause: int,
    ) -> None:
        """Require a project, of which the mask of versions is left then."""
        demands = self._demands.setdefault(name, [])
        narrows = mask != demands[-1].mask if demands else bool(specifier)
        new = not self.extras(name).keys() >= set(extras)
        first = not self.is_required(name)
        demands.append(
            _Demand(
                specifier=specifier,
                cause=cause,
                mask=mask,
                requires=True,
                extras=extras,
                narrows=narrows,
                needed=narrows or new or first,
            )
        )

    def narrow(
        self, name: NormalizedName, specifier: str, *, mask: int | None, cause: int
    ) -> None:
        """Have a say in the version of a project; no mask where nobody requires it."""
        self._demands.setdefault(name, []).append(
            _Demand(
                specifier=specifier,
                cause=cause,
                mask=_UNKNOWN if mask is None else mask,
                requires=False,
                extras=(),
                narrows=True,
                needed=True,
            )
        )

    def withdraw(self, name: NormalizedName) -> None:
        """Take back the last demand on a project."""
        self._demands[name].pop()


def _causes(demands: Iterable[_Demand]) -> int:
    causes = 0
    for demand in demands:
        causes |= demand.cause
    return causes
