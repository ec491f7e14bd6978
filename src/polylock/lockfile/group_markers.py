"""The simplest marker that is true for some targets and false for the others.

The targets are few and known, so no algebra of markers is needed: each candidate clause
is evaluated on every target, and clauses that are false for all unwanted targets are
combined until every wanted one is covered. The name of a target is used only where the
environment does not distinguish it from another: a marker of the environment alone also
works with an installer that is given no group.
"""

from __future__ import annotations

from functools import cached_property, partial
from itertools import combinations
from typing import TYPE_CHECKING

from packaging.version import Version

from polylock.model.folding import fold
from polylock.model.markers import Atom, MarkerExpression, conjunction, disjunction
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polylock.model.target import Target

__all__ = ["Separator"]

_FIELDS = ("sys_platform", "platform_machine", "python_version", "implementation_name")
_OPERATORS = {"python_version": ("==", ">=", "<")}
_MOST_ATOMS = 3


class _Clause(Value, frozen=True):
    """A conjunction of atoms, and the mask of the targets for which it is true."""

    atoms: tuple[Atom, ...]
    targets: int
    names_target: bool = False


class Separator:
    """Makes markers for sets of targets; a set is a mask with a bit for each target.

    Cost: some dozens of atoms are folded for each target once, and conjunctions of up
    to three of them are made; then each new set costs a pass over the distinct clauses.
    """

    def __init__(self, *, targets: Sequence[Target]) -> None:
        self.targets = targets
        self._answers: dict[tuple[int, int], MarkerExpression | None] = {}

    @cached_property
    def _clauses(self) -> tuple[_Clause, ...]:
        """The candidate clauses; not computed where all targets share all entries."""
        return tuple(_clauses(self.targets))

    @property
    def everyone(self) -> int:
        """Return the mask of all targets."""
        return (1 << len(self.targets)) - 1

    def marker(self, wanted: int, harmless: int = 0) -> MarkerExpression | None:
        """Return a marker that is true for the wanted targets, None for always.

        It is false for all other targets; for ``harmless`` ones it may be either.
        """
        key = (wanted, harmless)
        if key not in self._answers:
            self._answers[key] = self._cover(wanted, wanted | harmless)
        return self._answers[key]

    def _cover(self, wanted: int, allowed: int) -> MarkerExpression | None:
        if allowed == self.everyone:
            return None
        valid = [
            clause
            for clause in self._clauses
            if not clause.targets & ~allowed and clause.targets & wanted
        ]
        chosen: list[MarkerExpression] = []
        missing = wanted
        while missing:
            # max returns the first of equals, and the order of clauses is fixed.
            best = max(valid, key=partial(_merit, missing=missing))
            chosen.append(conjunction(best.atoms))
            missing &= ~best.targets
        return disjunction(chosen)


def _merit(clause: _Clause, *, missing: int) -> tuple[int, bool, int]:
    covered = (clause.targets & missing).bit_count()
    return covered, not clause.names_target, -len(clause.atoms)


def _clauses(targets: Sequence[Target]) -> Iterator[_Clause]:
    """Yield the candidate clauses, the simple ones first, one for each set of targets.

    Of two clauses for the same set the first is kept: it has fewer atoms, or is earlier
    in the fixed order.
    """
    seen: set[int] = set()
    atoms = []
    for atom in _atoms(targets):
        holds = _holds(atom, targets)
        if holds and holds not in seen:
            seen.add(holds)
            atoms.append(_Clause((atom,), holds))
    yield from atoms
    for count in range(2, _MOST_ATOMS + 1):
        for parts in combinations(atoms, count):
            holds = parts[0].targets
            for part in parts[1:]:
                holds &= part.targets
            if holds and holds not in seen:
                seen.add(holds)
                yield _Clause(tuple(part.atoms[0] for part in parts), holds)
    for position, target in enumerate(targets):
        group = Atom("dependency_groups", "in", target.name, reversed=True)
        yield _Clause((group,), 1 << position, names_target=True)


def _atoms(targets: Sequence[Target]) -> Iterator[Atom]:
    for name in _FIELDS:
        values = {
            value
            for target in targets
            if (value := target.marker_environment.get(name)) is not None
        }
        ordered = sorted(values, key=Version) if "version" in name else sorted(values)
        for operator in _OPERATORS.get(name, ("==", "!=")):
            for value in ordered:
                yield Atom(name, operator, value)


def _holds(atom: Atom, targets: Sequence[Target]) -> int:
    mask = 0
    for position, target in enumerate(targets):
        if fold(atom, target) is True:
            mask |= 1 << position
    return mask
