"""Variant markers evaluated into the metadata of a wheel, for older installers.

pip refuses a wheel with a variant marker in its dependencies. PEP 825, "Backwards
Compatibility": "It is possible to work around it by partially evaluating environment
markers at build time". A bundle is for one target, and its label is chosen, so its
markers can be evaluated like that. All other members of the wheel keep their bytes,
packed as they were.
"""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from polylock.errors import FileCorrupt
from polylock.installation.record import InvalidRecord, format_rows, parse_rows, row_of
from polylock.model.folding import fold_variant
from polylock.model.markers import InvalidMarker
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from zipfile import ZipFile, ZipInfo

    from polylock.model.folding import SelectedVariant

__all__ = ["EvaluatedRequirement", "PlainWheel", "evaluate_markers"]

_FIELD = "requires-dist:"


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
            _copy(archive, wheel, beside, replaced)
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
    text = content.decode("utf-8")
    changes: list[EvaluatedRequirement] = []
    kept = []
    for field in _fields(text):
        if not field.lower().startswith(_FIELD) or "variant_" not in field:
            kept.append(field)
            continue
        value = " ".join(field[len(_FIELD) :].split())
        change = EvaluatedRequirement(was=value, now=_without_variants(value, variant))
        ending = field[len(field.rstrip("\r\n")) :]
        changes.append(change)
        if change.now is not None:
            kept.append(f"Requires-Dist: {change.now}{ending}")
    return "".join(kept).encode(), tuple(changes)


def _fields(text: str) -> Iterator[str]:
    """Yield each field of the header with its continuation lines, then the rest."""
    field = ""
    stream = io.StringIO(text, newline="")
    for line in stream:
        if line[0] not in " \t":
            if field:
                yield field
            field = ""
        if not line.strip():
            yield field + line + stream.read()
            return
        field += line
    yield field


def _without_variants(text: str, variant: SelectedVariant) -> str | None:
    try:
        requirement = Requirement.parse(text)
        marker = requirement.marker_expression
    except (InvalidRequirement, InvalidMarker) as error:
        raise ValueError(f"bad Requires-Dist: {error}") from error
    rest = True if marker is None else fold_variant(marker, variant)
    if rest is False:
        return None

    left = "" if rest is True else str(rest)
    return str(replace(requirement, marker=left))


def _copy(
    archive: ZipFile, wheel: Path, target: Path, replaced: dict[str, bytes]
) -> None:
    """Write an archive with some members replaced; the others keep their bytes."""
    from zipfile import ZipFile, ZipInfo  # noqa: PLC0415 - as above

    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    ends = [*(info.header_offset for info in infos[1:]), archive.start_dir]
    with wheel.open("rb") as source, ZipFile(target, "w") as copy:
        stream = copy.fp
        assert stream is not None
        for info, end in zip(infos, ends, strict=True):
            if info.filename in replaced:
                fresh = ZipInfo(info.filename, info.date_time)
                fresh.compress_type = info.compress_type
                fresh.external_attr = info.external_attr
                copy.writestr(fresh, replaced[info.filename])
                continue
            source.seek(info.header_offset)
            stream.seek(copy.start_dir)
            info.header_offset = copy.start_dir
            _transfer(source, stream, end - source.tell())
            copy.filelist.append(info)
            copy.NameToInfo[info.filename] = info
            copy.start_dir = stream.tell()


def _transfer(source: Any, target: Any, size: int) -> None:  # noqa: ANN401 - binary files
    while size > 0:
        chunk = source.read(min(size, 1 << 20))
        if not chunk:
            raise ValueError("ends within a member")
        target.write(chunk)
        size -= len(chunk)
