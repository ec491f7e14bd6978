"""resolvelib's resolution, with fixed pins, exact backjumping and nogoods.

``Engine`` differs from ``resolvelib.resolvers.Resolution`` in three things:

- **A pin is not replaced.** Where a new requirement excludes a pin, resolvelib takes
  another version of the project and keeps the requirements that the old version added.
  Here that is a conflict of the requirement with the pin. So each project gets the best
  candidate with which there is a solution, given the decisions before it: the result is
  the best one by the order in which ``TargetProvider`` has projects decided.
- **Conflicts name their causes exactly.** A conflict names the pins without which it
  would not exist. Backtracking skips all other pins, which would change nothing
  (conflict-directed backjumping), and keeps a nogood: a candidate that is part of no
  solution while certain pins stand. A requirement that only such candidates meet is a
  conflict as soon as it is made, whatever its specifier. If no pins are involved, the
  candidate that makes it is dead as well.
- **Labels constrain without requiring.** What a label is built against (PEP 850)
  excludes versions of a project, but only if something else requires the project.

A run that fails leaves a ``Refutation``: the projects of which all candidates failed,
and the conflict of each candidate. ``polylock.explain`` puts it in words.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn, cast

from resolvelib import BaseReporter, ResolutionImpossible
from resolvelib.resolvers import Criterion, RequirementsConflicted, Resolution
from resolvelib.structs import RequirementInformation

from polylock.resolution.candidates import AnyCandidate, ExtraCandidate
from polylock.resolution.constraints import (
    Constraint,
    SpecifierConstraint,
    identifier_of,
    split_identifier,
)
from polylock.resolution.precedence import precedence
from polylock.resolution.problem import (
    Failure,
    Problem,
    Refutation,
    Rejected,
    Unsolvable,
)
from polylock.resolution.provider import TargetProvider
from polylock.resolution.tries import TooManyTries, Tries
from polylock.values import Mutable, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from polylock.resolution.dependencies import DependencyReader

    Information = RequirementInformation[Constraint, AnyCandidate]
    Requirements = dict[str, Criterion[Constraint, AnyCandidate]]
    # Pins by identifier, as items of the mapping of a state.
    Pins = frozenset[tuple[str, AnyCandidate]]
    # By the pin that was decided last, for there may be thousands.
    _Conflicts = dict[tuple[str, AnyCandidate], dict[Pins, Rejected]]

__all__ = ["Engine", "Nogoods", "search"]


class _Watch(BaseReporter["Constraint", AnyCandidate, str]):
    """A reporter of resolvelib that counts rounds and rejected candidates."""

    def __init__(self, tries: Tries) -> None:
        self.tries = tries

    def starting_round(self, index: int) -> None:
        """Count a round."""
        del index
        self.tries.rounds += 1

    def rejecting_candidate(
        self, criterion: Criterion[Constraint, AnyCandidate], candidate: AnyCandidate
    ) -> None:
        """Count a rejected candidate."""
        del criterion
        self.tries.giving_up(candidate)


class Nogoods(Mutable):
    """Candidates that are part of no solution; valid while the roots are the same.

    ``dead`` are candidates that are part of no solution at all. ``conflicts`` are those
    that are part of none while certain pins stand: the sets of such pins, each with the
    reason. ``unmet`` are an identifier and a specifier that nothing meets.
    """

    dead: dict[AnyCandidate, Rejected] = field(default_factory=dict)
    conflicts: dict[AnyCandidate, _Conflicts] = field(default_factory=dict)
    unmet: dict[tuple[str, str], Refutation | None] = field(default_factory=dict)

    def copy(self) -> Nogoods:
        """Return a copy, for a run whose own nogoods are not valid for others."""
        conflicts = {
            candidate: {last: dict(sets) for last, sets in found.items()}
            for candidate, found in self.conflicts.items()
        }
        return Nogoods(
            dead=dict(self.dead), conflicts=conflicts, unmet=dict(self.unmet)
        )

    def add(self, rejected: Rejected, pins: Mapping[str, AnyCandidate]) -> None:
        """Record that a candidate is in no solution with pins, given as decided."""
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
        """Return the pins that rule a candidate out, and why; None if none do."""
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
    """A project that is being decided.

    ``rejected`` are its candidates that are out so far, ``blamed`` the identifiers of
    the earlier decisions that ruled them out.
    """

    blamed: set[str] = field(default_factory=set)
    rejected: dict[AnyCandidate, Rejected] = field(default_factory=dict)


_NO_PINS: Pins = frozenset()


class _Conflict(RequirementsConflicted["Constraint", AnyCandidate]):
    """A requirement that cannot be met while certain projects are pinned.

    ``blamed`` are their identifiers; for the rest see ``Rejected``.
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

    ``strict`` requires a result that has everything its labels are built against.
    ``refutation`` is the reason after a failure; None if the requirements of the
    project conflict without any pin.
    """

    def __init__(
        self,
        provider: TargetProvider,
        tries: Tries,
        nogoods: Nogoods,
        *,
        strict: bool = False,
    ) -> None:
        super().__init__(provider, _Watch(tries))
        self.refutation: Refutation | None = None
        self._provider = provider
        self._tries = tries
        self._nogoods = nogoods
        self._strict = strict
        self._decisions: dict[str, _Decision] = {}
        self._failed = ""
        self._lacking: list[Information] = []

    def _is_current_pin_satisfying(
        self, name: str, criterion: Criterion[Constraint, AnyCandidate]
    ) -> bool:
        """Return True if a project is decided: every pin is, for none is replaced.

        In a strict run the last pin is not, if a label is built against a project that
        is not pinned in the end.
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
        """Add a requirement, or raise a conflict with the parents that cause it."""
        identifier = identifier_of(requirement)
        asked: Information = RequirementInformation(requirement, parent)
        before = criteria.get(identifier)
        self._tries.weighing(0 if before is None else len(before.information))
        if isinstance(requirement, SpecifierConstraint):
            self._check_nogoods(identifier, requirement, asked)
        try:
            super()._add_to_criteria(criteria, requirement, parent)
        except RequirementsConflicted as conflict:
            self._raise_narrowed(identifier, asked, conflict.criterion)
        pin = self._excluded(identifier, requirement)
        if pin is not None:
            self._raise_excluded(asked, pin, (*_identifiers(parent), identifier))

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

    def _check_nogoods(
        self, identifier: str, requirement: SpecifierConstraint, asked: Information
    ) -> None:
        """Raise if nogoods say that nothing meets a requirement with these pins."""
        asking = _identifiers(asked.parent)
        key = identifier, requirement.specifier
        if key in self._nogoods.unmet:
            because = self._nogoods.unmet[key]
            raise _Conflict([asked], asking, because=because)
        found = self._ruled_out(identifier, requirement.specifier)
        if found is not None:
            blamed, rejected = found
            pin = self._excluded(identifier, requirement)
            if pin is not None:  # a clearer reason than those of the other candidates
                self._raise_excluded(asked, pin, (*asking, *blamed))
            because = self._refutation(identifier, (asked,), rejected)
            raise _Conflict([asked], (*asking, *blamed), because=because)

    def _ruled_out(
        self, identifier: str, specifier: str
    ) -> tuple[set[str], tuple[Rejected, ...]] | None:
        """Return the candidates of a requirement, if nogoods rule out all of them.

        With them come the identifiers of the pins to blame. None if a candidate is
        left, or if there are none by version.
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
        """Return the reason against a candidate; an extra has that of its project."""
        found = self._nogoods.why_out(candidate, pins)
        if found is None and isinstance(candidate, ExtraCandidate):
            return self._nogoods.why_out(candidate.base, pins)
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
            raise _Conflict([asked], _identifiers(parent))
        found: list[Information] = [
            *self._provider.narrowing(
                identifier, list(criterion.information)[:-1], needed=False
            ),
            *self._provider.labels_narrowing(identifier),
            asked,
        ]
        blamed = (each for one in found for each in _identifiers(one.parent))
        raise _Conflict(found, blamed)

    def _get_updated_criteria(self, candidate: AnyCandidate) -> Requirements:
        """Add a candidate's requirements, and its label's constraints on projects."""
        self._provider.pins = self.state.mapping
        criteria = super()._get_updated_criteria(candidate)
        for wanted in self._provider.label_constraints(candidate):
            own = wanted.name == candidate.name
            if own and not self._provider.is_satisfied_by(wanted, candidate):
                asked: Information = RequirementInformation(wanted, candidate)
                raise _Conflict([asked], _identifiers(candidate))
            if wanted.name in criteria:
                self._add_to_criteria(criteria, wanted, candidate)
        return criteria

    def _attempt_to_pin_criterion(
        self, name: str
    ) -> list[Criterion[Constraint, AnyCandidate]]:
        """Pin the best candidate without a conflict; else return the criteria."""
        self._failed = name
        self._tries.looking(len(self.state.criteria))
        if name in self.state.mapping:
            lacking = self._provider.lacking(self.state.mapping)
            self._lacking = [
                RequirementInformation(one, one.candidate) for one in lacking
            ]
            return [Criterion([], self._lacking, [])]
        self._provider.pins = self.state.mapping
        decision = self._decisions.setdefault(name, _Decision())
        criterion = self.state.criteria[name]
        for candidate in criterion.candidates:
            if candidate in decision.rejected:
                continue
            known = self._nogoods.why_out(candidate, self.state.mapping)
            if known is not None:
                pins, rejected = known
                decision.rejected[candidate] = rejected
                decision.blamed.update(identifier for identifier, _ in pins)
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
        because = conflict.because
        information = () if because else tuple(conflict.criterion.information)
        rejected = Rejected(candidate, information, conflict.pin, because)
        self._blame(name, rejected, conflict.blamed)

    def _blame(self, name: str, rejected: Rejected, blamed: set[str]) -> None:
        """Record why a candidate was rejected; without pins to blame, it is dead."""
        pins = self.state.mapping
        self._nogoods.add(
            rejected, {name: pin for name, pin in pins.items() if name in blamed}
        )
        decision = self._decisions[name]
        decision.blamed |= blamed - {name}
        decision.rejected[rejected.candidate] = rejected

    def _backjump(self, causes: list[Information]) -> bool:
        """Go back to the last pin that is to blame and has other candidates left."""
        del causes
        if self._lacking:  # any pin could have required the missing project
            blamed = set(self.state.mapping)
            refutation = self._refutation(self._failed, tuple(self._lacking), ())
            self._lacking = []
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
        out = self._decisions[name].rejected.keys() | self._nogoods.dead.keys()
        candidates = self.state.criteria[name].candidates
        return any(candidate not in out for candidate in candidates)

    def _exhausted(self, name: str) -> tuple[set[str], Refutation]:
        """Return the pins to blame that no candidate is left, and the refutation.

        If one requirement is enough for that, the parents of the others are not blamed.
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
                return set(_identifiers(one.parent)), refutation
            found = self._ruled_out(name, specifier)
            if found is not None:
                return {*_identifiers(one.parent), *found[0]}, refutation
        blamed = set(decision.blamed)
        narrowing = self._provider.narrowing(name, information, needed=True)
        for one in (*narrowing, *self._provider.labels_narrowing(name)):
            blamed.update(_identifiers(one.parent))
        project, extra = split_identifier(name)
        if extra:
            blamed.add(project)
        return blamed, refutation

    def _is_dead_end(
        self, identifier: str, specifier: str, refutation: Refutation | None = None
    ) -> bool:
        """Return True if nothing meets a requirement; record it if so."""
        key = identifier, specifier
        if key in self._nogoods.unmet:
            return True
        dead = self._provider.is_dead_end(identifier, specifier, self._nogoods.dead)
        if dead:
            self._nogoods.unmet[key] = refutation
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


