"""The locked packages of a target as a graph, from the project's requirements down.

A lock file stores the edges of a package for all targets that share it. An edge counts
for a target if the target installs the dependency. So an edge of only one of two
targets that share a package may be shown for both.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.errors import LockFileInvalid
from polylock.explain.reasons import RootOrigin
from polylock.model.folding import fold
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.operations.chosen import chosen_to_show
from polylock.operations.inspect.selection import (
    LockedSelection,
    open_lock,
    require_record,
    selections,
)
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from polylock.lockfile.pylock import Package, Pylock
    from polylock.lockfile.record import LockedInputs, VariantChoice
    from polylock.lockfile.select import Selected
    from polylock.model.target import Target
    from polylock.operations.chosen import Chosen
    from polylock.project.settings import Settings

__all__ = [
    "PROJECT",
    "LockedGraph",
    "Node",
    "Root",
    "locked_graphs",
    "reachable",
    "selection_graph",
]

PROJECT = "project"
"""The place of the project's own dependencies; others are like ``group test``."""


class Node(Value, frozen=True, kw_only=True):
    """A package of one target; ``size`` is in bytes, None if it is not known.

    ``choice`` is the reason for its variant, None if there were no variants.
    """

    name: str
    version: str | None
    label: str | None
    size: int | None
    dependencies: tuple[str, ...]
    choice: VariantChoice | None = None

    def __str__(self) -> str:
        label = f" ({self.label})" if self.label else ""
        return f"{self.name} {self.version or 'source'}{label}"


class Root(Value, frozen=True, kw_only=True):
    """A direct requirement of the project, and the places that have it.

    ``places`` is empty for a package without an incoming edge: the lock file of another
    tool may have no edges.
    """

    name: str
    places: tuple[str, ...]


class LockedGraph(Value, frozen=True, kw_only=True):
    """The packages of one target: roots sorted by name, nodes by name.

    ``requirements`` are those of the project that hold there, each with its place.
    """

    target: str
    roots: tuple[Root, ...]
    nodes: Mapping[str, Node]
    requirements: tuple[tuple[RootOrigin, Requirement], ...] = ()

    def dependents(self, name: str) -> tuple[str, ...]:
        """Return the packages that require this one directly, sorted."""
        return tuple(
            sorted(
                node.name for node in self.nodes.values() if name in node.dependencies
            )
        )

    def chains(self, name: str) -> tuple[tuple[str, ...], ...]:
        """Return the shortest chains from requirements of the project to a package.

        There is one for each package that requires it directly, and one with ``name``
        alone if the project requires it. All chains could be exponentially many.
        """
        before = self._breadth_first()
        roots = {root.name for root in self.roots}
        found: list[tuple[str, ...]] = [(name,)] if name in roots else []
        for dependent in self.dependents(name):
            if dependent == name or dependent not in before:
                continue
            chain = [name, dependent]
            while (parent := before[chain[-1]]) is not None:
                chain.append(parent)
            if name not in chain[1:]:
                found.append(tuple(reversed(chain)))
        return tuple(found)

    @property
    def edges(self) -> Mapping[str, Sequence[str]]:
        """Return the dependencies of each package."""
        return {name: node.dependencies for name, node in self.nodes.items()}

    def within(self, depth: int) -> tuple[Node, ...]:
        """Return the packages at most ``depth`` edges below the roots, sorted."""
        reached = reachable((root.name for root in self.roots), self.edges, depth)
        return tuple(self.nodes[name] for name in sorted(reached))

    def _breadth_first(self) -> dict[str, str | None]:
        """Map each reachable package to its predecessor, None for roots."""
        before: dict[str, str | None] = {root.name: None for root in self.roots}
        queue = deque(before)
        while queue:
            name = queue.popleft()
            for dependency in self.nodes[name].dependencies:
                if dependency not in before:
                    before[dependency] = name
                    queue.append(dependency)
        return before


def reachable(
    start: Iterable[str], edges: Mapping[str, Sequence[str]], depth: int | None = None
) -> set[str]:
    """Return the names at most ``depth`` edges from the start, by default all."""
    reached = set(start)
    border, steps = reached, 0
    while border and (depth is None or steps < depth):
        border = {below for name in border for below in edges[name]} - reached
        reached = reached | border
        steps += 1
    return reached


def selection_graph(
    pylock: Pylock,
    path: Path,
    selection: LockedSelection,
    *,
    chosen: Chosen,
) -> LockedGraph:
    """Return the graph of a selection with these groups and extras.

    Raises UsageError for another tool's lock file, LockFileInvalid.
    """
    inputs = require_record(pylock, path, "run `polylock lock`").inputs
    wanted = _Wanted(path=str(path), inputs=inputs, chosen=chosen)
    return _graph(selection, wanted)


