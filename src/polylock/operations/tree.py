"""``polylock tree``: the locked dependencies of a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polylock.operations.graph import locked_graphs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.operations.graph import LockedGraph
    from polylock.project.settings import Settings

__all__ = ["DependencyTree", "TreeLine", "trees"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLine:
    """A line of a tree.

    ``last`` says for each level from the root down whether the line's ancestor, and
    at the end the line itself, is the last of its siblings. ``repeated`` tells that
    what is below was shown before.
    """

    text: str
    last: tuple[bool, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyTree:
    """The graph of a target and how deep it is shown; None: to the end.

    The project's own requirements are at depth 0.
    """

    graph: LockedGraph
    depth: int | None = None

    def lines(self) -> Iterator[TreeLine]:
        """Yield the lines, depth first; what is below a package is shown once."""
        shown: set[str] = set()
        roots = self.graph.roots
        stack: list[tuple[str, str, tuple[bool, ...]]] = [
            (root.name, _origin(root.places), (position == 0,))
            for position, root in enumerate(reversed(roots))
        ]
        while stack:
            name, note, last = stack.pop()
            node = self.graph.nodes[name]
            below = node.dependencies
            cut = self.depth is not None and len(last) > self.depth
            repeated = bool(below) and name in shown
            yield TreeLine(text=f"{node}{note}", last=last, repeated=repeated)
            if cut or repeated:
                continue
            shown.add(name)
            stack += [
                (each, "", (*last, position == 0))
                for position, each in enumerate(reversed(below))
            ]

    def to_json(self) -> dict[str, Any]:
        """Return a target of ``tree --json``; packages are listed once, with edges."""
        nodes = self.graph.within(
            len(self.graph.nodes) if self.depth is None else self.depth
        )
        return {
            "target": self.graph.target,
            "requirements": [
                {"name": root.name, "places": list(root.places)}
                for root in self.graph.roots
            ],
            "packages": [
                {
                    "name": node.name,
                    "version": node.version,
                    "label": node.label,
                    "size": node.size,
                    "dependencies": list(node.dependencies),
                }
                for node in nodes
            ],
        }


def trees(settings: Settings, *, depth: int | None = None) -> list[DependencyTree]:
    """Return the tree of the target asked for, or of every target.

    Reads the lock file alone. Raises UsageError, LockFileInvalid, NoSuchTarget.
    """
    graphs = locked_graphs(settings)
    return [DependencyTree(graph=graph, depth=depth) for graph in graphs]


def _origin(places: tuple[str, ...]) -> str:
    """Name the groups or extras that alone ask for a requirement."""
    if "project" in places:
        return ""
    return f" [{', '.join(places) or 'no requirement leads here'}]"
