"""``polylock diff``: compare two lock files, target by target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.errors import UsageError
from polylock.lockfile.changes import Side, TargetDiff, compare, grouped, installed
from polylock.lockfile.read import read_pylock
from polylock.operations.inspect.git_repository import Repository
from polylock.operations.inspect.selection import require_record
from polylock.operations.workspace import lock_path, require_lock
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from polylock.lockfile.pylock import Pylock
    from polylock.project.settings import Settings

__all__ = ["LockDiff", "diff"]


class LockDiff(Value, frozen=True, kw_only=True):
    """The targets of both lock files, those of ``after`` first and in its order."""

    before: Path
    after: Path
    targets: tuple[TargetDiff, ...]

    def grouped(self) -> tuple[tuple[TargetDiff, ...], ...]:
        """Return the targets in groups with the same changes."""
        return grouped(self.targets)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``diff --json`` (schemas/diff.schema.json)."""
        return {
            "before": str(self.before),
            "after": str(self.after),
            "targets": [target.to_json() for target in self.targets],
        }


def diff(
    settings: Settings,
    before: Path,
    after: Path | None = None,
    *,
    variables: Mapping[str, str] | None = None,
) -> LockDiff:
    """Compare two lock files, all groups and extras included.

    ``after`` None is the lock file of the project. A path that is not a file is a
    revision in the repository of the project's lock file; git runs with the environment
    ``variables``. With a target in the settings only that one is compared. Raises
    UsageError, LockFileInvalid.
    """
    later = lock_path(settings) if after is None else after
    committed = _Committed(settings, variables or {})
    old, new = _targets(before, committed), _targets(later, committed)
    targets = compare(old, new)
    if settings.target is not None:
        names = [each.target for each in targets]
        if settings.target not in names:
            raise UsageError(
                f"neither lock file has a target named {settings.target}",
                f"there are: {', '.join(names)}",
            )
        targets = tuple(each for each in targets if each.target == settings.target)
    return LockDiff(before=before, after=later, targets=targets)


class _Committed(Value, frozen=True):
    """The lock file of the project in commits.

    The project is looked up lazily: comparing two files needs no project.
    """

    settings: Settings
    variables: Mapping[str, str]

    def at(self, revision: str) -> Pylock:
        """Return the lock file at a revision; raises UsageError if there is none."""
        path = lock_path(self.settings).absolute()
        repository = Repository(directory=path.parent, variables=self.variables)
        try:
            content = repository.committed(path, revision)
        except UsageError as error:
            raise UsageError(
                f"{revision} is neither a file nor a commit",
                "give a lock file, or a revision such as HEAD or main",
            ) from error
        if content is None:
            raise UsageError(f"the commit {revision} has no {path.name}")
        return read_pylock(content, f"{revision}:{path.name}")


def _targets(path: Path, committed: _Committed) -> dict[str, dict[str, Side]]:
    """Return the packages of each target of a lock file."""
    named = path.as_posix()
    is_file = path.exists() or path.suffix == ".toml"
    pylock = require_lock(path) if is_file else committed.at(named)
    require_record(pylock, path, "give two lock files that `polylock lock` wrote")
    return installed(pylock, str(path))
