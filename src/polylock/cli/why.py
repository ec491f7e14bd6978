"""``polylock why``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import begin, print_json, reporting
from polylock.cli.options import (
    INDEX_SETTINGS,
    JSON,
    SELECTION,
    Command,
    offered,
    settings,
)
from polylock.cli.terminal import folded, shown, style
from polylock.explain.words import clause
from polylock.operations.inspect.why import Evidence, Reason, Why, why

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.operations.inspect.graph import Node

__all__ = ["command"]


@click.command("why", cls=Command, epilog="Example: polylock why torch --target h100")
@settings("target", *SELECTION, *INDEX_SETTINGS)
@click.argument("name", shell_complete=offered("locked"))
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Explain who requires a project, and why its version and variant were chosen.

    The lock file lists only what was chosen; the reasons against other variants and
    newer versions come from the cache or the index. Without --group or --extra, all
    groups and extras are included.
    """
    chosen = begin(values)
    with reporting(chosen) as reporter:
        found = why(chosen, values["name"], reporter)
    if values["as_json"]:
        print_json(found.to_json())
    else:
        sys.stdout.write(
            "\n".join(folded(shown(line, error=False)) for line in _lines(found)) + "\n"
        )
    return 0


def _lines(found: Why) -> Iterator[str]:
    for position, (targets, reason) in enumerate(found.grouped()):
        if position:
            yield ""
        head = ", ".join(style(each, "strong", error=False) for each in targets)
        node = reason.node
        if node is None:
            yield f"{head}: not installed"
            yield from (f"  {each}" for each in reason.refusals)
            if not reason.refusals:
                yield "  nothing that is installed there requires it"
            continue
        yield f"{head}: {node}"
        yield from _required(reason)
        yield from _chosen(node)
        yield from _alternatives(node, reason.evidence)
    for note in found.notes:
        yield ""
        yield f"note: {note}"


def _alternatives(node: Node, evidence: Evidence) -> Iterator[str]:
    if evidence.labels:
        yield f"  labels of {node.version}"
    for label in evidence.labels:
        color = "label" if label.reason else "added"
        name = style(label.label or "no label", color, error=False)
        yield f"    {name}: {clause(label.reason) if label.reason else 'chosen'}"
    if evidence.newer:
        yield "  newer versions"
    for versions in evidence.newer:
        named = style(versions.versions, "label", error=False)
        yield f"    {named}: {clause(versions.reason)}"
    for note in evidence.notes:
        yield f"  note: {note}"


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
