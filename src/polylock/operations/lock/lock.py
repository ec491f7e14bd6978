"""``polylock lock``: resolve the project for every target and write the lock file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from polylock.answer_cache.basis import Basis, Written, project_basis
from polylock.cache.entries import digest
from polylock.errors import (
    LockFileOutdated,
    NoSuchTarget,
    PolylockError,
    UsageError,
)
from polylock.operations.files import write_atomically
from polylock.operations.workspace import (
    Workspace,
    cache_lock,
    open_workspace,
    read_files,
    read_lock,
)
from polylock.values import Value, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from polylock.explain.findings import Note
    from polylock.lockfile.changes import TargetDiff
    from polylock.lockfile.pylock import Pylock
    from polylock.network.client import Traffic
    from polylock.operations.lock.imported_pins import ImportedPins, ImportReport
    from polylock.operations.lock.request import LockRequest
    from polylock.ports import Reporter
    from polylock.project.settings import Settings
    from polylock.resolution.solve import Effort

__all__ = ["LockOutcome", "lock"]


class LockOutcome(Value, frozen=True, kw_only=True):
    """The result of a lock; ``efforts`` is empty if the lock file was up to date.

    ``imports`` reports on the pins of other tools' lock files, ``notes`` on the
    drawbacks of the solution; both are empty if the lock file was up to date.
    ``basis`` are the files that must be unchanged for that answer to be reused; None
    for a partial, importing or dry run. ``following`` is the outcome that the same lock
    has now, if it solved something and the lock file is up to date.
    """

    path: Path
    pylock: Pylock
    previous: Pylock | None
    changed: bool
    dry_run: bool
    efforts: Mapping[str, Effort] = field(default_factory=dict)
    traffic: Traffic | None = None
    imports: tuple[ImportReport, ...] = ()
    basis: Basis | None = None
    notes: tuple[Note, ...] = ()
    following: LockOutcome | None = None

    def changes(self) -> tuple[TargetDiff, ...] | None:
        """Return the differences from the previous lock file, by target.

        None means that there was no lock file of polylock, or an unreadable one.
        """
        before = self.previous
        if before is None or before.polylock is None:
            return None
        if not self.changed:
            return ()
        # Imported only if there is something to compare.
        from polylock.lockfile.changes import compare, installed  # noqa: PLC0415

        try:
            old = installed(before, str(self.path))
        except PolylockError:
            return None  # edited by hand, and not consistent
        found = compare(old, installed(self.pylock, str(self.path)))
        return tuple(each for each in found if each.state != "same")

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``lock --json`` (schemas/lock.schema.json)."""
        return {
            "path": str(self.path),
            "changed": self.changed,
            "written": self.changed and not self.dry_run,
            "packages": len(self.pylock.packages),
            "targets": [
                {
                    "name": name,
                    "rounds": effort.rounds,
                    "rejected": effort.rejected,
                    "expanded": effort.expanded,
                }
                for name, effort in self.efforts.items()
            ],
            "requests": self.traffic.requests if self.traffic else 0,
            "received": self.traffic.received if self.traffic else 0,
            "imports": [report.to_json() for report in self.imports],
            "notes": _documents(self.notes),
            "changes": [each.to_json() for each in self.changes() or ()],
        }


