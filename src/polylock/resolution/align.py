"""One version of a project over all targets, where that can be had.

Later targets prefer the versions of earlier ones as they are solved. Where one had to
differ, the earlier ones are asked again with its version, and if all accept it their
answer is taken, unless more projects would differ than before. Public versions count:
``2.9.0+cu130`` and ``2.9.0+cpu`` agree.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from polylock.errors import NoSolution
from polylock.model.pins import Preference
from polylock.resolution.versions import public
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.pins import Resolution
    from polylock.resolution.problem import Unsolvable

    Wishes = Mapping[NormalizedName, Preference]
    Solve = Callable[[Wishes], Sequence[Resolution]]
    CouldTake = Callable[[NormalizedName, str, Resolution], bool]

__all__ = ["Disagreement", "Refusal", "align", "divergences"]


class Refusal(Value, frozen=True, kw_only=True):
    """A target that cannot take a version; ``error`` is why, None if it could alone."""

    target: str
    version: str
    error: Unsolvable | None


class Disagreement(NoSolution):
    """Targets need several versions of a project, and ``align`` requires one.

    ``versions`` maps each to its targets. ``refusals`` are those of the first and of
    the last target, each of the version of the other.
    """

    project: str = ""
    versions: Mapping[str, Sequence[str]] = MappingProxyType({})
    refusals: Sequence[Refusal] = ()


def divergences(
    resolutions: Sequence[Resolution],
) -> dict[NormalizedName, dict[str, list[str]]]:
    """Return the projects with several versions: version to targets, sorted by name."""
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
    """Ask again with the versions of the targets that had to differ.

    ``solve`` solves all targets with wishes that go before everything else;
    ``could_take`` says whether a target has an artifact of a version at all;
    ``settled`` are projects that differ and stay so. First all
    projects are tried together, for they are often tied, then one by one. An answer is
    taken if what was asked for agrees in it and no more projects differ than before:
    a version of torch for all is worth that its CUDA libraries differ, as they must.
    """
    wishes: dict[NormalizedName, Preference] = {}
    proposals = _proposals(resolutions, could_take, settled)
    if not proposals:
        return resolutions
    attempts = [proposals]
    if len(proposals) > 1:
        attempts += [{name: wish} for name, wish in proposals.items()]
    for proposal in attempts:
        before = set(divergences(resolutions))
        if before.isdisjoint(proposal):
            continue
        found = solve({**wishes, **proposal})
        after = set(divergences(found))
        agreed = after.isdisjoint(proposal) or after < before
        if agreed and len(after) <= len(before):
            resolutions = found
            wishes.update(proposal)
    return resolutions


def _proposals(
    resolutions: Sequence[Resolution],
    could_take: CouldTake,
    settled: Collection[NormalizedName],
) -> dict[NormalizedName, Preference]:
    """Return, for each project that differs, the version of the last that differed."""
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
