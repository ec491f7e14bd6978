"""Files that two distributions share, and which distribution must be linked again.

Most such files are identical, like the ``__init__.py`` of old namespace packages. If
they differ, the file of the distribution whose name sorts last is installed, whatever
the order of installation. So if one of two is added, removed or changed, the other is
linked again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from polylock.errors import FileCorrupt
from polylock.installation.plan import PlanEntry, Reason, SyncPlan
from polylock.installation.record import parse_rows
from polylock.installation.uninstall import listed_among, outside_info
from polylock.values import replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.environment.installed import InstalledDistribution
    from polylock.installation.place import Placement

__all__ = [
    "common_files",
    "in_common",
    "linked_again",
    "with_tops_in_common",
]


def linked_again(
    plan: SyncPlan, new: Sequence[Placement] = ()
) -> tuple[SyncPlan, frozenset[str]]:
    """Return the plan extended by the distributions that would lose a file.

    A kept distribution loses a file if a removed one had overwritten it or a new one
    would. ``new`` are the new distributions, as far as they are known. The second value
    are the files to be removed that a kept distribution lists as well. Each RECORD of a
    kept distribution is searched once. Raises EnvironmentBroken if one cannot be read.
    """
    while _staying(plan):
        losing, shared = _affected(plan, new)
        again = [e for e in plan.keep if e.name in losing and e.wanted is not None]
        if not again:
            return plan, shared
        names = {entry.name for entry in again}
        moved = [replace(entry, reason=Reason.SHARED) for entry in again]
        plan = replace(
            plan,
            keep=tuple(e for e in plan.keep if e.name not in names),
            reinstall=tuple(sorted((*plan.reinstall, *moved), key=_name)),
        )
    return plan, frozenset()


def _affected(
    plan: SyncPlan, new: Sequence[Placement]
) -> tuple[frozenset[NormalizedName], frozenset[str]]:
    """Return the kept distributions that share a file with different content.

    The second value are the files to be removed that a kept distribution lists.
    """
    leaving = _leaving(plan)
    coming = {path: one for one in new for path in one.places_outside_info}
    hashes: dict[int, dict[str, str]] = {}
    losing: set[NormalizedName] = set()
    shared: set[str] = set()
    for distribution, path, hash_ in _listed_by_staying(
        plan, leaving.keys() | coming.keys()
    ):
        others = set(leaving.get(path, ()))
        if others:
            shared.add(path)
        one = coming.get(path)
        if one is not None:
            others.add(hashes.setdefault(id(one), dict(_hashes(one)))[path])
        if others - {hash_}:
            losing.add(distribution.name)
    return frozenset(losing), frozenset(shared)


def _name(entry: PlanEntry) -> NormalizedName:
    return entry.name


def _leaving(plan: SyncPlan) -> dict[str, set[str]]:
    """Return the files to be removed, with their hashes in the RECORDs."""
    found: dict[str, set[str]] = {}
    for entry in (*plan.remove, *plan.reinstall):
        for distribution in entry.installed:
            for path, row in outside_info(distribution):
                found.setdefault(path, set()).add(row.hash)
    return found


def _staying(plan: SyncPlan) -> list[InstalledDistribution]:
    return [one for entry in plan.keep for one in entry.installed]


def _listed_by_staying(
    plan: SyncPlan, paths: Collection[str]
) -> Iterator[tuple[InstalledDistribution, str, str]]:
    staying = _staying(plan)
    site = str(staying[0].path.parent)
    for distribution, path, row in listed_among(paths, site, staying):
        yield distribution, path, row.hash


def common_files(placements: Sequence[Placement]) -> Iterator[str]:
    """Yield a warning for each two new distributions that differ in a common file.

    Raises FileCorrupt if a file of one has the path of a directory of another.
    """
    owners: dict[str, tuple[Placement, str]] = {}
    lost: dict[tuple[str, str], list[str]] = {}
    suspects = with_tops_in_common(placements)
    for placement in suspects:
        for path, hash_ in _hashes(placement):
            owner, other = owners.setdefault(path, (placement, hash_))
            if other != hash_:
                pair = owner.wanted.name, placement.wanted.name
                lost.setdefault(pair, []).append(path)
                owners[path] = placement, hash_
    for placement in suspects:
        _refuse_directories(placement, owners)
    for (first, second), paths in lost.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield (
            f"{first} and {second} both have {min(paths)}{more}, with different "
            f"content: that of {second} is installed"
        )


def _refuse_directories(
    placement: Placement, owners: Mapping[str, tuple[Placement, str]]
) -> None:
    directories: set[str] = set()
    for path, _ in _hashes(placement):
        parent = path.rpartition(os.sep)[0]
        while parent and parent not in directories:
            directories.add(parent)
            parent = parent.rpartition(os.sep)[0]
    for directory in sorted(directories & owners.keys()):
        other = owners[directory][0].wanted.filename
        raise FileCorrupt(
            placement.wanted.filename,
            f"it has {directory} as a directory, and {other} as a file",
        )


def _hashes(placement: Placement) -> Iterator[tuple[str, str]]:
    """Yield the absolute path and hash of each file outside ``.dist-info``."""
    info = f"{placement.manifest.dist_info}/"
    for row in parse_rows(placement.manifest.record):
        if not row.path.startswith(info):
            yield placement.place(row.path), row.hash
    for written in placement.written:
        yield written.target, written.row.hash


def with_tops_in_common(placements: Sequence[Placement]) -> list[Placement]:
    """Return the distributions that may share a file or directory with another.

    Most distributions have their own directories, so few need all paths compared.
    Case is ignored, as some file systems do.
    """
    return in_common(placements, [_tops(one) for one in placements])


def in_common(
    placements: Sequence[Placement], names: Sequence[frozenset[str]]
) -> list[Placement]:
    """Return the distributions that share one of their ``names`` with another."""
    seen: set[str] = set()
    twice: set[str] = set()
    for own in names:
        twice |= seen & own
        seen |= own
    return [
        one
        for one, own in zip(placements, names, strict=True)
        if not twice.isdisjoint(own)
    ]


def _tops(placement: Placement) -> frozenset[str]:
    """Return the first part of each path in site-packages, and all paths outside."""
    found = set(placement.tops)
    for file in placement.written:
        top = file.row.path.partition("/")[0]
        found.add(file.row.path if top == ".." else top)
    return frozenset(path.casefold() for path in found)
