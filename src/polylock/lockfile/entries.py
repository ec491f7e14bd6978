"""Which pins stand in one entry of the lock file, and the marker of that entry.

An installer may meet an entry with the tags of any machine that its marker lets in,
so the files of an entry must be such that none of them is taken for another.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from polylock.lockfile.mutual_exclusion import CompatibilityTags, exclusive
from polylock.lockfile.record import without_credentials
from polylock.model.filenames import WheelFilename
from polylock.model.markers import conjunction, disjunction
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import NormalizedName

    from polylock.lockfile.group_markers import Separator
    from polylock.model.distributions import RemoteFile
    from polylock.model.markers import MarkerExpression
    from polylock.model.pins import Pin, Resolution
    from polylock.model.target import Target

__all__ = ["Entry", "Member", "entry_marker", "shared_entries", "written_index"]


class Member(Value, frozen=True, kw_only=True):
    """The pin of one target, and the tags by which an installer may meet its file."""

    position: int
    pin: Pin
    tags: CompatibilityTags | None
    """Of the wheel; for an sdist those of the target that has no wheel."""
    condition: MarkerExpression | None


class Entry(Value, frozen=True, eq=False):
    """An entry in the making: the targets that share it, in their order."""

    members: list[Member] = field(default_factory=list)

    def admits(self, member: Member) -> bool:
        """Say whether the member's file can stand beside those that are there."""
        return all(_side_by_side(member, other) for other in self.members)


def shared_entries(
    resolutions: Sequence[Resolution],
) -> dict[NormalizedName, list[Entry]]:
    """Put the pins of all targets into entries, each pin into the first that fits."""
    names = sorted({name for resolution in resolutions for name in resolution.pins})
    entries: dict[NormalizedName, list[Entry]] = {name: [] for name in names}
    for position, resolution in enumerate(resolutions):
        for name, pin in resolution.pins.items():
            member = Member(
                position=position,
                pin=pin,
                tags=_tags(pin.file, resolution.target),
                condition=resolution.conditions.get(name),
            )
            for entry in entries[name]:
                if entry.admits(member):
                    entry.members.append(member)
                    break
            else:
                entries[name].append(Entry([member]))
    return entries


def _tags(file: RemoteFile, target: Target) -> CompatibilityTags | None:
    if file.filename.endswith(".whl"):
        return _tags_of(file.filename)
    # A wheel beside an sdist would be taken by every interpreter that fits it, and
    # the machine may be newer than the target says. The best tag stands for it.
    return CompatibilityTags.of_tag(target.tags[0]) if target.tags else None


@lru_cache(maxsize=4096)
def _tags_of(filename: str) -> CompatibilityTags:
    return CompatibilityTags.of_wheel(WheelFilename.parse(filename))


def _side_by_side(one: Member, other: Member) -> bool:
    mine, theirs = one.pin, other.pin
    if mine.direct is not None or theirs.direct is not None:
        return mine.direct == theirs.direct and mine.version == theirs.version
    if mine.file is theirs.file:
        return True  # as most are: the targets share what was read of the index
    if (mine.version, written_index(mine)) != (theirs.version, written_index(theirs)):
        return False
    if (mine.file.filename, mine.file.url) == (theirs.file.filename, theirs.file.url):
        return True
    return (
        one.tags is not None
        and other.tags is not None
        and exclusive(one.tags, other.tags)
    )


def written_index(pin: Pin) -> str | None:
    """Return the URL of the index; None for files on disk.

    PEP 751 asks for the URL of an index, and a directory has none to give.
    """
    return _written(pin.index_url)


@lru_cache(maxsize=256)
def _written(url: str) -> str | None:
    return None if urlsplit(url).scheme == "file" else without_credentials(url)


def entry_marker(entry: Entry, separator: Separator) -> MarkerExpression | None:
    """Return who installs the entry; None: all targets, always.

    Targets with the same condition are told from the rest together. Those that
    install the entry anyhow need not be told from those that do under a condition.
    """
    groups: dict[MarkerExpression | None, int] = {}
    for member in entry.members:
        mask = groups.get(member.condition, 0) | 1 << member.position
        groups[member.condition] = mask
    anyhow = groups.get(None, 0)
    parts: list[MarkerExpression] = []
    for condition in sorted(groups, key=lambda c: "" if c is None else str(c)):
        where = separator.marker(groups[condition], anyhow)
        both = [each for each in (where, condition) if each is not None]
        if not both:
            return None
        parts.append(conjunction(both))
    return disjunction(parts)
