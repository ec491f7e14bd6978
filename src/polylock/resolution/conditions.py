"""Conditions under which a pin is installed, carried from the project along the edges.

A package is installed always, with an extra, with a group, or only where a part of a
marker is true that the target leaves open. A condition is a set of clauses of which one
must hold (a disjunction); a clause is a set of marker atoms that must all hold. Clauses
that another clause covers are dropped, so the walk ends on a cyclic graph as well.

A clause is an integer here, with a bit for each distinct marker on the way: a clause
covers another that has all of its bits. Hostile metadata can double the clauses with
each edge, so their number is limited.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from polylock.errors import TooComplex
from polylock.model.markers import Atom, MarkerExpression, conjunction, disjunction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.utils import NormalizedName

    from polylock.model.pins import Edge

    Node = tuple[NormalizedName, str | None]

__all__ = ["CLAUSES_AT_MOST", "Root", "conditions"]

Root = tuple["Edge", "str | None", "str | None"]
"""An edge from the project, with the extra and the group it belongs to."""

CLAUSES_AT_MOST = 2_048
"""Ways under different conditions that lead to one project; real ones have dozens."""

_COMPARISONS_AT_MOST = 50_000_000
"""Of clauses with each other, for one target: 3 to 10 seconds."""

_ALWAYS = 0


def conditions(
    roots: Iterable[Root],
    edges: Mapping[NormalizedName, Iterable[Edge]],
    *,
    target: str = "",
) -> dict[NormalizedName, MarkerExpression | None]:
    """Return the condition of every project that the roots lead to; None means always.

    A project that cannot be reached is left out. Raises TooComplex, with the name of
    the ``target``, where there are too many clauses.
    """
    reached = _Reached(edges, target)
    for edge, extra, group in roots:
        context = reached.bit(_context(extra, group))
        reached.reach(edge, context | reached.bit(edge.condition))
    reached.go_on()
    return {
        name: reached.expression((name, extra))
        for name, extra in sorted(reached.clauses, key=_by_name)
        if extra is None
    }


def _by_name(node: Node) -> str:
    return node[0]


def _context(extra: str | None, group: str | None) -> Atom | None:
    if extra is not None:
        return Atom("extras", "in", extra, reversed=True)
    if group is not None:
        return Atom("dependency_groups", "in", group, reversed=True)
    return None


class _Reached:
    """The clauses of each project and extra so far, and those to be carried on."""

    def __init__(
        self, edges: Mapping[NormalizedName, Iterable[Edge]], target: str
    ) -> None:
        self.clauses: dict[Node, dict[int, None]] = {}
        self._target = target
        self._compared = 0
        self._waiting: deque[tuple[Node, int]] = deque()
        self._bits: dict[MarkerExpression, int] = {}
        self._texts: list[tuple[str, MarkerExpression]] = []
        self._edges: dict[Node, list[tuple[Edge, int]]] = {}
        for name, found in edges.items():
            for edge in found:
                way = edge, self.bit(edge.condition)
                self._edges.setdefault((name, edge.extra), []).append(way)

    def bit(self, marker: MarkerExpression | None) -> int:
        """Return the bit of a marker; None is always true and has none."""
        if marker is None:
            return _ALWAYS
        return self._bits.setdefault(marker, 1 << len(self._bits))

    def reach(self, edge: Edge, clause: int) -> None:
        """Add a clause, the condition of the edge included, to where the edge leads.

        Those that it covers are dropped; nothing changes where another covers it.
        """
        for extra in (None, *edge.extras):
            node = (edge.name, extra)
            known = self.clauses.setdefault(node, {})
            if clause in known or _ALWAYS in known:
                continue
            self._compared += len(known)
            if any(other & clause == other for other in known):
                continue
            covered = [other for other in known if other & clause == clause]
            for other in covered:
                del known[other]
            known[clause] = None
            if len(known) > CLAUSES_AT_MOST or self._compared > _COMPARISONS_AT_MOST:
                raise TooComplex(
                    edge.name,
                    self._target,
                    "the requirements that lead to it have too many different markers",
                )
            self._waiting.append((node, clause))

    def go_on(self) -> None:
        """Carry on all clauses until nothing changes."""
        while self._waiting:
            node, clause = self._waiting.popleft()
            if clause in self.clauses[node]:  # not covered meanwhile
                for edge, bit in self._edges.get(node, ()):
                    self.reach(edge, clause | bit)

    def expression(self, node: Node) -> MarkerExpression | None:
        """Return the clauses of a project as a marker; None: always."""
        clauses = self.clauses[node]
        if _ALWAYS in clauses:
            return None
        parts = [self._conjunction(clause) for clause in clauses]
        return disjunction(sorted(parts, key=str))

    def _conjunction(self, clause: int) -> MarkerExpression:
        if len(self._texts) < len(self._bits):
            self._texts = [(str(marker), marker) for marker in self._bits]
        found = []
        while clause:
            last = clause & -clause
            found.append(self._texts[last.bit_length() - 1])
            clause ^= last
        return conjunction([marker for _, marker in sorted(found, key=_by_text)])


def _by_text(item: tuple[str, MarkerExpression]) -> str:
    return item[0]
