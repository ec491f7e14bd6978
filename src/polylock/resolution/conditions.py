"""Conditions under which a pin is installed, carried from the project along the edges.

A package is installed always, with an extra, with a group, or only where a part of a
marker is true that the target leaves open. A condition is a set of clauses of which one
must hold (a disjunction); a clause is a set of marker atoms that must all hold. Clauses
that another clause covers are dropped, so the walk ends on a cyclic graph as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.model.markers import Atom, MarkerExpression, conjunction, disjunction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.utils import NormalizedName

    from polylock.model.pins import Edge

    Clause = frozenset[MarkerExpression]
    Condition = frozenset[Clause]
    Node = tuple[NormalizedName, str | None]

__all__ = ["Root", "conditions"]

Root = tuple["Edge", "str | None", "str | None"]
"""An edge from the project, with the extra and the group it belongs to."""


def conditions(
    roots: Iterable[Root],
    edges: Mapping[NormalizedName, Iterable[Edge]],
) -> dict[NormalizedName, MarkerExpression | None]:
    """Return the condition of every project that the roots lead to; None means always.

    A project that cannot be reached is left out.
    """
    reached: dict[Node, Condition] = {}
    waiting: list[Node] = []

    def reach(edge: Edge, clauses: Condition) -> None:
        if edge.condition is not None:
            clauses = frozenset(clause | {edge.condition} for clause in clauses)
        for extra in (None, *edge.extras):
            node = (edge.name, extra)
            before = reached.get(node, frozenset())
            after = _absorb(before | clauses)
            if after != before:
                reached[node] = after
                waiting.append(node)

    for edge, extra, group in roots:
        reach(edge, frozenset({_context(extra, group)}))
    while waiting:
        node = waiting.pop()
        name, extra = node
        for edge in edges[name]:
            if edge.extra == extra:
                reach(edge, reached[node])
    return {
        name: _expression(clauses)
        for (name, extra), clauses in sorted(reached.items(), key=_by_name)
        if extra is None
    }


def _by_name(item: tuple[Node, Condition]) -> str:
    return item[0][0]


def _context(extra: str | None, group: str | None) -> Clause:
    if extra is not None:
        return frozenset({Atom("extras", "in", extra, reversed=True)})
    if group is not None:
        return frozenset({Atom("dependency_groups", "in", group, reversed=True)})
    return frozenset()


def _absorb(clauses: Condition) -> Condition:
    return frozenset(
        clause for clause in clauses if not any(other < clause for other in clauses)
    )


def _expression(clauses: Condition) -> MarkerExpression | None:
    if frozenset() in clauses:
        return None
    parts = [conjunction(sorted(clause, key=str)) for clause in clauses]
    return disjunction(sorted(parts, key=str))
