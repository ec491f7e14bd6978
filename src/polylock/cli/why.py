"""``polylock why``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.logs import style
from polylock.cli.options import JSON, settings
from polylock.operations.why import why

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.operations.graph import Node
    from polylock.operations.why import Reason, Why

__all__ = ["command"]


@click.command("why", epilog="Example: polylock why torch --target h100")
@settings("target", "groups", "extras")
@click.argument("name")
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Say who requires a locked project, and why its variant was chosen.

    Reads the lock file alone. It lists the variants that were chosen and no others,
    so what the others lacked is not told. With no group or extra named, all of them
    count.
    """
    chosen = begin(values)
    found = why(chosen, values["name"])
    if values["as_json"]:
        print_json(found.to_json())
    else:
        sys.stdout.write("\n".join(_told(found)) + "\n")
    return 0


def _told(found: Why) -> Iterator[str]:
    variants = False
    for position, (targets, reason) in enumerate(found.grouped()):
        if position:
            yield ""
        head = style(", ".join(targets), "strong", error=False)
        node = reason.node
        if node is None:
            yield f"{head}: not installed"
            continue
        yield f"{head}: {node}"
        yield from _required(reason)
        yield from _chosen(node)
        variants = variants or node.choice is not None
    if variants:
        yield ""
        yield "The lock file lists the chosen variants alone: what the others lacked"
        yield "is not in it."


def _required(reason: Reason) -> Iterator[str]:
    for place in reason.places:
        yield f"  required by the {place}"
    for chain in reason.chains:
        yield f"  required by {' > '.join(chain)}"


def _chosen(node: Node) -> Iterator[str]:
    if node.choice is None:
        return
    if not node.choice.label:
        yield "  the wheel without a variant: none of the release's variants was chosen"
    elif not node.choice.decided_by:
        yield f"  variant {node.choice.label}, which needs no property"
    else:
        yield f"  variant {node.choice.label}, decided by"
        for item in node.choice.decided_by:
            yield f"    {item}"
