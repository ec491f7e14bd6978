"""resolvelib's resolution, with pins that stay and conflicts that are learned.

``Engine`` differs from ``resolvelib.resolvers.Resolution`` in three things:

- **A pin stays.** resolvelib takes another version of a pinned project when a
  requirement comes to exclude it, and keeps what the old version brought in. Here that
  is a conflict of the requirement with the pin. So each project gets the best candidate
  with which there is a solution, given what was decided before it: the answer is the
  best by the order in which ``TargetProvider`` has projects decided.
- **Blame is exact.** A conflict names the pins without which it would not be. Going
  back passes over all others, for they would change nothing (conflict-directed
  backjumping), and what it learns is kept: a candidate that is part of no solution
  while certain pins stand. A requirement that only such candidates meet is a conflict
  as soon as it is made, whatever its specifier; where it takes no pins, it is a dead
  end for whoever makes it.
- **Labels constrain without requiring.** What a label is built against (PEP 850) leaves
  out versions of a project that something else requires.

A run that fails leaves a ``Refutation``: the projects of which all candidates failed,
and for each candidate the conflict. The words are made of it in ``polylock.explain``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn, cast

from resolvelib import BaseReporter, ResolutionImpossible
from resolvelib.resolvers import Criterion, RequirementsConflicted, Resolution
from resolvelib.structs import RequirementInformation

from polylock.resolution.candidates import AnyCandidate, ExtraCandidate
from polylock.resolution.constraints import (
    SpecifierConstraint,
    identifier_of,
    split_identifier,
)
from polylock.resolution.precedence import precedence
from polylock.resolution.problem import Failure, Problem, Unsolvable
from polylock.resolution.provider import TargetProvider
from polylock.resolution.refutation import Found, Refutation, Rejected, barred
from polylock.resolution.tries import TooManyTries
from polylock.values import Mutable, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from polylock.resolution.constraints import Constraint
    from polylock.resolution.dependencies import DependencyReader
    from polylock.resolution.tries import Tries

    Information = RequirementInformation[Constraint, AnyCandidate]
    Requirements = dict[str, Criterion[Constraint, AnyCandidate]]
    # Pins by identifier, as items of the mapping of a state.
    Pins = frozenset[tuple[str, AnyCandidate]]
    # By the pin that was decided last, for there may be thousands.
    _Conflicts = dict[tuple[str, AnyCandidate], dict[Pins, Rejected]]

__all__ = ["Engine", "Learned", "search"]


class _Watch(BaseReporter["Constraint", AnyCandidate, str]):
    """Counts what resolvelib tells of."""

    def __init__(self, tries: Tries) -> None:
        self.tries = tries

    def starting_round(self, index: int) -> None:
        """Count a round."""
        del index
        self.tries.rounds += 1

    def rejecting_candidate(
        self, criterion: Criterion[Constraint, AnyCandidate], candidate: AnyCandidate
    ) -> None:
        """Count a candidate that is given up."""
        del criterion
        self.tries.giving_up(candidate)


class Learned(Mutable):
    """What the runs for one target learned; it holds for as long as the roots do.

    ``dead`` are candidates that are part of no solution, ``conflicts`` gives for those
    that are part of none with certain pins these pins, each set with why. ``hopeless``
    are an identifier and a specifier that nothing meets.
    """

    dead: dict[AnyCandidate, Rejected] = field(default_factory=dict)
    conflicts: dict[AnyCandidate, _Conflicts] = field(default_factory=dict)
    hopeless: dict[tuple[str, str], Refutation | None] = field(default_factory=dict)

    def copy(self) -> Learned:
        """Return what is known, to be added to by a run that is about less."""
        conflicts = {
            candidate: {last: dict(sets) for last, sets in found.items()}
            for candidate, found in self.conflicts.items()
        }
        return Learned(
            dead=dict(self.dead), conflicts=conflicts, hopeless=dict(self.hopeless)
        )

    def note(self, rejected: Rejected, pins: Mapping[str, AnyCandidate]) -> None:
        """Keep that a candidate is part of no solution with pins, the last one last."""
        candidate = rejected.candidate
        if not pins:
            self.dead[candidate] = rejected
            return
        known = self.conflicts.setdefault(candidate, {})
        *_, last = pins.items()
        known.setdefault(last, {}).setdefault(frozenset(pins.items()), rejected)

    def why_out(
        self, candidate: AnyCandidate, pins: Mapping[str, AnyCandidate]
    ) -> tuple[Pins, Rejected] | None:
        """Return which of the pins rule a candidate out, and why; None if it is in."""
        dead = self.dead.get(candidate)
        if dead is not None:
            return _NO_PINS, dead
        known = self.conflicts.get(candidate)
        if known is None:
            return None
        standing = pins.items()
        lasts = known if len(known) < len(pins) else [*standing]
        for last in lasts:
            if last in standing:
                for others, rejected in known.get(last, {}).items():
                    if others <= standing:
                        return others, rejected
        return None


class _Decision(Mutable):
    """A project that is being decided: who is to blame that it is not another.

    ``blamed`` are identifiers of earlier decisions, ``rejected`` the candidates that
    are out for what those are.
    """

    blamed: set[str] = field(default_factory=set)
    rejected: dict[AnyCandidate, Rejected] = field(default_factory=dict)


_NO_PINS: Pins = frozenset()


class _Conflict(RequirementsConflicted["Constraint", AnyCandidate]):
    """A requirement that cannot be met while those to blame are pinned.

    ``blamed`` are their identifiers; the rest is as ``Rejected`` has it.
    """

    def __init__(
        self,
        information: Iterable[Information],
        blamed: Iterable[str],
        *,
        pin: AnyCandidate | None = None,
        because: Refutation | None = None,
    ) -> None:
        super().__init__(Criterion([], list(information), []))
        self.blamed = set(blamed)
        self.pin = pin
        self.because = because


class Engine(Resolution["Constraint", AnyCandidate, str]):
    """One run for one target.

    ``strict`` asks for an answer that has all that its labels are built against.
    ``refutation`` says why there is none after a failure; None where the requirements
    of the project conflict without any pin.
    """

    def __init__(
        self,
        provider: TargetProvider,
        tries: Tries,
        learned: Learned,
        *,
        strict: bool = False,
    ) -> None:
        super().__init__(provider, _Watch(tries))
        self.refutation: Refutation | None = None
        self._provider = provider
        self._tries = tries
        self._learned = learned
        self._strict = strict
        self._decisions: dict[str, _Decision] = {}
        self._failed = ""
        self._lacks: list[Information] = []

    def _is_current_pin_satisfying(
        self, name: str, criterion: Criterion[Constraint, AnyCandidate]
    ) -> bool:
        """Return whether a project is decided: a pin is never taken back for a new one.

        In a strict run the last one is not, where a label is built against what is not
        there in the end.
        """
        del criterion
        mapping = self.state.mapping
        complete = self._strict and len(mapping) == len(self.state.criteria)
        if complete and name == next(reversed(mapping)):
            return not self._provider.lacking(mapping)
        return name in mapping

    def _add_to_criteria(
        self,
        criteria: Requirements,
        requirement: Constraint,
        parent: AnyCandidate | None,
    ) -> None:
        """Require a project, or raise with the parents that are in the way."""
        identifier = identifier_of(requirement)
        asked: Information = RequirementInformation(requirement, parent)
        before = criteria.get(identifier)
        self._tries.weighing(0 if before is None else len(before.information))
        if isinstance(requirement, SpecifierConstraint):
            self._check_learned(identifier, requirement, asked)
        try:
            super()._add_to_criteria(criteria, requirement, parent)
        except RequirementsConflicted as conflict:
            self._raise_narrowed(identifier, asked, conflict.criterion)
        pin = self._excluded(identifier, requirement)
        if pin is not None:
            self._raise_excluded(asked, pin, (*_who(parent), identifier))

    def _excluded(
        self, identifier: str, requirement: Constraint
    ) -> AnyCandidate | None:
        """Return the pin that a requirement excludes, None if there is none."""
        pin = self.state.mapping.get(identifier)
        if pin is None or self._provider.is_satisfied_by(requirement, pin):
            return None
        return pin

    def _raise_excluded(
        self, asked: Information, pin: AnyCandidate, blamed: Iterable[str]
    ) -> NoReturn:
        identifier = identifier_of(pin)
        before = self.state.criteria[identifier].information
        found = self._provider.narrowing(identifier, before, needed=False)
        raise _Conflict([*found, asked], blamed, pin=pin)

    def _check_learned(
        self, identifier: str, requirement: SpecifierConstraint, asked: Information
    ) -> None:
        """Raise where it is known that nothing meets a requirement with these pins."""
        asking = _who(asked.parent)
        key = identifier, requirement.specifier
        if key in self._learned.hopeless:
            because = self._learned.hopeless[key]
            raise _Conflict([asked], asking, because=because)
        found = self._out(identifier, requirement.specifier)
        if found is not None:
            blamed, rejected = found
            pin = self._excluded(identifier, requirement)
            if pin is not None:  # which says more than what is known of the others
                self._raise_excluded(asked, pin, (*asking, *blamed))
            because = self._refutation(identifier, (asked,), rejected)
            raise _Conflict([asked], (*asking, *blamed), because=because)

    def _out(
        self, identifier: str, specifier: str
    ) -> tuple[set[str], tuple[Rejected, ...]] | None:
        """Return who is to blame that nothing meets a requirement, and each candidate.

        None where something may meet it, or nothing at all would by its version.
        """
        blamed: set[str] = set()
        rejected: list[Rejected] = []
        pins = self.state.mapping
        for each in self._provider.opened(identifier, specifier):
            found = None if each is None else self._why_out(each, pins)
            if found is None:
                return None
            blamed.update(name for name, _ in found[0])
            rejected.append(found[1])
        return (blamed, tuple(rejected)) if rejected else None

    def _why_out(
        self, candidate: AnyCandidate, pins: Mapping[str, AnyCandidate]
    ) -> tuple[Pins, Rejected] | None:
        """Return why a candidate is out; an extra is where its project is."""
        found = self._learned.why_out(candidate, pins)
        if found is None and isinstance(candidate, ExtraCandidate):
            return self._learned.why_out(candidate.base, pins)
        return found

    def _raise_narrowed(
        self,
        identifier: str,
        asked: Information,
        criterion: Criterion[Constraint, AnyCandidate],
    ) -> NoReturn:
        """Raise with the requirements that together leave no version."""
        requirement, parent = asked
        if not isinstance(requirement, SpecifierConstraint) or self._is_dead_end(
            identifier, requirement.specifier
        ):
            raise _Conflict([asked], _who(parent))
        found: list[Information] = [
            *self._provider.narrowing(
                identifier, list(criterion.information)[:-1], needed=False
            ),
            *self._provider.labels_narrowing(identifier),
            asked,
        ]
        raise _Conflict(found, (who for one in found for who in _who(one.parent)))

    def _get_updated_criteria(self, candidate: AnyCandidate) -> Requirements:
        """Add what a candidate requires, and what its label asks of who is required."""
        self._provider.pins = self.state.mapping
        criteria = super()._get_updated_criteria(candidate)
        for wanted in self._provider.label_constraints(candidate):
            own = wanted.name == candidate.name
            if own and not self._provider.is_satisfied_by(wanted, candidate):
                raise _Conflict(
                    [RequirementInformation(wanted, candidate)], _who(candidate)
                )
            if wanted.name in criteria:
                self._add_to_criteria(criteria, wanted, candidate)
        return criteria

    def _attempt_to_pin_criterion(
        self, name: str
    ) -> list[Criterion[Constraint, AnyCandidate]]:
        """Pin the best candidate that conflicts with no pin; else return conflicts."""
        self._failed = name
        self._tries.looking(len(self.state.criteria))
        if name in self.state.mapping:
            lacking = self._provider.lacking(self.state.mapping)
            self._lacks = [
                RequirementInformation(one, one.candidate) for one in lacking
            ]
            return [Criterion([], self._lacks, [])]
        self._provider.pins = self.state.mapping
        decision = self._decisions.setdefault(name, _Decision())
        criterion = self.state.criteria[name]
        for candidate in criterion.candidates:
            if candidate in decision.rejected:
                continue
            known = self._learned.why_out(candidate, self.state.mapping)
            if known is not None:
                pins, rejected = known
                decision.rejected[candidate] = rejected
                decision.blamed.update(who for who, _ in pins)
                continue
            self._tries.trying(candidate)
            try:
                criteria = self._get_updated_criteria(candidate)
            except RequirementsConflicted as conflict:
                self._reject(name, candidate, cast("_Conflict", conflict))
                continue
            self._r.pinning(candidate)
            self.state.criteria.update(criteria)
            self.state.mapping[name] = candidate
            return []
        return [criterion]

    def _reject(self, name: str, candidate: AnyCandidate, conflict: _Conflict) -> None:
        self._r.rejecting_candidate(conflict.criterion, candidate)
        told = conflict.because is not None
        information = () if told else tuple(conflict.criterion.information)
        rejected = Rejected(candidate, information, conflict.pin, conflict.because)
        self._blame(name, rejected, conflict.blamed)

    def _blame(self, name: str, rejected: Rejected, blamed: set[str]) -> None:
        """Note why a candidate was given up; blamed alone, it is dead."""
        pins = self.state.mapping
        self._learned.note(
            rejected, {who: pin for who, pin in pins.items() if who in blamed}
        )
        decision = self._decisions[name]
        decision.blamed |= blamed - {name}
        decision.rejected[rejected.candidate] = rejected

    def _backjump(self, causes: list[Information]) -> bool:
        """Go back to the last pin that is to blame and of which candidates are left."""
        del causes
        if self._lacks:  # everything could have brought in what is missing
            blamed = set(self.state.mapping)
            refutation = self._refutation(self._failed, tuple(self._lacks), ())
            self._lacks = []
        else:
            blamed, refutation = self._exhausted(self._failed)
        self._states.pop()
        while len(self._states) > 1:
            broken = self._states.pop()
            name, candidate = broken.mapping.popitem()
            if name not in blamed:
                del self._decisions[name]
                continue
            self._r.rejecting_candidate(broken.criteria[name], candidate)
            self._blame(name, Rejected(candidate, because=refutation), blamed)
            self._push_new_state()
            self._provider.pins = self.state.mapping
            if self._has_candidates(name):
                return True
            blamed, refutation = self._exhausted(name)
            self._states.pop()
        self.refutation = refutation
        return False

    def _has_candidates(self, name: str) -> bool:
        out = self._decisions[name].rejected.keys() | self._learned.dead.keys()
        candidates = self.state.criteria[name].candidates
        return any(candidate not in out for candidate in candidates)

    def _exhausted(self, name: str) -> tuple[set[str], Refutation]:
        """Return who is to blame that no candidate is left.

        Where one requirement is enough for that, who made the others is not.
        """
        information = tuple(self.state.criteria[name].information)
        decision = self._decisions.pop(name)
        refutation = self._refutation(
            name, information, tuple(decision.rejected.values())
        )
        for one in information:
            specifier = getattr(one.requirement, "specifier", None)
            if specifier is None:
                continue
            if self._is_dead_end(name, specifier, refutation):
                return set(_who(one.parent)), refutation
            found = self._out(name, specifier)
            if found is not None:
                return {*_who(one.parent), *found[0]}, refutation
        blamed = set(decision.blamed)
        narrowing = self._provider.narrowing(name, information, needed=True)
        for one in (*narrowing, *self._provider.labels_narrowing(name)):
            blamed.update(_who(one.parent))
        project, extra = split_identifier(name)
        if extra:
            blamed.add(project)
        return blamed, refutation

    def _is_dead_end(
        self, identifier: str, specifier: str, refutation: Refutation | None = None
    ) -> bool:
        """Return whether nothing meets a requirement, and remember if so."""
        key = identifier, specifier
        if key in self._learned.hopeless:
            return True
        dead = self._provider.is_dead_end(identifier, specifier, self._learned.dead)
        if dead:
            self._learned.hopeless[key] = refutation
        return dead

    def _refutation(
        self,
        identifier: str,
        information: tuple[Information, ...],
        rejected: tuple[Rejected, ...],
    ) -> Refutation:
        requested: dict[str, Information] = {}
        waiting: list[AnyCandidate | None] = [each.parent for each in information]
        for one in rejected:
            waiting += [one.candidate, one.pin]
            waiting += [each.parent for each in one.information]
        while waiting:
            parent = waiting.pop()
            key = "" if parent is None else identifier_of(parent)
            if key in self.state.criteria and key not in requested:
                requested[key] = next(iter(self.state.criteria[key].information))
                waiting.append(requested[key].parent)
        return Refutation(identifier, information, rejected, requested)


def _who(parent: AnyCandidate | None) -> tuple[str, ...]:
    """Return the identifier of who requires something; the project itself has none."""
    return () if parent is None else (identifier_of(parent),)


def search(problem: Problem, tries: Tries) -> Found:
    """Return the best candidates by the order of decisions.

    What a source distribution requires can only take solutions away, and to read it
    costs a download. So the first run takes those that were not opened to require
    nothing: if it finds no solution there is none, and if it met none of them its
    answer is the answer. Else a second run, which knows what the first has learned,
    reads what they require.

    Raises Unsolvable, ProjectNotFound where the project itself requires what no index
    has, and what the package source raises.
    """
    search = _Search(problem, tries, Learned())
    try:
        assuming = problem.dependencies.assuming()
        mapping = search.run(assuming)
        if mapping is not None and assuming.assumed:
            problem.dependencies.fetch_ahead(mapping.values())
            mapping = search.run(problem.dependencies)
    except TooManyTries as error:
        raise _failure(problem, None, tries) from error
    if mapping is not None:
        return Found(mapping, barred(search.learned.dead))
    missing = problem.availability.missing
    for dependency in problem.roots:
        if dependency.requirement.name in missing:
            raise missing[dependency.requirement.name]
    raise _failure(problem, search.refutation, tries)


def _failure(problem: Problem, causes: Refutation | None, tries: Tries) -> Unsolvable:
    return Failure(
        problem=problem, causes=causes, tried=tries.tried, contested=tries.contested
    ).error()


class _Search(Mutable):
    """The runs of the engine for one problem; ``refutation`` is that of the last."""

    problem: Problem
    tries: Tries
    learned: Learned
    refutation: Refutation | None = None

    def run(self, dependencies: DependencyReader) -> dict[str, AnyCandidate] | None:
        """Return candidates by identifier, None where there is no solution.

        PEP 850 matches what a label is built against with "the installed version". To
        search for an answer that installs it would try everything for the sake of a
        label, so labels that turn out to miss theirs are put aside first. Only where
        that leaves nothing an answer that has all of it is looked for.
        """
        banned: set[AnyCandidate] = set()
        learned = self.learned
        while (mapping := self._once(dependencies, learned, banned)) is not None:
            lacking = [
                pin
                for pin in mapping.values()
                if any(n.name not in mapping for n in getattr(pin, "abi", ()))
            ]
            if not lacking:
                return mapping
            if not banned:  # what holds without some labels may not hold with them
                learned = learned.copy()
            banned.update(lacking)
        if banned:
            return self._once(dependencies, self.learned.copy(), None)
        return None

    def _once(
        self,
        dependencies: DependencyReader,
        learned: Learned,
        banned: set[AnyCandidate] | None,
    ) -> dict[str, AnyCandidate] | None:
        """Run the engine once; it is strict where no candidates are put aside."""
        problem = self.problem
        provider = TargetProvider(
            problem.availability,
            dependencies,
            precedence(problem.roots, problem.availability, dependencies),
            banned=banned or (),
        )
        engine = Engine(provider, self.tries, learned, strict=banned is None)
        constraints = [
            constraint
            for root, dependency in problem.wanted
            for constraint in dependency.constraints(root.origin)
        ]
        try:
            state = engine.resolve(constraints, max_rounds=sys.maxsize)
        except ResolutionImpossible as error:
            self.refutation = engine.refutation or _among_roots(error)
            return None
        return dict(state.mapping)


def _among_roots(
    error: ResolutionImpossible[Constraint, AnyCandidate],
) -> Refutation:
    """Return why the requirements of the project alone cannot be met."""
    because = getattr(error.__cause__, "because", None)
    if isinstance(because, Refutation):
        return because
    return Refutation("", tuple(error.causes), (), {})
