"""``polylock tree``: the locked dependencies of a target as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.errors import UsageError
from polylock.operations.inspect.graph import (
    PROJECT,
    LockedGraph,
    Node,
    locked_graphs,
    reachable,
)
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from polylock.operations.inspect.outdated import Outdated
    from polylock.project.settings import Settings

__all__ = ["DependencyTree", "TreeLine", "TreeShape", "trees"]


class TreeLine(Value, frozen=True, kw_only=True):
    """A line of a tree.

    ``note`` has the groups or extras that require the package, if they are shown.
    ``last`` has for each level from the root whether the line's ancestor there, and
    finally the line itself, is the last of its siblings. ``repeated`` means that its
    dependencies were shown before. ``newest`` is a newer version or empty.
    """

    node: Node
    note: str
    last: tuple[bool, ...]
    repeated: bool = False
    newest: str = ""

    @property
    def text(self) -> str:
        """Return the text without tree lines."""
        return f"{self.node}{self.newest}{self.note}"


class TreeShape(Value, frozen=True, kw_only=True):
    """The part of a graph to show.

    ``depth`` is the number of levels below the top, None for all. ``packages`` are the
    normalized names at the top, by default the requirements of the project.
    ``inverted`` shows below a package the packages that require it, starting from those
    without dependencies.
    """

    depth: int | None = None
    packages: tuple[str, ...] = ()
    inverted: bool = False


class DependencyTree(Value, frozen=True, kw_only=True):
    """The graph of a target, and the part of it to show.

    ``newest`` has the newest version of each outdated project; None means unknown.
    """

    graph: LockedGraph
    shape: TreeShape
    newest: Mapping[str, str] | None = None

    def lines(self) -> Iterator[TreeLine]:
        """Yield the lines, depth first; each package is expanded once."""
        shown: set[str] = set()
        edges, places = self._edges(), self._places()
        stack: list[tuple[str, tuple[bool, ...]]] = [
            (name, (position == 0,))
            for position, name in enumerate(reversed(self._top(edges)))
        ]
        depth = self.shape.depth
        while stack:
            name, last = stack.pop()
            below = edges[name]
            repeated = bool(below) and name in shown
            yield TreeLine(
                node=self.graph.nodes[name],
                note=self._note(places.get(name), is_top=len(last) == 1),
                last=last,
                repeated=repeated,
                newest=(self.newest or {}).get(name, ""),
            )
            if repeated or (depth is not None and len(last) > depth):
                continue
            shown.add(name)
            stack += [
                (each, (*last, position == 0))
                for position, each in enumerate(reversed(below))
            ]

    def to_json(self) -> dict[str, Any]:
        """Return a target of ``tree --json``, with each package once and its edges."""
        edges, places = self._edges(), self._places()
        shown = reachable(self._top(edges), edges, self.shape.depth)
        return {
            "target": self.graph.target,
            "requirements": [
                {"name": name, "places": list(places[name])}
                for name in sorted(shown)
                if name in places
            ],
            "packages": [
                {
                    "name": node.name,
                    "version": node.version,
                    "label": node.label,
                    "size": node.size,
                    "dependencies": list(node.dependencies),
                    **self._newest_of(node.name),
                }
                for node in (self.graph.nodes[name] for name in sorted(shown))
            ],
        }

    def _newest_of(self, name: str) -> dict[str, str | None]:
        return {} if self.newest is None else {"newest": self.newest.get(name)}

    def _edges(self) -> Mapping[str, Sequence[str]]:
        """Map each package to its children in the tree."""
        nodes = self.graph.nodes
        if not self.shape.inverted:
            return self.graph.edges
        edges: dict[str, list[str]] = {name: [] for name in nodes}
        for name, node in nodes.items():  # by name, so that each list is sorted
            for dependency in node.dependencies:
                edges[dependency].append(name)
        return edges

    def _top(self, edges: Mapping[str, Sequence[str]]) -> list[str]:
        nodes = self.graph.nodes
        if self.shape.packages:
            return [name for name in self.shape.packages if name in nodes]
        if not self.shape.inverted:
            return [root.name for root in self.graph.roots]
        leaves = [name for name, node in nodes.items() if not node.dependencies]
        # Packages in cycles without a way to a leaf.
        rest = sorted(nodes.keys() - reachable(leaves, edges))
        return leaves + rest[:1] if rest else leaves

    def _places(self) -> Mapping[str, tuple[str, ...]]:
        return {root.name: root.places for root in self.graph.roots}

    def _note(self, places: tuple[str, ...] | None, *, is_top: bool) -> str:
        """Return the groups or extras that require a package, if the project does not.

        In an inverted tree the project's own requirement is shown as well.
        """
        if places is None or not (is_top or self.shape.inverted):
            return ""
        if PROJECT in places and not self.shape.inverted:
            return ""
        return f" [{', '.join(places) or 'no known requirement'}]"


def trees(
    settings: Settings, shape: TreeShape, outdated: Outdated | None = None
) -> list[DependencyTree]:
    """Return the tree of the target in the settings, or of every target.

    ``outdated`` adds newest versions. Targets with none of the packages in ``shape``
    are left out. Reads only the lock file. Raises UsageError, LockFileInvalid,
    NoSuchTarget.
    """
    graphs = locked_graphs(settings)
    known = {name for graph in graphs for name in graph.nodes}
    for name in shape.packages:
        if name not in known:
            where = settings.target or "any target"
            raise UsageError(
                f"{name} is not locked for {where}", f"polylock why {name}"
            )
    wanted = set(shape.packages)
    return [
        DependencyTree(graph=graph, shape=shape, newest=_newest(outdated, graph.target))
        for graph in graphs
        if not wanted or wanted & graph.nodes.keys()
    ]


def _newest(outdated: Outdated | None, target: str) -> Mapping[str, str] | None:
    if outdated is None:
        return None
    return {name: pin.newest for name, pin in outdated.of_target(target).items()}