def lock(settings: Settings, request: LockRequest, reporter: Reporter) -> LockOutcome:
    """Lock the project.

    If the lock file is up to date, it is not written and no index is asked, unless the
    settings say ``refresh``. Otherwise the pins that still hold are kept, and the file
    is written atomically at the end.

    Raises ProjectError, LockFileInvalid, NoSolution, ProjectNotFound,
    IndexRequestError, CacheUnusable; for a lock of some targets NoSuchTarget, and
    LockFileOutdated if the others would have to change; with imported pins
    ForeignLockInvalid and ForeignHashDiffers; UsageError if the lock file is another
    tool's and may not be overwritten.
    """
    workspace = open_workspace(settings, request.now)
    previous = read_lock(workspace.lock_path, settings)
    if not (request.upgrade or request.upgrade_packages):
        workspace = workspace.as_locked(previous)
    _check_own(request, workspace.lock_path, previous)
    imported = _imported(request, workspace.lock_path, previous)
    if request.targets:
        _check_others(workspace, previous, request.targets)
    inputs = workspace.project.inputs
    # With `refresh` the index may have corrected what the pins were chosen by.
    keeps = not (request.upgrade or request.upgrade_packages or settings.refresh)
    is_plain = not (request.targets or request.pins_from or request.dry_run)
    basis = project_basis(
        settings,
        workspace.project.path,
        workspace.lock_path,
        read_files(workspace.project),
    )
    if previous is not None and keeps and not workspace.differences(previous, inputs):
        return _up_to_date(workspace, previous, request, basis if is_plain else None)
    # Half of the start-up, which a lock with nothing to do does not pay.
    from polylock.operations.lock.resolve import resolve  # noqa: PLC0415 - see above

    found = resolve(settings, workspace, previous, request, reporter, imported)
    changed = previous is None or found.text != found.previous_text
    if changed and not request.dry_run:
        write_atomically(workspace.lock_path, found.text)
        cache_lock(found.pylock, found.text.encode(), settings)
    following = None
    if is_plain and keeps and not workspace.differences(found.pylock, inputs):
        written = _written(workspace, found.text, basis)
        following = _up_to_date(workspace, found.pylock, request, written)
    return LockOutcome(
        path=workspace.lock_path,
        pylock=found.pylock,
        previous=previous,
        changed=changed,
        dry_run=request.dry_run,
        efforts=found.efforts,
        traffic=found.traffic,
        imports=found.imports,
        notes=found.notes,
        following=following,
    )


def _up_to_date(
    workspace: Workspace, pylock: Pylock, request: LockRequest, basis: Basis | None
) -> LockOutcome:
    """Return the outcome of a lock that solved nothing."""
    return LockOutcome(
        path=workspace.lock_path,
        pylock=pylock,
        previous=pylock,
        changed=False,
        dry_run=request.dry_run,
        basis=basis,
    )


def _written(workspace: Workspace, text: str, basis: Basis | None) -> Basis | None:
    """Return the basis with the lock file as it was written, not as it is now."""
    if basis is None:
        return None
    path = workspace.lock_path
    written = Written(
        since=time.time_ns(), digests=((str(path), digest(text.encode())),)
    )
    contents = tuple(each for each in basis.contents if each != path)
    return replace(basis, contents=contents, written=written)


def _documents(notes: Sequence[Note]) -> list[dict[str, Any]]:
    from polylock.explain.documents import note_document  # noqa: PLC0415 - no-op path

    return [note_document(each) for each in notes]


def _check_own(request: LockRequest, path: Path, previous: Pylock | None) -> None:
    """Raise UsageError if another tool's lock file would be overwritten.

    It may be overwritten if its pins are imported.
    """
    if previous is None or previous.polylock is not None or request.force:
        return
    taken_over = any(each.absolute() == path.absolute() for each in request.pins_from)
    if not (taken_over or request.dry_run):
        raise UsageError(
            f"{path.name} was not written by polylock, and locking would overwrite it",
            f"`polylock lock --pins-from {path.name}` imports its pins, and "
            "`polylock lock --force` discards them",
        )


def _imported(
    request: LockRequest, lock_path: Path, previous: Pylock | None
) -> ImportedPins | None:
    """Read the lock files of other tools; raises ForeignLockInvalid, UsageError.

    A ``pylock.toml`` of another tool may be at the path of the lock file.
    """
    if not request.pins_from:
        return None
    ours = previous is not None and previous.polylock is not None
    if ours and any(path.absolute() == lock_path for path in request.pins_from):
        raise UsageError(
            f"{lock_path.name} is the lock file to be written",
            "its pins are kept by default: lock without --pins-from",
        )
    # Six modules, needed only with --pins-from.
    from polylock.operations.lock.imported_pins import read_pins  # noqa: PLC0415

    return read_pins(request.pins_from)


def _check_others(
    workspace: Workspace, previous: Pylock | None, names: Sequence[str]
) -> None:
    """Raise an error unless all targets except the named ones can stay unchanged."""
    known = [target.name for target in workspace.targets]
    for name in names:
        if name not in known:
            raise NoSuchTarget("target", name, known)
    if set(names) == set(known):
        return
    path = workspace.lock_path
    if previous is None:
        raise UsageError(
            f"{path} does not exist, so the other targets have no pins to keep",
            "run `polylock lock` without --target",
        )
    inputs = workspace.project.inputs
    found = workspace.differences(previous, inputs, names)
    if found:
        raise LockFileOutdated(
            str(path),
            [
                "with --target all other targets must stay unchanged, but:",
                *map(str, found),
            ],
        )
