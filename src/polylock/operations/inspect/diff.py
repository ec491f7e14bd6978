"""``polylock diff``: two lock files compared, target by target."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from polylock.errors import UsageError
from polylock.lockfile.pylock import (
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
)
from polylock.lockfile.read import read_pylock
from polylock.operations.inspect.git_conflict import Repository
from polylock.operations.inspect.selection import (
    every_group,
    require_record,
    selections,
)
from polylock.operations.workspace import lock_path, require_lock
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from polylock.lockfile.pylock import PackageFile, Pylock
    from polylock.lockfile.select import Selected
    from polylock.project.settings import Settings

__all__ = ["Change", "ChangeKind", "LockDiff", "Side", "TargetDiff", "diff"]


class ChangeKind(enum.StrEnum):
    """What became of a package, or of a target."""

    ADDED = "added"
    REMOVED = "removed"
    VERSION = "version"
    VARIANT = "variant"
    FILE = "file"


class Side(Value, frozen=True, kw_only=True):
    """A package in one of the two; ``size`` in bytes, 0 where it is not known.

    ``file`` is what tells two files of the same version and label apart.
    """

    version: str | None
    label: str | None
    size: int
    file: tuple[str, ...]

    def __str__(self) -> str:
        version = self.version or "source"
        return f"{version} ({self.label})" if self.label else version

    def to_json(self) -> dict[str, Any]:
        """Return a side of a change."""
        return {"version": self.version, "label": self.label, "size": self.size}


class Change(Value, frozen=True, kw_only=True):
    """A package that is not the same in both; one of the sides may be missing."""

    name: str
    before: Side | None
    after: Side | None

    @property
    def is_downgrade(self) -> bool:
        """Return whether the later version is the lower one (PEP 440)."""
        before = self.before.version if self.before else None
        after = self.after.version if self.after else None
        if before is None or after is None:
            return False
        try:
            return Version(after) < Version(before)
        except ValueError:
            return False

    @property
    def kind(self) -> ChangeKind:
        """Return what became of it; a new version may have a new variant as well."""
        if self.before is None:
            return ChangeKind.ADDED
        if self.after is None:
            return ChangeKind.REMOVED
        if self.before.version != self.after.version:
            return ChangeKind.VERSION
        if self.before.label != self.after.label:
            return ChangeKind.VARIANT
        return ChangeKind.FILE


class TargetDiff(Value, frozen=True, kw_only=True):
    """What changed for one target; ``before`` or ``after`` is None without it."""

    target: str
    before: Mapping[str, Side] | None
    after: Mapping[str, Side] | None

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return the packages that changed, in the order of names."""
        before, after = self.before or {}, self.after or {}
        return tuple(
            Change(name=name, before=before.get(name), after=after.get(name))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        )

    @property
    def state(self) -> str:
        """Return ``added``, ``removed``, ``changed`` or ``same``."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if self.changes else "same"

    @property
    def sizes(self) -> tuple[int, int]:
        """Return the bytes to download before and after."""
        return _size(self.before), _size(self.after)

    def to_json(self) -> dict[str, Any]:
        """Return a target of ``diff --json``."""
        before, after = self.sizes
        return {
            "target": self.target,
            "state": self.state,
            "size-before": before,
            "size-after": after,
            "changes": [
                {
                    "name": change.name,
                    "kind": str(change.kind),
                    "before": change.before.to_json() if change.before else None,
                    "after": change.after.to_json() if change.after else None,
                }
                for change in self.changes
            ],
        }


class LockDiff(Value, frozen=True, kw_only=True):
    """The targets of both lock files: those of the later one first, in its order."""

    before: Path
    after: Path
    targets: tuple[TargetDiff, ...]

    def grouped(self) -> tuple[tuple[TargetDiff, ...], ...]:
        """Return the targets, those beside each other for which the same has changed.

        Sizes may differ among them: a wheel of each system may have its own.
        """
        groups: dict[tuple[Any, ...], list[TargetDiff]] = {}
        for each in self.targets:
            told = tuple(
                (change.name, change.kind, str(change.before), str(change.after))
                for change in each.changes
            )
            lone = () if each.state == "changed" else (each.target,)
            groups.setdefault((each.state, told, *lone), []).append(each)
        return tuple(map(tuple, groups.values()))

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

    ``after`` None is the lock file of the project. What is no file is a commit of the
    repository that the project's lock file is in, which git is asked for with these
    environment variables. With a target in the settings only that one is compared.
    Raises UsageError, LockFileInvalid.
    """
    later = lock_path(settings) if after is None else after
    committed = _Committed(settings, variables or {})
    old, new = _targets(before, committed), _targets(later, committed)
    names = [*new, *(name for name in old if name not in new)]
    if settings.target is not None:
        if settings.target not in names:
            raise UsageError(
                f"neither lock file has a target named {settings.target}",
                f"there are: {', '.join(names)}",
            )
        names = [settings.target]
    return LockDiff(
        before=before,
        after=later,
        targets=tuple(
            TargetDiff(target=name, before=old.get(name), after=new.get(name))
            for name in names
        ),
    )


class _Committed(Value, frozen=True):
    """The lock file of the project, as commits have it.

    Where it lies is asked when a commit is named: two files need no project.
    """

    settings: Settings
    variables: Mapping[str, str]

    def at(self, revision: str) -> Pylock:
        """Return it as of a revision; raises UsageError where there is none."""
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
    """Return what each target of a lock file installs."""
    named = path.as_posix()
    is_file = path.exists() or path.suffix == ".toml"
    pylock = require_lock(path) if is_file else committed.at(named)
    require_record(pylock, path, "give two lock files that `polylock lock` wrote")
    groups, extras = every_group(pylock)
    found = selections(pylock, path, target=None, groups=groups, extras=extras)
    return {
        selection.target.name: {
            chosen.package.name: _side(chosen) for chosen in selection.selected
        }
        for selection in found
    }


def _side(chosen: Selected) -> Side:
    return Side(
        version=chosen.package.version,
        label=chosen.variant_label,
        size=chosen.size or 0,
        file=_identity(chosen.file),
    )


def _identity(file: PackageFile) -> tuple[str, ...]:
    match file:
        case PackageWheel() | PackageSdist():
            return (file.filename, *_hashes(file.hashes))
        case PackageArchive():
            return (file.url or file.path or "", *_hashes(file.hashes))
        case PackageVcs():
            return (file.url or file.path or "", file.commit_id)
        case PackageDirectory():
            return (file.path, str(bool(file.editable)))


def _hashes(hashes: Mapping[str, str]) -> list[str]:
    return [f"{name}:{hashes[name]}" for name in sorted(hashes)]


def _size(side: Mapping[str, Side] | None) -> int:
    return sum(each.size for each in (side or {}).values())
