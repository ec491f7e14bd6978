"""Variant markers evaluated into the metadata of a wheel, for older installers.

pip refuses a wheel with a variant marker in its dependencies. PEP 825, "Backwards
Compatibility": "It is possible to work around it by partially evaluating environment
markers at build time". A bundle is for one target, and its label is chosen, so its
markers can be evaluated like that. All other members of the wheel keep their bytes,
packed as they were.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from polylock.errors import FileCorrupt
from polylock.installation.record import InvalidRecord, format_rows, parse_rows, row_of
from polylock.model.requirements import InvalidRequirement
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

__all__ = ["EvaluatedRequirement", "PlainWheel", "evaluate_markers"]


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
        with ZipFile(wheel) as archive:
            metadata, record = _members(archive)
            content, changes = _evaluated(archive.read(metadata), variant)
            if not changes:
                return ()
            rows = parse_rows(archive.read(record).decode())
            changed = row_of(metadata.filename, content)
            text = format_rows(
                changed if row.path == metadata.filename else row for row in rows
            )
            replaced = {metadata.filename: content, record.filename: text.encode()}
            beside = wheel.with_name(f"{wheel.name}.new")
            with suppress(FileNotFoundError):
                beside.unlink()
            with wheel.open("rb") as source, beside.open("xb") as target:
                writer = ArchiveWriter(target)
                for info in archive.infolist():
                    if info.filename in replaced:
                        content = replaced[info.filename]
                        writer.add(NewMember(info.filename, content, info))
                    else:
                        writer.copy(source, info, info.filename)
                writer.finish(archive.comment)
    except (BadZipFile, InvalidRecord, ValueError) as error:
        raise FileCorrupt(wheel.name, str(error)) from error
    beside.replace(wheel)
    return changes


def _members(archive: ZipFile) -> tuple[ZipInfo, ZipInfo]:
    """Return METADATA and RECORD."""
    found = {}
    for name in ("METADATA", "RECORD"):
        for info in archive.infolist():
            if (
                info.filename.endswith(f".dist-info/{name}")
                and info.filename.count("/") == 1
            ):
                found[name] = info
    if len(found) != 2:
        raise ValueError("has no METADATA or no RECORD")
    return found["METADATA"], found["RECORD"]


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
