"""Variant markers evaluated into the metadata of a wheel, for older installers.

pip refuses a wheel with a variant marker in its dependencies. PEP 825, "Backwards
Compatibility": "It is possible to work around it by partially evaluating environment
markers at build time". A bundle is for one target, and its label is chosen, so its
markers can be evaluated like that. All other members of the wheel keep their bytes,
packed as they were.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from polylock.errors import FileCorrupt
from polylock.installation.record import format_rows, parse_rows, row_of
from polylock.model.core_metadata import CoreMetadata
from polylock.model.filenames import WheelFilename
from polylock.model.requirements import InvalidRequirement
from polylock.model.wheel_members import wheel_members
from polylock.model.zip_content import content_chunks
from polylock.repacking.archive_writer import ArchiveWriter, NewMember
from polylock.repacking.metadata_edits import (
    is_requirement,
    requirement_field,
    requirement_in,
    split_header,
    without_variants,
)
from polylock.values import Value

if TYPE_CHECKING:
    from pathlib import Path
    from zipfile import ZipFile, ZipInfo

    from polylock.model.folding import SelectedVariant
    from polylock.model.wheel_members import WheelMembers

__all__ = [
    "EvaluatedRequirement",
    "PlainWheel",
    "evaluate_markers",
    "has_variant_marker",
]


class EvaluatedRequirement(Value, frozen=True, kw_only=True):
    """A requirement with a variant marker: as published, and what is left of it.

    ``now`` is None if the marker is false for the label.
    """

    was: str
    now: str | None


class PlainWheel(Value, frozen=True, kw_only=True):
    """A wheel whose metadata was changed, with both SHA-256 digests."""

    name: str
    filename: str
    locked_sha256: str
    sha256: str
    requirements: tuple[EvaluatedRequirement, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the entry of ``plain-metadata.json`` and of ``bundle --json``."""
        return {
            "name": self.name,
            "file": self.filename,
            "locked-sha256": self.locked_sha256,
            "sha256": self.sha256,
            "requirements": [
                {"was": each.was, "now": each.now} for each in self.requirements
            ],
        }


def evaluate_markers(
    wheel: Path, variant: SelectedVariant
) -> tuple[EvaluatedRequirement, ...]:
    """Evaluate the variant markers of a wheel in place; return what changed.

    The wheel is not touched if it has none. Raises FileCorrupt.
    """
    from zipfile import BadZipFile, ZipFile  # noqa: PLC0415 - 6 ms, rarely needed

    try:
        with wheel.open("rb") as source, ZipFile(source) as archive:
            members = _members(archive, wheel)
            info = f"{members.stem}.dist-info"
            metadata = members.files[f"{info}/METADATA"]
            record = members.files[f"{info}/RECORD"]
            content, changes = _evaluated(_content(source, metadata), variant)
            if not changes:
                return ()
            path = f"{info}/METADATA"
            rows = parse_rows(_content(source, record).decode())
            changed = row_of(path, content)
            text = format_rows(changed if row.path == path else row for row in rows)
            beside = wheel.with_name(f"{wheel.name}.new")
            with suppress(FileNotFoundError):
                beside.unlink()
            with beside.open("xb") as target:
                writer = ArchiveWriter(target)
                copies = {id(copy) for _, copy in members.copies}
                for member in archive.infolist():
                    if member is metadata:
                        writer.add(NewMember(member.filename, content, member))
                    elif member is record:
                        writer.add(NewMember(member.filename, text.encode(), member))
                    elif id(member) not in copies:
                        writer.copy(source, member, member.filename)
                writer.finish(archive.comment)
    except (BadZipFile, EOFError, NotImplementedError, ValueError) as error:
        raise FileCorrupt(wheel.name, str(error)) from error
    beside.replace(wheel)
    return changes


def has_variant_marker(wheel: Path) -> bool:
    """Return True if a dependency of a wheel has a variant marker (PEP 825).

    False for a wheel that cannot be read: the installer will report it.
    """
    from zipfile import BadZipFile, ZipFile  # noqa: PLC0415 - as above

    try:
        with wheel.open("rb") as source, ZipFile(source) as archive:
            members = _members(archive, wheel)
            metadata = members.files[f"{members.stem}.dist-info/METADATA"]
            content = _content(source, metadata)
        requirements = CoreMetadata.parse(content).requires_dist
    except (BadZipFile, EOFError, NotImplementedError, ValueError):
        return False
    return any("variant_" in requirement.marker for requirement in requirements)


def _members(archive: ZipFile, wheel: Path) -> WheelMembers:
    """Return the members of a wheel by the rules of `sync`; raises RefusedArchive.

    What an archive says of itself may be a bomb: its members may be one another, or
    METADATA may be gibibytes.
    """
    return wheel_members(
        archive.infolist(),
        WheelFilename.parse(wheel.name),
        wheel.stat().st_size,
        windows=False,
    )


def _content(source: BinaryIO, info: ZipInfo) -> bytes:
    return b"".join(content_chunks(source, info))


def _evaluated(
    content: bytes, variant: SelectedVariant
) -> tuple[bytes, tuple[EvaluatedRequirement, ...]]:
    """Return METADATA with its variant markers evaluated, and the changes."""
    fields, rest = split_header(content.decode("utf-8"))
    changes: list[EvaluatedRequirement] = []
    kept = []
    for field in fields:
        if not is_requirement(field) or "variant_" not in field:
            kept.append(field)
            continue
        value = requirement_in(field)
        try:
            left = without_variants(value, variant)
        except InvalidRequirement as error:
            raise ValueError(f"bad Requires-Dist: {error}") from error
        change = EvaluatedRequirement(was=value, now=left)
        changes.append(change)
        if change.now is not None:
            kept.append(requirement_field(change.now, field))
    return "".join([*kept, rest]).encode(), tuple(changes)