def _identifiers(parent: AnyCandidate | None) -> tuple[str, ...]:
    """Return the identifier of a parent, none for the project itself."""
    return () if parent is None else (identifier_of(parent),)


def search(problem: Problem, tries: Tries) -> Mapping[str, AnyCandidate]:
    """Return the best candidates by the order of decisions, by identifier.

    The requirements of a source distribution can only remove solutions, and to read
    them costs a download. So in the first run source distributions that are not open
    require nothing. If that run finds no solution, there is none; if its pins do not
    depend on such an assumption, they are the result. Otherwise a second run reads
    the requirements, with the nogoods of the first.

    Raises Unsolvable, ProjectNotFound where the project itself requires a project that
    no index has, and what the package source raises.
    """
    search = _Search(problem, tries, Nogoods())
    try:
        assuming = problem.dependencies.assuming()
        mapping = search.run(assuming)
        if mapping is not None and assuming.assumed:
            problem.dependencies.fetch_ahead(mapping.values())
            mapping = search.run(problem.dependencies)
    except TooManyTries as error:
        raise _failure(problem, None, tries) from error
    if mapping is not None:
        return mapping
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
    nogoods: Nogoods
    refutation: Refutation | None = None

    def run(self, dependencies: DependencyReader) -> dict[str, AnyCandidate] | None:
        """Return candidates by identifier, None if there is no solution.

        PEP 850 matches what a label is built against with "the installed version". To
        search for a result that installs it would try everything for the sake of one
        label. So labels whose project is not pinned are banned first, and the search
        is repeated; only if that fails does a strict run search for a result in which
        every label has its project.
        """
        banned: set[AnyCandidate] = set()
        nogoods = self.nogoods
        while (mapping := self._once(dependencies, nogoods, banned)) is not None:
            lacking = [
                pin
                for pin in mapping.values()
                if any(n.name not in mapping for n in getattr(pin, "abi", ()))
            ]
            if not lacking:
                return mapping
            if not banned:  # a nogood without some labels may not be one with them
                nogoods = nogoods.copy()
            banned.update(lacking)
        if banned:
            return self._once(dependencies, self.nogoods.copy(), None)
        return None

    def _once(
        self,
        dependencies: DependencyReader,
        nogoods: Nogoods,
        banned: set[AnyCandidate] | None,
    ) -> dict[str, AnyCandidate] | None:
        """Run the engine once; ``banned`` is None for a strict run."""
        problem = self.problem
        provider = TargetProvider(
            problem.availability,
            dependencies,
            precedence(problem.roots, problem.availability, dependencies),
            banned=banned or (),
        )
        engine = Engine(provider, self.tries, nogoods, strict=banned is None)
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
    """Return the refutation where the project's own requirements conflict."""
    because = getattr(error.__cause__, "because", None)
    if isinstance(because, Refutation):
        return because
    return Refutation("", tuple(error.causes), (), {})
