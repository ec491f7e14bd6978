"""One version of a project for all targets, where that is possible.

Later targets prefer the versions of earlier ones. Where a later target had to differ,
all targets are solved again with its version preferred; the result is kept if they
agree and no more projects differ than before. Public versions are compared:
``2.9.0+cu130`` and ``2.9.0+cpu`` agree.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from polylock.errors import NoSolution
from polylock.model.pins import Preference, Resolution
from polylock.resolution.versions import public
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.resolution.problem import Unsolvable

    Preferences = Mapping[NormalizedName, Preference]
    Solve = Callable[[Preferences], Sequence[Resolution]]
    CouldTake = Callable[[NormalizedName, str, Resolution], bool]

__all__ = ["Disagreement", "Refusal", "align", "divergences"]


class Refusal(Value, frozen=True, kw_only=True):
    """A version that a target cannot take.

    ``error`` is why; None if the target can take it when it is solved by itself.
    """

    target: str
    version: str
    error: Unsolvable | None


class Disagreement(NoSolution):
    """Targets need several versions of a project, and ``align`` requires one.

    ``versions`` maps each version to its targets. ``refusals`` say why the targets of
    the first and of the last version do not take the version of the other.
    """

    project: str = ""
    versions: Mapping[str, Sequence[str]] = MappingProxyType({})
    refusals: Sequence[Refusal] = ()


def divergences(
    resolutions: Sequence[Resolution],
) -> dict[NormalizedName, dict[str, list[str]]]:
    """Return projects with several versions, by name; versions map to their targets."""
    spread: dict[NormalizedName, dict[str, list[str]]] = {}
    for resolution in resolutions:
        for name, pin in resolution.pins.items():
            versions = spread.setdefault(name, {})
            versions.setdefault(public(pin.version), []).append(resolution.target.name)
    return {name: found for name, found in sorted(spread.items()) if len(found) > 1}


def align(
    resolutions: Sequence[Resolution],
    solve: Solve,
    could_take: CouldTake,
    *,
    settled: Collection[NormalizedName] = (),
) -> Sequence[Resolution]:
    """Return resolutions in which fewer projects differ, if there are any.

    ``solve`` solves all targets with preferences that come before all others;
    ``could_take`` returns whether a target has a candidate of a version at all;
    ``settled`` are projects that differ and are left so. All projects are tried
    together first, for they often depend on each other, then one by one. A result is
    kept if the proposed projects agree in it and no more projects differ than before.
    """
    agreed_on: dict[NormalizedName, Preference] = {}
    proposals = _proposals(resolutions, could_take, settled)
    if not proposals:
        return resolutions
    attempts = [proposals]
    if len(proposals) > 1:
        attempts += [{name: version} for name, version in proposals.items()]
    for proposal in attempts:
        before = set(divergences(resolutions))
        if before.isdisjoint(proposal):
            continue
        found = solve({**agreed_on, **proposal})
        after = set(divergences(found))
        agreed = after.isdisjoint(proposal) or after < before
        if agreed and len(after) <= len(before):
            resolutions = found
            agreed_on.update(proposal)
    return resolutions


def _proposals(
    resolutions: Sequence[Resolution],
    could_take: CouldTake,
    settled: Collection[NormalizedName],
) -> dict[NormalizedName, Preference]:
    """Return for each project that differs the version that came last."""
    found: dict[NormalizedName, Preference] = {}
    for name, versions in divergences(resolutions).items():
        if name in settled:
            continue
        wanted = list(versions)[-1]
        others = [
            resolution
            for resolution in resolutions
            if name in resolution.pins
            and public(resolution.pins[name].version) != wanted
        ]
        if all(could_take(name, wanted, resolution) for resolution in others):
            found[name] = Preference(version=wanted)
    return found
