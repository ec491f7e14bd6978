"""``polylock check``: check whether the lock file is up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.answer_cache.basis import Basis, project_basis
from polylock.errors import LockFileOutdated
from polylock.operations.workspace import open_workspace, read_files, read_lock
from polylock.values import Value

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.lockfile.freshness import Difference
    from polylock.project.settings import Settings

__all__ = ["CheckOutcome", "check"]


class CheckOutcome(Value, frozen=True, kw_only=True):
    """The differences between a lock file and its project; none if it is up to date.

    ``basis`` are the files that must be unchanged for this answer to be reused, None if
    the lock file is not up to date.
    """

    path: Path
    exists: bool
    differences: tuple[Difference, ...]
    basis: Basis | None = None

    @property
    def up_to_date(self) -> bool:
        """Return True if the lock file exists and matches the project."""
        return self.exists and not self.differences

    def error(self) -> LockFileOutdated:
        """Return the error for an outdated or missing lock file."""
        lines = [str(difference) for difference in self.differences]
        return LockFileOutdated(str(self.path), lines or ["there is no lock file"])

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``check --json`` (schemas/check.schema.json)."""
        return {
            "path": str(self.path),
            "exists": self.exists,
            "up-to-date": self.up_to_date,
            "differences": [
                {
                    "kind": str(difference.kind),
                    "subject": difference.subject,
                    "locked": difference.locked,
                    "wanted": difference.wanted,
                    "text": str(difference),
                }
                for difference in self.differences
            ],
        }


def check(settings: Settings) -> CheckOutcome:
    """Compare the lock file with the project, without an index or a clock.

    Raises ProjectError and LockFileInvalid.
    """
    workspace = open_workspace(settings)
    pylock = read_lock(workspace.lock_path, settings)
    if pylock is None:
        return CheckOutcome(path=workspace.lock_path, exists=False, differences=())
    found = workspace.differences(pylock)
    path = workspace.lock_path
    return CheckOutcome(
        path=path,
        exists=True,
        differences=found,
        basis=None
        if found
        else project_basis(
            settings, workspace.project.path, path, read_files(workspace.project)
        ),
    )
