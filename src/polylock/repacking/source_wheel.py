"""A wheel that is to be rewritten, read by the rules of ``lock`` and ``sync``.

Its RECORD is compared with every member, because the new one is made from it. What
``sync`` repairs is a fault here: the publisher of a wheel can still correct it.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from polylock.cache.regular_files import WholeFile, open_regular
from polylock.installation.record import (
    UNRECORDED,
    RecordRow,
    row_faults,
    rows_of_wheel,
    secure_hash,
)
from polylock.model.archive_checks import RefusedArchive
from polylock.model.core_metadata import CoreMetadata, InvalidCoreMetadata
from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.model.wheel_faults import Fault, FaultKind
from polylock.model.wheel_info import header, parse_entry_points, parse_wheel_file
from polylock.model.wheel_members import LIMITS, WheelMembers, is_release, wheel_members
from polylock.model.zip_content import content_chunks
from polylock.values import Mutable, Value
from polylock.variants.variant_json import (
    LARGEST,
    InvalidVariantMetadata,
    VariantMetadata,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from zipfile import ZipInfo

    from polylock.model.archive_checks import Readable
    from polylock.model.wheel_members import Limits

__all__ = ["Identity", "InvalidWheel", "SourceWheel", "identity_of", "opened_wheel"]

_UNREADABLE = (
    EOFError,
    NotImplementedError,
    ValueError,
    zipfile.BadZipFile,
)


class InvalidWheel(ValueError):
    """A wheel that cannot be rewritten; the text is the reason."""


class Identity(Value, frozen=True):
    """Size and modification time of a file, by which a later change is noticed."""

    size: int
    mtime_ns: int


def identity_of(path: Path) -> Identity:
    """Return the identity of a file; raises OSError."""
    found = path.stat()
    return Identity(found.st_size, found.st_mtime_ns)


class SourceWheel(Mutable, kw_only=True):
    """An open wheel. ``metadata`` is METADATA, ``variant`` None for a plain wheel.

    ``rows`` is its RECORD, the rows of RECORD itself and of signatures left out.
    ``faults`` are those of the archive and, after ``compare``, of RECORD.
    """

    path: Path
    filename: WheelFilename
    identity: Identity
    stream: Readable
    infos: list[ZipInfo]
    comment: bytes
    members: WheelMembers
    metadata: bytes
    variant: VariantMetadata | None
    rows: list[RecordRow]
    faults: list[Fault]

    @property
    def info(self) -> str:
        """Return the name of its ``.dist-info``."""
        return f"{self.members.stem}.dist-info"

    def compare(self) -> dict[str, RecordRow]:
        """Read all members and compare RECORD with them; return their right rows.

        Raises RefusedArchive for a member that is damaged.
        """
        stated: dict[str, RecordRow] = {}
        for row in self.rows:
            if row.path not in self.members.files:
                if "__pycache__" not in row.path.split("/"):
                    self.faults.append(Fault(FaultKind.ABSENT, row.path))
            elif stated.setdefault(row.path, row) != row:
                self.faults.append(Fault(FaultKind.LISTED_TWICE, row.path))
        unrecorded = {f"{self.info}/{name}" for name in UNRECORDED}
        found = {}
        for path, info in self.members.files.items():
            if path in unrecorded:
                continue
            known = stated.get(path)
            algorithm, hash_ = secure_hash(known)
            found[path] = self._row(path, info, algorithm)
            if known is None:
                self.faults.append(Fault(FaultKind.UNLISTED, path))
            else:
                self.faults += row_faults(known, hash_, found[path])
        for path, info in self.members.copies:
            algorithm = (
                found[path].hash.partition("=")[0] if path in found else "sha256"
            )
            if self._row(path, info, algorithm) != found.get(path):
                raise RefusedArchive(f"member {path!a} is there twice, and differs")
        return found

    def _row(self, path: str, info: ZipInfo, algorithm: str) -> RecordRow:
        digest = hashlib.new(algorithm)
        size = 0
        for chunk in content_chunks(self.stream, info):
            digest.update(chunk)
            size += len(chunk)
        encoded = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
        return RecordRow(path, f"{algorithm}={encoded}", str(size))


@contextmanager
def opened_wheel(path: Path, *, limits: Limits = LIMITS) -> Iterator[SourceWheel]:
    """Provide a wheel, open for reading; raises InvalidWheel.

    That is also raised for a RefusedArchive or an OSError of the block that reading
    the wheel causes.
    """
    try:
        open_regular(path).close()  # a pipe would be waited for
        identity = identity_of(path)
        with WholeFile(path) as stream, zipfile.ZipFile(stream) as archive:
            yield _read(path, identity, stream, archive, limits)
    except InvalidWheel:
        raise
    except (InvalidFilename, RefusedArchive, InvalidCoreMetadata) as error:
        raise InvalidWheel(str(error)) from error
    except InvalidVariantMetadata as error:
        raise InvalidWheel(f"variant.json: {error}") from error
    except _UNREADABLE as error:
        raise InvalidWheel(f"it is not a readable zip file: {error}") from error
    except OSError as error:
        raise InvalidWheel(f"cannot be read: {error.strerror or error}") from error


def _read(
    path: Path,
    identity: Identity,
    stream: Readable,
    archive: zipfile.ZipFile,
    limits: Limits,
) -> SourceWheel:
    filename = WheelFilename.parse(path.name)
    infos = archive.infolist()
    members = wheel_members(infos, filename, identity.size, limits)
    info = f"{members.stem}.dist-info"

    def content(name: str) -> bytes:
        return b"".join(content_chunks(stream, members.files[f"{info}/{name}"]))

    def text(name: str) -> str:
        try:
            return content(name).decode("utf-8")
        except UnicodeDecodeError as error:
            raise RefusedArchive(f"{info}/{name} is not UTF-8") from error

    parse_wheel_file(text("WHEEL"))
    _check_metadata(text("METADATA"), filename)
    metadata = content("METADATA")
    CoreMetadata.parse(metadata)
    if f"{info}/entry_points.txt" in members.files:
        tuple(parse_entry_points(text("entry_points.txt")))
    rows, bad = rows_of_wheel(text("RECORD"))
    unrecorded = {f"{info}/{name}" for name in UNRECORDED}
    faults = [*members.faults, *(Fault(FaultKind.COLUMNS, line) for line in bad)]
    return SourceWheel(
        path=path,
        filename=filename,
        identity=identity,
        stream=stream,
        infos=infos,
        comment=archive.comment,
        members=members,
        metadata=metadata,
        variant=_variant(
            filename.variant_label, f"{info}/variant.json", members, content
        ),
        rows=[row for row in rows if row.path and row.path not in unrecorded],
        faults=faults,
    )


def _check_metadata(text: str, filename: WheelFilename) -> None:
    name, version = header(text, "Name"), header(text, "Version")
    if name is None or version is None:
        raise InvalidWheel("METADATA has no Name or no Version")
    if not is_release(name, version, filename):
        raise InvalidWheel(f"its METADATA is that of {name} {version}")


def _variant(
    label: str | None, path: str, members: WheelMembers, content: Callable[[str], bytes]
) -> VariantMetadata | None:
    """Return ``variant.json``, which a wheel has if its file name has a label."""
    found = members.files.get(path)
    if (label is None) != (found is None):
        has, lacks = (
            ("variant.json", "variant label in its file name")
            if label is None
            else (f"variant label {label} in its file name", "variant.json")
        )
        raise InvalidWheel(f"it has a {has} but no {lacks}")
    if label is None or found is None:
        return None
    if found.file_size > LARGEST:
        raise InvalidWheel(f"variant.json is larger than {LARGEST} bytes")
    return VariantMetadata.decode_wheel(content("variant.json"), label)
