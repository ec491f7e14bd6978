"""What a new lock file changes, a line each project, for the end of ``lock``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from polylock.cli.terminal import style
from polylock.lockfile.changes import Change, ChangeKind, TargetDiff
from polylock.model.quantities import counted

__all__ = ["change_lines"]


def change_lines(changed: Sequence[TargetDiff], targets: int) -> Iterator[str]:
    """Yield the lines: ``torch 2.11.0 -> 2.15.0 on h100, ci``.

    ``targets`` is how many the project has; what has changed for all of them alike is
    told without their names.
    """
    gathered: dict[tuple[str, str], list[str]] = {}
    for each in changed:
        if each.state == "changed":
            for change in each.changes:
                line = _told(change)
                gathered.setdefault((change.name, line), []).append(each.target)
    for (_, line), names in sorted(gathered.items()):
        where = "" if len(names) == targets else f" on {', '.join(names)}"
        yield f"  {line}{where}"
    for each in changed:
        if each.state == "added":
            yield f"  new target {each.target}: {counted(len(each.changes), 'package')}"
        elif each.state == "removed":
            yield f"  {each.target} is no longer a target"


def _told(change: Change) -> str:
    name, before, after = change.name, change.before, change.after
    match change.kind:
        case ChangeKind.ADDED:
            return f"{style('added', 'added')} {name} {after}"
        case ChangeKind.REMOVED:
            return f"{style('removed', 'removed')} {name} {before}"
        case ChangeKind.FILE:
            return f"{name} {after}: another file"
        case ChangeKind.VERSION | ChangeKind.VARIANT:
            older = style(", older", "changed") if change.is_downgrade else ""
            return f"{name} {before} -> {after}{older}"
