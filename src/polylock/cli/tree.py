"""``polylock tree``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.logs import style
from polylock.cli.options import JSON, settings
from polylock.operations.tree import trees

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.operations.tree import DependencyTree

__all__ = ["command"]

_DRAWN = ("├── ", "└── ", "│   ", "    ")
_PLAIN = ("|-- ", "`-- ", "|   ", "    ")


@click.command("tree", epilog="Example: polylock tree --target h100 --depth 1")
@settings("target", "groups", "extras")
@click.option(
    "--depth",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many levels to show below the project's own requirements.",
)
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Show the locked dependencies of a target, or of every target, as a tree.

    A label in parentheses is the chosen variant; what is below a package marked (*)
    was shown before. With no group or extra named, all of them are shown.
    """
    chosen = begin(values)
    found = trees(chosen, depth=values["depth"])
    if values["as_json"]:
        print_json([tree.to_json() for tree in found])
    else:
        text = "\n".join("".join(_drawn(tree)) for tree in found)
        sys.stdout.write(text)
    return 0


def _drawn(tree: DependencyTree) -> Iterator[str]:
    branch, corner, line, gap = _DRAWN if _can_draw() else _PLAIN
    yield style(tree.graph.target, "strong", error=False) + "\n"
    for each in tree.lines():
        ancestors = "".join(gap if last else line for last in each.last[:-1])
        here = corner if each.last[-1] else branch
        yield f"{ancestors}{here}{each.text}{' (*)' if each.repeated else ''}\n"


def _can_draw() -> bool:
    """Say whether stdout takes the characters: a pipe on Windows may not."""
    try:
        "".join(_DRAWN).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
