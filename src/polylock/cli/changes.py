"""The differences between two lock files in words, for ``lock`` and ``diff``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from polylock.cli.terminal import style, width_of
from polylock.lockfile.changes import Change, ChangeKind, TargetDiff
from polylock.model.quantities import counted, file_size

if TYPE_CHECKING:
    from polylock.operations.inspect.diff import LockDiff

__all__ = ["diff_lines", "summary_lines"]

_LONGEST_NAME = 32
"""Longer names, in characters, do not widen the column of names."""


def summary_lines(changed: Sequence[TargetDiff], targets: int) -> Iterator[str]:
    """Yield a line per change for ``lock``: ``torch 2.11.0 -> 2.15.0 on h100, ci``.

    ``targets`` is the number of targets of the project. A change of all targets is
    shown without their names.
    """
    gathered: dict[tuple[str, str], list[str]] = {}
    for each in changed:
        if each.state == "changed":
            for change in each.changes:
                line = _summary(change)
                gathered.setdefault((change.name, line), []).append(each.target)
    for (_, line), names in sorted(gathered.items()):
        where = "" if len(names) == targets else f" on {', '.join(names)}"
        yield f"  {line}{where}"
    for each in changed:
        if each.state == "added":
            yield f"  new target {each.target}: {counted(len(each.changes), 'package')}"
        elif each.state == "removed":
            yield f"  {each.target} is no longer a target"


def diff_lines(found: LockDiff) -> Iterator[str]:
    """Yield the lines of ``diff``: targets with the same changes together."""
    same = [each.target for each in found.targets if each.state == "same"]
    groups = [group for group in found.grouped() if group[0].state != "same"]
    names = [change.name for group in groups for change in group[0].changes]
    width = min(max(map(width_of, names), default=0), _LONGEST_NAME)
    for position, group in enumerate(groups):
        if position:
            yield ""
        yield from _group(group, width)
    if same:
        if groups:
            yield ""
        yield _faint(f"no change for {', '.join(same)}")


def _group(group: tuple[TargetDiff, ...], width: int) -> Iterator[str]:
    """Yield the changes of targets that share them; ``width`` is that of names."""
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
        sign, color = _SIGNS.get(change.kind, ("~", "changed"))
        name = change.name.ljust(width)
        versions = _versions(change, error=False)
        yield f"  {style(sign, color, error=False)} {name} {versions}"
    if len({each.sizes for each in group}) > 1:
        for each in group:
            yield _faint(f"  download for {each.target} {_sizes(*each.sizes)}")


_SIGNS = {ChangeKind.ADDED: ("+", "added"), ChangeKind.REMOVED: ("-", "removed")}


def _summary(change: Change) -> str:
    text = f"{change.name} {_versions(change, error=True)}"
    match change.kind:
        case ChangeKind.ADDED:
            return f"{style('added', 'added')} {text}"
        case ChangeKind.REMOVED:
            return f"{style('removed', 'removed')} {text}"
        case ChangeKind.FILE | ChangeKind.VERSION | ChangeKind.VARIANT:
            return text


def _versions(change: Change, *, error: bool) -> str:
    """Return the versions of a change: ``2.0``, ``1.0 -> 2.0``, ``2.0, another file``.

    ``error`` says whether the text goes to stderr, for its colours.
    """
    before = style(str(change.before), "removed", error=error)
    after = style(str(change.after), "added", error=error)
    match change.kind:
        case ChangeKind.ADDED:
            return after
        case ChangeKind.REMOVED:
            return before
        case ChangeKind.FILE:
            return f"{change.after}, another file"
        case ChangeKind.VERSION | ChangeKind.VARIANT:
            older = style(", older", "changed", error=error)
            return f"{before} -> {after}{older if change.is_downgrade else ''}"


def _faint(text: str) -> str:
    return style(text, "faint", error=False)


def _sizes(before: int, after: int) -> str:
    if before == after:
        return f"{file_size(after)} as before"
    sign = "+" if after > before else "-"
    difference = file_size(abs(after - before))
    return f"{file_size(before)} -> {file_size(after)} ({sign}{difference})"
