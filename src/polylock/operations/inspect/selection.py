"""The packages and files that targets of a lock file install, for reading commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import UsageError
from polylock.lockfile.record import Record, locked_target
from polylock.lockfile.select import Selected, project_groups, select
from polylock.operations.machine import AUTO, Chosen, target_of_this_machine
from polylock.operations.workspace import (
    lock_path,
    outdated_warning,
    require_lock,
    require_target,
)
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from polylock.lockfile.pylock import Pylock
    from polylock.model.target import Target
    from polylock.project.settings import Settings

__all__ = [
    "LockedSelection",
    "every_group",
    "groups_to_show",
    "lock_warning",
    "named_selection",
    "named_selections",
    "open_lock",
    "require_record",
    "selections",
    "target_names",
]


class LockedSelection(Value, frozen=True, kw_only=True):
    """A target with the packages and files that it installs."""

    target: Target
    selected: tuple[Selected, ...]


def open_lock(settings: Settings) -> tuple[Pylock, Path]:
    """Read the lock file; raises UsageError if there is none, LockFileInvalid."""
    path = lock_path(settings)
    return require_lock(path, settings), path


def lock_warning(settings: Settings) -> str | None:
    """Return a warning if the lock file is out of date.

    Raises UsageError if there is none, LockFileInvalid.
    """
    pylock, path = open_lock(settings)
    return outdated_warning(settings, pylock, path)


def every_group(pylock: Pylock) -> tuple[Sequence[str], Sequence[str]]:
    """Return all groups except targets, and all extras."""
    return project_groups(pylock), pylock.extras or ()


def groups_to_show(
    pylock: Pylock, settings: Settings
) -> tuple[Sequence[str], Sequence[str]]:
    """Return the groups and extras in the settings, or all if there are none."""
    if settings.groups or settings.extras:
        return settings.groups, settings.extras
    return every_group(pylock)


def require_record(pylock: Pylock, path: Path, hint: str) -> Record:
    """Return ``[tool.polylock]``; raises UsageError for another tool's lock file."""
    if pylock.polylock is None:
        problem = f"{path} was not written by polylock, so it names no targets"
        raise UsageError(problem, hint)
    return pylock.polylock


def named_selections(
    pylock: Pylock, path: Path, settings: Settings
) -> Iterator[LockedSelection]:
    """Yield the selection of the target in the settings, or of every target.

    Groups and extras are those of the settings. Raises as ``selections`` does.
    """
    return selections(
        pylock,
        path,
        target=settings.target,
        groups=settings.groups,
        extras=settings.extras,
    )


def named_selection(pylock: Pylock, path: Path, settings: Settings) -> LockedSelection:
    """Return the selection of the target in the settings.

    Raises UsageError if no target is named, and what ``selections`` raises.
    """
    if settings.target is None:
        raise UsageError(
            "no target is named", "add --target NAME; `polylock targets list` has them"
        )
    (found,) = named_selections(pylock, path, settings)
    return found


def target_names(
    pylock: Pylock,
    target: str | None,
    *,
    groups: Sequence[str],
    extras: Sequence[str],
) -> tuple[str, ...]:
    """Return the name of a target, with ``auto`` resolved; with None all names.

    ``auto`` is the target that ``sync`` takes for these groups and extras.
    Raises NoSuchTarget, TargetMismatch.
    """
    if target is None:
        return pylock.target_names
    if target == AUTO:
        chosen = Chosen(groups=tuple(groups), extras=tuple(extras))
        target = target_of_this_machine(pylock, chosen)
    require_target(pylock, target)
    return (target,)


def selections(
    pylock: Pylock,
    path: Path,
    *,
    target: str | None,
    groups: Sequence[str],
    extras: Sequence[str],
) -> Iterator[LockedSelection]:
    """Yield the selection of one target, of ``auto``, or with None of every target.

    A marker that the target leaves open (by its patch release) counts as true, so a
    selection is the most that such a machine could install.

    Raises NoSuchTarget, TargetMismatch and what ``select`` raises.
    """
    names = target_names(pylock, target, groups=groups, extras=extras)
    for record in pylock.polylock.targets if pylock.polylock else ():
        if record.name in names:
            described = locked_target(record)
            found = select(
                pylock,
                described,
                groups=groups,
                extras=extras,
                path=str(path),
                open_holds=True,
            )
            yield LockedSelection(target=described, selected=found)
