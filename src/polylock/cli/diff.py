"""``polylock diff``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, Command, settings
from polylock.cli.terminal import style, width_of, write_lines
from polylock.lockfile.changes import Change, ChangeKind, Side, TargetDiff
from polylock.model.quantities import counted, file_size
from polylock.operations.inspect.diff import LockDiff, diff

__all__ = ["command"]

_NAMES = 32
"""Up to this length of names, in characters, what follows them is aligned."""


@click.command("diff", cls=Command, epilog="Example: polylock diff HEAD")
@settings("target")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", required=False, type=click.Path(path_type=Path))
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Compare two lock files, target by target: versions, variants, sizes.

    Each is a file, or a revision of git: HEAD, main. Without AFTER the lock file of the
    project is the later one. Targets for which the same has changed are told together.
    All groups and extras are compared. Differences are no error: the exit code is 0.
    """
    chosen = begin(values)
    found = diff(chosen, values["before"], values["after"], variables=os.environ)
    if values["as_json"]:
        print_json(found.to_json())
    else:
        write_lines(_told(found))
    return 0


def _told(found: LockDiff) -> Iterator[str]:
    same = [each.target for each in found.targets if each.state == "same"]
    told = [group for group in found.grouped() if group[0].state != "same"]
    names = [change.name for group in told for change in group[0].changes]
    width = min(max(map(width_of, names), default=0), _NAMES)
    for position, group in enumerate(told):
        if position:
            yield ""
        yield from _group(group, width)
    if same:
        if told:
            yield ""
        yield _faint(f"no change for {', '.join(same)}")


def _group(group: tuple[TargetDiff, ...], width: int) -> Iterator[str]:
    """Yield what changed for targets for which the same did; ``width`` is of names."""
    first = group[0]
    head = ", ".join(style(each.target, "strong", error=False) for each in group)
    if first.state == "added":
        size = file_size(first.sizes[1])
        yield f"{head}: new target, {size} in {len(first.changes)} packages"
        return
    if first.state == "removed":
        yield f"{head}: no longer a target"
        return
    changes = counted(len(first.changes), "change")
    if len({each.sizes for each in group}) == 1:
        yield f"{head}: {changes}, download {_sizes(*first.sizes)}"
    else:
        yield f"{head}: {changes}"
    for change in first.changes:
        yield f"  {_change(change, width)}"
    if len({each.sizes for each in group}) > 1:
        for each in group:
            yield _faint(f"  download for {each.target} {_sizes(*each.sizes)}")


def _change(change: Change, width: int) -> str:
    name = change.name.ljust(width)
    match change.kind:
        case ChangeKind.ADDED:
            return f"{_mark('+', 'added')} {name} {_side(change.after, 'added')}"
        case ChangeKind.REMOVED:
            return f"{_mark('-', 'removed')} {name} {_side(change.before, 'removed')}"
        case ChangeKind.FILE:
            return f"{_mark('~', 'changed')} {name} {_side(change.after)}, another file"
        case ChangeKind.VERSION | ChangeKind.VARIANT:
            before, after = (
                _side(change.before, "removed"),
                _side(change.after, "added"),
            )
            note = _mark(", older", "changed") if change.is_downgrade else ""
            return f"{_mark('~', 'changed')} {name} {before} -> {after}{note}"


def _side(side: Side | None, color: str = "") -> str:
    text = str(side)
    return style(text, color, error=False) if color else text


def _mark(text: str, color: str) -> str:
    return style(text, color, error=False)


def _faint(text: str) -> str:
    return style(text, "faint", error=False)


def _sizes(before: int, after: int) -> str:
    if before == after:
        return f"{file_size(after)} as before"
    sign = "+" if after > before else "-"
    difference = file_size(abs(after - before))
    return f"{file_size(before)} -> {file_size(after)} ({sign}{difference})"
