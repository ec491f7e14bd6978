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
from polylock.resolution.dead_ends import DeadEnds
from polylock.resolution.demands import Demands
from polylock.resolution.precedence import precedence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.resolution.availability import Availability
    from polylock.resolution.candidates import Candidate, ExtraCandidate
    from polylock.resolution.constraints import Dependency
    from polylock.resolution.dependencies import DependencyReader
    from polylock.variants.abi import AbiNeed

    AnyCandidate = Candidate | ExtraCandidate

__all__ = ["Search", "SearchTooLong"]

_LAST = 1 << 62
"""The place of a project that no first choice leads to: after all others, by name."""


class SearchTooLong(Exception):
    """The search had tried as many candidates as it may."""


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

    ``places`` is the order of decisions. ``tried`` and ``rejected`` count candidates;
    ``on_rejection`` is told of each that is given up. Blame is kept as masks: bit n
    stands for the n-th decision.
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
        self.places: Mapping[NormalizedName, int] = {}
        self._demands = Demands(availability)
        self._decisions: list[_Decision] = []
        self._pins: dict[NormalizedName, Candidate] = {}
        self._levels: dict[NormalizedName, int] = {}
        self._banned: set[Candidate] = set()
        self._dead_ends = DeadEnds(availability)

    def solve(
        self, roots: Sequence[Dependency], *, tries_at_most: int
    ) -> dict[str, AnyCandidate] | None:
        """Return candidates by identifier, None where there is no solution.

        Raises SearchTooLong, and what the package source raises.
        """
        self.places = precedence(roots, self._availability, self._dependencies)
        # PEP 850 matches a label's ABI dependency "against the installed version". To
        # search for an answer that installs it would try everything for the sake of a
        # label, so labels that turn out to miss theirs are put aside first.
        while self._attempt(roots, tries_at_most, strict=False):
            unmet = self._unmet()
            if not unmet:
                return self._mapping()
            self._banned.update(unmet)
        if self._banned:
            self._banned.clear()
            self._dead_ends = DeadEnds(self._availability)
            if self._attempt(roots, tries_at_most, strict=True):
                return self._mapping()
        return None

    def _attempt(
        self, roots: Sequence[Dependency], tries_at_most: int, *, strict: bool
    ) -> bool:
        """Decide everything from the beginning; say whether it could be done.

        ``strict`` asks for an answer that has all that its labels are built against.
        """
        self._demands = Demands(self._availability)
        self._decisions, self._pins, self._levels = [], {}, {}
        for root in roots:
            if self._ask(root, 0) is not None:
                return False
        while True:
            name = self._next()
            if name is not None:
                self._begin(name)
            elif strict and self._decisions and self._unmet():
                # Every decision could have brought in what is missing.
                last = self._decisions[-1]
                last.blame |= (1 << len(self._decisions) - 1) - 1
                self._reject(last, self._pins[last.name])
            else:
                return True
            if not self._advance(tries_at_most):
                return False

    def _unmet(self) -> list[Candidate]:
        """Return the pins that are built against what is not there."""
        return [
            pin
            for pin in self._pins.values()
            if any(need.name not in self._pins for need in pin.abi)
        ]

    def _begin(self, name: NormalizedName) -> None:
        releases = self._availability.releases(name)
        if releases is None:
            raise AssertionError(name)  # nothing could have asked for it
        candidates = self._availability.candidates(releases, self._demands.mask(name))
        self._levels[name] = len(self._decisions)
        self._decisions.append(
            _Decision(
                name=name, candidates=candidates, blame=self._demands.needed(name)
            )
        )

    def _next(self) -> NormalizedName | None:
        """Return the project to decide, None where all are."""
        waiting = [n for n in self._demands.required() if n not in self._pins]
        forced = [name for name in waiting if self._is_forced(name)]
        return min(forced or waiting, key=self._place, default=None)

    def _place(self, name: NormalizedName) -> tuple[int, str]:
        return self.places.get(name, _LAST), name

    def _is_forced(self, name: NormalizedName) -> bool:
        """Say whether there is at most one candidate."""
        mask = self._demands.mask(name)
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
            if self._take_next(decision, tries_at_most):
                return True
            self._drop()
            for specifier, extras in self._demands.requirements(decision.name):
                self._dead_ends.learn(decision.name, specifier, extras)
            # Decisions after the last one to blame would not change a thing.
            while len(self._decisions) > decision.blame.bit_length():
                self._withdraw(self._decisions[-1])
                self._drop()
            if self._decisions:
                culprit = self._decisions[-1]
                self._blame_on(culprit, self._pins[culprit.name], decision.blame)
        return False

    def _take_next(self, decision: _Decision, tries_at_most: int) -> bool:
        """Take the next candidate of the last decision; say whether there was any."""
        for candidate in decision.candidates:
            extras = self._demands.extras(decision.name)
            if self._dead_ends.holds(candidate, extras):
                continue  # who asked for the extras is to blame in any case
            if self.tried == tries_at_most:
                raise SearchTooLong
            self.tried += 1
            blame = self._take(decision, candidate)
            if blame is None:
                return True
            self._blame_on(decision, candidate, blame)
        return False

    def _blame_on(self, last: _Decision, candidate: Candidate, blame: int) -> None:
        """Give up the candidate of the last decision, for what is to blame."""
        own = 1 << len(self._decisions) - 1
        if blame == own:
            self._dead_ends.add(candidate, self._demands.extras(last.name))
        last.blame |= blame & (own - 1)
        self._reject(last, candidate)

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
            self._demands.withdraw(name)
        decision.demanded.clear()

    def _take(self, decision: _Decision, candidate: Candidate) -> int | None:
        """Pin a candidate and ask what it requires.

        Return None if all can be had so far, else the mask of the decisions, this one
        among them, that do not go together.
        """
        name = decision.name
        here = self._bit(name)
        self._pins[name] = candidate
        if candidate in self._banned:
            return here
        for need in candidate.abi:
            blame = self._narrow(need, here, decision)
            if blame is not None:
                return blame
        waiting: deque[tuple[AnyCandidate, int]] = deque(
            (self._availability.pool.extended(candidate, extra), here)
            for extra in ("", *self._demands.extras(name))
        )
        while waiting:
            current, cause = waiting.popleft()
            required = self._dependencies.of(current)
            if isinstance(required, Unmeetable):
                return cause
            for dependency in required:
                asked = dependency.requirement.normalized_name
                known = self._demands.extras(asked)
                blame = self._ask(dependency, cause, decision)
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

    def _ask(
        self, dependency: Dependency, cause: int, decision: _Decision | None = None
    ) -> int | None:
        """Require a project; return as ``_take`` does."""
        requirement = dependency.requirement
        name = requirement.normalized_name
        if self._dead_ends.bars(name, requirement.specifier, requirement.extras):
            return cause
        mask = self._demands.mask_with(name, requirement.specifier)
        blame = self._blame(name, mask, cause)
        if blame is not None or mask is None:
            return blame
        self._demands.require(
            name,
            requirement.specifier,
            requirement.extras,
            mask=mask,
            cause=cause,
        )
        if decision is not None:
            decision.demanded.append(name)
        return None

    def _narrow(self, need: AbiNeed, cause: int, decision: _Decision) -> int | None:
        """Have a say in the version of a project, should it be required."""
        mask = None
        if self._demands.is_required(need.name):
            mask = self._demands.mask_with(need.name, need.specifier)
            blame = self._blame(need.name, mask, cause)
            if blame is not None:
                return blame
        self._demands.narrow(need.name, need.specifier, mask=mask, cause=cause)
        decision.demanded.append(need.name)
        return None

    def _blame(self, name: NormalizedName, mask: int | None, cause: int) -> int | None:
        """Return who is to blame if a demand cannot be met, None if it can.

        ``mask`` are the versions that it would leave, None where there is no project.
        """
        if mask is None:
            return cause
        if not mask:
            return cause | self._demands.narrowing(name)
        pin = self._pins.get(name)
        if pin is not None and not mask >> pin.position & 1:
            return cause | self._bit(name)
        return None

    def _bit(self, name: NormalizedName) -> int:
        return 1 << self._levels[name]

    def _mapping(self) -> dict[str, AnyCandidate]:
        mapping: dict[str, AnyCandidate] = {}
        for name, pin in self._pins.items():
            mapping[name] = pin
            for extra in self._demands.extras(name):
                extended = self._availability.pool.extended(pin, extra)
                mapping[f"{name}[{extra}]"] = extended
        return mapping
