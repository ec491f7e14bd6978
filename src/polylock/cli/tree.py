"""``polylock tree``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from packaging.utils import canonicalize_name

from polylock.cli.invocation import ask_outdated, begin_with_lock, print_json
from polylock.cli.options import JSON, SELECTION, Command, settings
from polylock.cli.terminal import style, write_lines
from polylock.model.quantities import counted
from polylock.operations.inspect.tree import DependencyTree, TreeLine, TreeShape, trees

if TYPE_CHECKING:
    from collections.abc import Iterator

    _Group = list[DependencyTree]
    TreeText = tuple[str, tuple[bool, ...], bool]

__all__ = ["command"]

_DRAWN = ("├── ", "└── ", "│   ", "    ")
_PLAIN = ("|-- ", "`-- ", "|   ", "    ")


@click.command(
    "tree", cls=Command, epilog="Example: polylock tree --target h100 --depth 1"
)
@settings(
    "target",
    *SELECTION,
    "index_url",
    "torch_index",
    "offline",
    "threads",
    "timeout",
)
@click.option(
    "--package",
    "packages",
    multiple=True,
    metavar="NAME",
    help="Begin with this package; can be given more than once.",
)
@click.option("--invert", is_flag=True, help="Show below a package what requires it.")
@click.option(
    "--depth",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many levels to show below the top.",
)
@click.option(
    "--outdated",
    "shows_outdated",
    is_flag=True,
    help="Mark packages with a newer version on the index.",
)
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Show the locked dependencies of a target, or of every target, as a tree.

    A label in parentheses is the chosen variant. (*) marks a package whose dependencies
    are shown above; 1.0 < 2.0 marks a newer version. Targets with the same tree share
    it. Without --group or --extra, all groups and extras are shown.
    """
    chosen = begin_with_lock(values)
    shape = TreeShape(
        depth=values["depth"],
        packages=tuple(canonicalize_name(name) for name in values["packages"]),
        inverted=values["invert"],
    )
    found = trees(
        chosen, shape, ask_outdated(chosen) if values["shows_outdated"] else None
    )
    if values["as_json"]:
        print_json([tree.to_json() for tree in found])
    else:
        for position, group in enumerate(_grouped(found)):
            write_lines([""] if position else [])
            write_lines(_drawn(group))
    return 0


def _grouped(found: list[DependencyTree]) -> Iterator[_Group]:
    """Yield the targets in groups with the same tree."""
    groups: dict[tuple[TreeText, ...], list[DependencyTree]] = {}
    for tree in found:
        text = tuple((line.text, line.last, line.repeated) for line in tree.lines())
        groups.setdefault(text, []).append(tree)
    yield from groups.values()


def _drawn(group: _Group) -> Iterator[str]:
    branch, corner, line, gap = _DRAWN if _can_draw() else _PLAIN
    heads = [_styled(tree.graph.target, "strong") for tree in group]
    whole = not group[0].shape.packages
    count = f": {counted(len(group[0].graph.nodes), 'package')}" if whole else ""
    yield f"{', '.join(heads)}{count}"
    for each in group[0].lines():
        ancestors = "".join(gap if last else line for last in each.last[:-1])
        here = corner if each.last[-1] else branch
        lines = _styled(ancestors + here, "faint")
        repeated = _styled(" (*)", "faint") if each.repeated else ""
        yield f"{lines}{_package(each)}{repeated}"


def _package(line: TreeLine) -> str:
    node = line.node
    label = _styled(f" ({node.label})", "label") if node.label else ""
    newer = _styled(f" < {line.newest}", "changed") if line.newest else ""
    version = _styled(node.version or "source", "added")
    return f"{node.name} {version}{label}{newer}{_styled(line.note, 'changed')}"


def _styled(text: str, name: str) -> str:
    return style(text, name, error=False)


def _can_draw() -> bool:
    """Return True if stdout can encode the characters: a pipe on Windows may not."""
    try:
        "".join(_DRAWN).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
