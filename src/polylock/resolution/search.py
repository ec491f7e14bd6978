"""Search for the best pins: complete, and exact about what is best.

Projects are decided one after the other: at once those that have one candidate left,
which is no choice, then in the order of ``precedence``. Each takes the best candidate,
in the order of ``Availability.candidates``, with which a solution exists given what was
decided before it. A pin is never taken back for the sake of a later one; where a later
project has no candidate left, the search goes back to the last decision that has to do
with it (conflict-directed backjumping), and what it passes over on the way would change
nothing. So it finds a solution if there is one, and the best by that order.

resolvelib, which tells why there is none (``polylock.resolution.conflicts``), would be
neither: it takes another version of a pinned project whenever a requirement comes to
exclude it, keeps what the old version had brought in, and leaps over decisions that
matter.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from polylock.resolution.constraints import Unmeetable
from polylock.resolution.precedence import precedence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import Candidate, ExtraCandidate
    from polylock.resolution.constraints import Dependency
    from polylock.resolution.dependencies import DependencyReader

    AnyCandidate = Candidate | ExtraCandidate

__all__ = ["Search", "SearchTooLong"]

_LAST = 1 << 62
"""The place of a project that no first choice leads to: after all others, by name."""


class SearchTooLong(Exception):
    """The search had tried as many candidates as it may."""


@dataclass(frozen=True, slots=True)
class _Demand:
    """What one requirement asks of a project.

    ``cause`` is the mask of the decisions that it comes from, ``mask`` that of the
    versions which this demand and those before it leave. It ``narrows`` if it left out
    a version, and is ``needed`` if without it the project would have more to choose
    from or less to give; a demand that is neither is never to blame.
    """

    specifier: str
    extras: tuple[str, ...]
    cause: int
    mask: int
    narrows: bool
    needed: bool


@dataclass(slots=True)
class _Decision:
    """A project that is being decided; ``demanded`` are the projects it asks of.

    ``blame`` is the mask of the earlier decisions without which it could be another.
    """

    name: NormalizedName
    candidates: Iterator[Candidate]
    blame: int
    demanded: list[NormalizedName] = field(default_factory=list)


class Search:
    """One search for one target.

    ``tried`` and ``rejected`` count candidates; ``on_rejection`` is told of each that
    is given up. Blame is kept as masks: bit n stands for the n-th decision.
    """

    def __init__(
        self,
        availability: Availability,
        dependencies: DependencyReader,
        *,
        on_rejection: Callable[[Candidate], None] | None = None,
    ) -> None:
        self.tried = 0
        self.rejected = 0
        self._availability = availability
        self._dependencies = dependencies
        self._on_rejection = on_rejection
        self._places: Mapping[NormalizedName, int] = {}
        self._demands: dict[NormalizedName, list[_Demand]] = {}
        self._decisions: list[_Decision] = []
        self._pins: dict[NormalizedName, Candidate] = {}
        self._levels: dict[NormalizedName, int] = {}

    def solve(
        self, roots: Sequence[Dependency], *, tries_at_most: int
    ) -> dict[str, AnyCandidate] | None:
        """Return candidates by identifier, None where there is no solution.

        Raises SearchTooLong, and what the package source raises.
        """
        self._places = precedence(roots, self._availability, self._dependencies)
        for root in roots:
            if self._demand(root, 0) is not None:
                return None
        while (name := self._next()) is not None:
            asked = self._demands[name]
            releases = self._availability.releases(name)
            if releases is None:  # nobody could have demanded it
                return None
            self._levels[name] = len(self._decisions)
            self._decisions.append(
                _Decision(
                    name=name,
                    candidates=self._availability.candidates(releases, asked[-1].mask),
                    blame=_causes(demand for demand in asked if demand.needed),
                )
            )
            if not self._advance(tries_at_most):
                return None
        return self._mapping()

    def _next(self) -> NormalizedName | None:
        """Return the project to decide, None where all are."""
        waiting = [
            name
            for name, asked in self._demands.items()
            if asked and name not in self._pins
        ]
        forced = [name for name in waiting if self._is_forced(name)]
        return min(forced or waiting, key=self._place, default=None)

    def _place(self, name: NormalizedName) -> tuple[int, str]:
        return self._places.get(name, _LAST), name

    def _is_forced(self, name: NormalizedName) -> bool:
        """Say whether there is at most one candidate."""
        mask = self._demands[name][-1].mask
        if mask & (mask - 1):
            return False
        releases = self._availability.releases(name)
        return (
            releases is None
            or len([*self._availability.candidates(releases, mask)]) <= 1
        )

    def _advance(self, tries_at_most: int) -> bool:
        """Take the next candidate of the last decision, or go back to an earlier one.

        Say whether there was any.
        """
        while self._decisions:
            decision = self._decisions[-1]
            earlier = (1 << len(self._decisions) - 1) - 1
            for candidate in decision.candidates:
                if self.tried == tries_at_most:
                    raise SearchTooLong
                self.tried += 1
                blame = self._take(decision, candidate)
                if blame is None:
                    return True
                decision.blame |= blame & earlier
                self._reject(decision, candidate)
            self._drop()
            # Decisions after the last one to blame would not change a thing.
            while len(self._decisions) > decision.blame.bit_length():
                self._withdraw(self._decisions[-1])
                self._drop()
            if self._decisions:
                culprit = self._decisions[-1]
                earlier = (1 << len(self._decisions) - 1) - 1
                culprit.blame |= decision.blame & earlier
                self._reject(culprit, self._pins[culprit.name])
        return False

    def _drop(self) -> None:
        del self._levels[self._decisions.pop().name]

    def _reject(self, decision: _Decision, candidate: Candidate) -> None:
        self.rejected += 1
        if self._on_rejection is not None:
            self._on_rejection(candidate)
        self._withdraw(decision)

    def _withdraw(self, decision: _Decision) -> None:
        """Take back what the candidate of a decision has asked."""
        del self._pins[decision.name]
        for name in decision.demanded:
            self._demands[name].pop()
        decision.demanded.clear()

    def _take(self, decision: _Decision, candidate: Candidate) -> int | None:
        """Pin a candidate and ask what it requires.

        Return None if all can be had so far, else the mask of the decisions, this one
        among them, that do not go together.
        """
        name = decision.name
        here = self._bit(name)
        self._pins[name] = candidate
        extras = dict.fromkeys(e for asked in self._demands[name] for e in asked.extras)
        waiting: deque[tuple[AnyCandidate, int]] = deque(
            (self._availability.pool.extended(candidate, extra), here)
            for extra in ("", *extras)
        )
        while waiting:
            current, cause = waiting.popleft()
            required = self._dependencies.of(current)
            if isinstance(required, Unmeetable):
                return cause
            for dependency in required:
                asked = dependency.requirement.normalized_name
                known = {
                    e for demand in self._demands.get(asked, ()) for e in demand.extras
                }
                blame = self._demand(dependency, cause, decision)
                if blame is not None:
                    return blame
                pin = self._pins.get(asked)
                if pin is None:
                    continue
                waiting.extend(
                    (
                        self._availability.pool.extended(pin, extra),
                        here | self._bit(asked),
                    )
                    for extra in dependency.requirement.extras
                    if extra not in known
                )
        return None

    def _demand(
        self, dependency: Dependency, cause: int, decision: _Decision | None = None
    ) -> int | None:
        """Ask something of a project; return as ``_take`` does."""
        requirement = dependency.requirement
        name = requirement.normalized_name
        releases = self._availability.releases(name)
        if releases is None:
            return cause
        demands = self._demands.setdefault(name, [])
        specifiers = dict.fromkeys(demand.specifier for demand in demands)
        if requirement.specifier in specifiers:
            mask = demands[-1].mask
        else:
            mask = self._availability.allowed(
                releases, [*specifiers, requirement.specifier]
            )
        pin = self._pins.get(name)
        if not mask:
            return cause | _causes(demand for demand in demands if demand.narrows)
        if pin is not None and not mask >> pin.position & 1:
            return cause | self._bit(name)
        narrows = mask != demands[-1].mask if demands else bool(requirement.specifier)
        known = {extra for demand in demands for extra in demand.extras}
        new = not known.issuperset(requirement.extras)
        demands.append(
            _Demand(
                specifier=requirement.specifier,
                extras=requirement.extras,
                cause=cause,
                mask=mask,
                narrows=narrows,
                needed=narrows or new or not demands,
            )
        )
        if decision is not None:
            decision.demanded.append(name)
        return None

    def _bit(self, name: NormalizedName) -> int:
        return 1 << self._levels[name]

    def _mapping(self) -> dict[str, AnyCandidate]:
        mapping: dict[str, AnyCandidate] = {}
        for name, pin in self._pins.items():
            mapping[name] = pin
            for demand in self._demands[name]:
                for extra in demand.extras:
                    mapping[f"{name}[{extra}]"] = self._availability.pool.extended(
                        pin, extra
                    )
        return mapping


def _causes(demands: Iterable[_Demand]) -> int:
    causes = 0
    for demand in demands:
        causes |= demand.cause
    return causes
