"""What a run of the engine leaves, as data: the pins, and why there are no others.

The words are made of it in ``polylock.explain``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.resolution.candidates import Candidate, ExtraCandidate
from polylock.resolution.constraints import (
    Unmeetable,
    identifier_of,
    split_identifier,
)
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName

    from polylock.model.reasons import Refusal
    from polylock.resolution.candidates import AnyCandidate
    from polylock.resolution.provider import Information

__all__ = ["Barred", "Found", "Refutation", "Rejected", "barred"]


class Rejected(Value, frozen=True, eq=False):
    """A candidate that was given up.

    ``information`` is what conflicts, with who requires it, ``pin`` what it conflicts
    with where that is decided. All this is empty where ``because`` says it: a project
    of which no candidate is left once this one is pinned.
    """

    candidate: AnyCandidate
    information: tuple[Information, ...] = ()
    pin: AnyCandidate | None = None
    because: Refutation | None = None


class Refutation(Value, frozen=True, eq=False):
    """A project of which no candidate could be pinned.

    ``information`` is who requires it, ``rejected`` its candidates in the order in
    which they were tried. ``requested`` gives for each identifier among the parents of
    all this what first required it, up to the project itself.
    """

    identifier: str
    information: tuple[Information, ...]
    rejected: tuple[Rejected, ...]
    requested: Mapping[str, Information]

    def names(self) -> set[str]:
        """Return the projects that have to do with it, this and those below."""
        found: set[str] = set()
        seen: set[int] = set()
        waiting: list[Refutation] = [self]
        while waiting:
            current = waiting.pop()
            if id(current) in seen:
                continue
            seen.add(id(current))
            found.add(split_identifier(current.identifier)[0])
            told = list(current.information)
            for rejected in current.rejected:
                told += rejected.information
                if rejected.because is not None:
                    waiting.append(rejected.because)
            found.update(
                split_identifier(identifier_of(i.requirement))[0] for i in told
            )
        return found


class Barred(Value, frozen=True):
    """A version that no solution has, for it leads to what cannot be had.

    ``way`` is how, as names and versions: its own first, then the best of each project
    on the way. The ``reason`` is that of the last.
    """

    position: int
    way: tuple[tuple[NormalizedName, str], ...]
    reason: Refusal


class Found(Value, frozen=True, eq=False):
    """The candidates of a solution by identifier, and the newest barred by project.

    Nothing is known to be barred where the walk was enough.
    """

    mapping: Mapping[str, AnyCandidate]
    barred: Mapping[NormalizedName, Barred] = field(default_factory=dict)


def barred(dead: Mapping[AnyCandidate, Rejected]) -> dict[NormalizedName, Barred]:
    """Return the newest version of each project that no solution has."""
    found: dict[NormalizedName, Barred] = {}
    for candidate, rejected in dead.items():
        if isinstance(candidate, Candidate):
            told = _barred(candidate, rejected)
            before = found.get(candidate.name)
            if told and (before is None or before.position < told.position):
                found[candidate.name] = told
    return found


def _barred(candidate: Candidate, rejected: Rejected) -> Barred | None:
    way: dict[tuple[NormalizedName, str], None] = {}
    while True:
        last = rejected.candidate
        base = last.base if isinstance(last, ExtraCandidate) else last
        way[base.name, base.version] = None
        for one in rejected.information:
            if isinstance(one.requirement, Unmeetable):
                return Barred(candidate.position, tuple(way), one.requirement.reason)
        following = rejected.because.rejected if rejected.because else ()
        if not following or following[0].candidate is candidate:
            return None
        rejected = following[0]
