"""Why a project has no candidate that can be pinned, as data.

A run of the engine that fails leaves it; the words are made in ``polylock.explain``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.resolution.constraints import identifier_of, split_identifier
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.resolution.candidates import AnyCandidate
    from polylock.resolution.provider import Information

__all__ = ["Refutation", "Rejected"]


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
