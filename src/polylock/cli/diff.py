"""``polylock diff``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.logs import style
from polylock.cli.options import JSON, settings
from polylock.model.quantities import file_size
from polylock.operations.diff import ChangeKind, diff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.operations.diff import Change, LockDiff, TargetDiff

__all__ = ["command"]


@click.command("diff", epilog="Example: polylock diff HEAD")
@settings("target")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", required=False, type=click.Path(path_type=Path))
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Compare two lock files, target by target: versions, variants, sizes.

    Each is a file, or a revision of git: HEAD, main. Without AFTER the lock file of the
    project is the later one. All groups and extras are compared. Differences are no
    error: the exit code is 0.
    """
    chosen = begin(values)
    found = diff(chosen, values["before"], values["after"], variables=os.environ)
    if values["as_json"]:
        print_json(found.to_json())
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _told(found)))
    return 0


def _told(found: LockDiff) -> Iterator[str]:
    same = [each.target for each in found.targets if each.state == "same"]
    for each in found.targets:
        if each.state != "same":
            yield from _target(each)
    if same:
        yield f"no change for {', '.join(same)}"


def _target(found: TargetDiff) -> Iterator[str]:
    before, after = found.sizes
    head = style(found.target, "strong", error=False)
    if found.state == "added":
        yield f"{head}: new target, {file_size(after)} in {len(found.changes)} packages"
        return
    if found.state == "removed":
        yield f"{head}: no longer a target"
        return
    count = len(found.changes)
    changes = "1 change" if count == 1 else f"{count} changes"
    yield f"{head}: {changes}, download {_sizes(before, after)}"
    for change in found.changes:
        yield f"  {_change(change)}"


def _change(change: Change) -> str:
    match change.kind:
        case ChangeKind.ADDED:
            return f"+ {change.name} {change.after}"
        case ChangeKind.REMOVED:
            return f"- {change.name} {change.before}"
        case ChangeKind.VERSION | ChangeKind.VARIANT:
            return f"~ {change.name} {change.before} -> {change.after}"
        case ChangeKind.FILE:
            return f"~ {change.name} {change.after}, another file"


def _sizes(before: int, after: int) -> str:
    if before == after:
        return f"{file_size(after)} as before"
    sign = "+" if after > before else "-"
    difference = file_size(abs(after - before))
    return f"{file_size(before)} -> {file_size(after)} ({sign}{difference})"