def locked_graphs(settings: Settings) -> tuple[LockedGraph, ...]:
    """Return the graph of the target in the settings, or of every target.

    Without groups or extras in the settings, all are included. Reads only the lock
    file. Raises UsageError, LockFileInvalid, NoSuchTarget.
    """
    pylock, path = open_lock(settings)
    require_record(pylock, path, "run `polylock lock`")
    chosen = chosen_to_show(settings, pylock)
    return tuple(
        selection_graph(pylock, path, selection, chosen=chosen)
        for selection in selections(pylock, path, target=settings.target, chosen=chosen)
    )


class _Wanted(Value, frozen=True, kw_only=True):
    """The recorded requirements, and the groups and extras to show."""

    path: str
    inputs: LockedInputs
    chosen: Chosen

    def requirements(self, target: Target) -> Iterator[tuple[RootOrigin, Requirement]]:
        """Yield the requirements that hold on a target, each with its place."""
        inputs = self.inputs
        tables: list[tuple[RootOrigin, Sequence[str]]] = []
        tables.append((RootOrigin(), inputs.requirements))
        chosen = {canonicalize_name(name) for name in self.chosen.groups}
        for name, texts in inputs.groups.items():
            if canonicalize_name(name) in chosen:
                tables.append((RootOrigin("group", name), texts))
        chosen = {canonicalize_name(name) for name in self.chosen.extras}
        for name, texts in inputs.extras.items():
            if canonicalize_name(name) in chosen:
                tables.append((RootOrigin("extra", name), texts))
        for name, texts in inputs.targets.items():
            if canonicalize_name(name) == canonicalize_name(target.name):
                tables.append((RootOrigin("target", name), texts))
        for origin, asked in tables:
            for text in asked:
                requirement = self._parsed(text)
                marker = requirement.marker_expression
                if marker is None or fold(marker, target) is not False:
                    yield origin, requirement

    def _parsed(self, text: str) -> Requirement:
        try:
            return Requirement.parse(text)
        except InvalidRequirement as error:
            reason = str(error).partition("\n")[0]
            problem = f"{text!r} is not a requirement: {reason}"
            raise LockFileInvalid(self.path, "tool.polylock", problem) from error


def _graph(selection: LockedSelection, wanted: _Wanted) -> LockedGraph:
    selected = {str(found.package.name): found for found in selection.selected}
    target = selection.target
    nodes = {
        name: _node(found, selected, target) for name, found in sorted(selected.items())
    }
    places: dict[str, list[str]] = {}
    requirements = tuple(wanted.requirements(target))
    for origin, requirement in requirements:
        if requirement.name in nodes:
            place = f"{origin.table} {origin.name}".rstrip()
            known = places.setdefault(requirement.name, [])
            if place not in known:
                known.append(place)
    graph = LockedGraph(target=target.name, roots=_roots(places), nodes=nodes)
    reached = {node.name for node in graph.within(len(nodes))}
    for name in nodes:
        if name not in reached:
            places[name] = []
    return LockedGraph(
        target=target.name,
        roots=_roots(places),
        nodes=nodes,
        requirements=requirements,
    )


def _roots(places: Mapping[str, list[str]]) -> tuple[Root, ...]:
    return tuple(
        Root(name=name, places=tuple(found)) for name, found in sorted(places.items())
    )


def _node(found: Selected, selected: Mapping[str, Selected], target: Target) -> Node:
    package = found.package
    choices = [each for each in package.variants if each.target == target.name]
    return Node(
        name=package.name,
        version=package.version,
        label=found.variant_label,
        size=found.size,
        dependencies=tuple(sorted(_dependencies(package, selected))),
        choice=choices[0] if choices else None,
    )


def _dependencies(package: Package, selected: Mapping[str, Selected]) -> set[str]:
    """Return the packages that the references name, if the target installs them.

    PEP 751: a reference has the keys that distinguish a package from others of its
    name.
    """
    found = set()
    for reference in package.dependencies or ():
        name = canonicalize_name(str(reference.get("name", "")))
        other = selected.get(name)
        if other is None:
            continue
        marker = other.package.marker
        said = {"version": other.package.version}
        if marker is not None:
            said["marker"] = str(marker)
        if all(reference.get(key) in {None, value} for key, value in said.items()):
            found.add(str(name))
    return found
