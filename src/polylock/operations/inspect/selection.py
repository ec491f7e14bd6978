"""The packages and files that targets of a lock file install, for reading commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.errors import UsageError
from polylock.lockfile.record import Record, locked_target
from polylock.lockfile.select import Selected, select
from polylock.operations.chosen import Chosen, chosen_by
from polylock.operations.machine import AUTO, target_of_this_machine
from polylock.operations.workspace import (
    lock_path,
    outdated_warning,
    require_lock,
    require_target,
)
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from polylock.lockfile.pylock import Pylock
    from polylock.model.target import Target
    from polylock.project.settings import Settings

__all__ = [
    "LockedSelection",
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
        pylock, path, target=settings.target, chosen=chosen_by(settings, pylock)
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
    pylock: Pylock, target: str | None, *, chosen: Chosen
) -> tuple[str, ...]:
    """Return the name of a target, with ``auto`` resolved; with None all names.

    ``auto`` is the target that ``sync`` takes for this choice.
    Raises NoSuchTarget, TargetMismatch.
    """
    if target is None:
        return pylock.target_names
    if target == AUTO:
        target = target_of_this_machine(pylock, chosen)
    require_target(pylock, target)
    return (target,)


def selections(
    pylock: Pylock,
    path: Path,
    *,
    target: str | None,
    chosen: Chosen,
) -> Iterator[LockedSelection]:
    """Yield the selection of one target, of ``auto``, or with None of every target.

    A marker that the target leaves open (by its patch release) counts as true, so a
    selection is the most that such a machine could install.

    Raises NoSuchTarget, TargetMismatch and what ``select`` raises.
    """
    names = target_names(pylock, target, chosen=chosen)
    for record in pylock.polylock.targets if pylock.polylock else ():
        if record.name in names:
            described = locked_target(record)
            found = select(
                pylock,
                described,
                path=str(path),
                open_holds=True,
                **chosen.options,
            )
            yield LockedSelection(target=described, selected=found)
