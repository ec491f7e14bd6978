"""The difference between two lock files, by target, with all groups and extras."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from polylock.lockfile.pylock import (
    PackageArchive,
    PackageDirectory,
    PackageFile,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from polylock.lockfile.record import locked_target
from polylock.lockfile.select import Selected, project_groups, select
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


__all__ = [
    "Change",
    "ChangeKind",
    "Side",
    "TargetDiff",
    "compare",
    "grouped",
    "installed",
]


class ChangeKind(enum.StrEnum):
    """The kind of change of a package or a target."""

    ADDED = "added"
    REMOVED = "removed"
    VERSION = "version"
    VARIANT = "variant"
    FILE = "file"


class Side(Value, frozen=True, kw_only=True):
    """A package in one of the two lock files; ``size`` in bytes, 0 if unknown.

    ``file`` distinguishes files of the same version and label.
    """

    version: str | None
    label: str | None
    size: int
    file: tuple[str, ...]

    def __str__(self) -> str:
        version = self.version or "source"
        return f"{version} ({self.label})" if self.label else version

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of one side of a change."""
        return {"version": self.version, "label": self.label, "size": self.size}


class Change(Value, frozen=True, kw_only=True):
    """A package that differs between the two; one of the sides may be missing."""

    name: str
    before: Side | None
    after: Side | None

    @property
    def is_downgrade(self) -> bool:
        """Return True if the later version is the lower one (PEP 440)."""
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
        """Return the kind of change; a new version may have a new variant too."""
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
    """The difference for one target; a side without the target is None."""

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
        """Return the JSON of one target of ``diff --json``."""
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


def installed(pylock: Pylock, path: str) -> dict[str, dict[str, Side]]:
    """Return the packages of each target by name, with all groups and extras.

    ``path`` is for errors. Raises what ``select`` raises.
    """
    found: dict[str, dict[str, Side]] = {}
    for record in pylock.polylock.targets if pylock.polylock else ():
        selected = select(
            pylock,
            locked_target(record),
            groups=project_groups(pylock),
            extras=pylock.extras or (),
            path=path,
            open_holds=True,
        )
        found[record.name] = {each.package.name: _side(each) for each in selected}
    return found


def compare(
    before: Mapping[str, Mapping[str, Side]], after: Mapping[str, Mapping[str, Side]]
) -> tuple[TargetDiff, ...]:
    """Return the differences of all targets: those of ``after`` first, in its order."""
    names = [*after, *(name for name in before if name not in after)]
    return tuple(
        TargetDiff(target=name, before=before.get(name), after=after.get(name))
        for name in names
    )


def grouped(targets: Sequence[TargetDiff]) -> tuple[tuple[TargetDiff, ...], ...]:
    """Return targets in groups with the same changes.

    Sizes may differ within a group: each system may have a wheel of its own.
    """
    groups: dict[tuple[Any, ...], list[TargetDiff]] = {}
    for each in targets:
        changes = tuple(
            (change.name, change.kind, str(change.before), str(change.after))
            for change in each.changes
        )
        lone = () if each.state == "changed" else (each.target,)
        groups.setdefault((each.state, changes, *lone), []).append(each)
    return tuple(map(tuple, groups.values()))


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
