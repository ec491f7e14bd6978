"""RECORD (PEP 376, 427, 627), and the other files that are added to ``.dist-info``."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from polylock.environment.installed import ORIGIN_FILE, Origin
from polylock.model.wheel_faults import Fault, FaultKind
from polylock.model.wheel_members import normal_path

try:
    # hashlib would load OpenSSL: 3 ms, to hash a few lines.
    from _sha2 import sha256  # type: ignore[import-not-found] # typeshed has none
except ImportError:  # Python 3.11, or another implementation
    from hashlib import sha256

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

    from polylock.installation.plan import WantedDistribution

__all__ = [
    "INSTALLER",
    "UNRECORDED",
    "InvalidRecord",
    "RecordRow",
    "format_rows",
    "has_hash",
    "installation_files",
    "parse_rows",
    "record_text",
    "row_faults",
    "row_of",
    "rows_of_wheel",
    "secure_hash",
]

INSTALLER = "polylock"
"""Content of the file INSTALLER."""

UNRECORDED = frozenset({"RECORD", "RECORD.jws", "RECORD.p7s"})
"""RECORD and its signatures (PEP 427), which need no row with a hash."""

_SECURE = frozenset({"sha256", "sha384", "sha512"})
"""PEP 427: "sha256 or better"; MD5, SHA-1 and SHA-224 are ruled out by name."""

_LONGEST_SHOWN = 80  # characters of a row


class InvalidRecord(ValueError):
    """A RECORD that is not a table of three columns."""


class RecordRow(NamedTuple):
    """A file: its path with ``/``, and ``sha256=…`` and size, which may be empty.

    The path is relative to the directory of ``.dist-info``, or absolute. It is a tuple
    because a large environment has tens of thousands of rows.
    """

    path: str
    hash: str = ""
    size: str = ""


def parse_rows(text: str) -> Iterator[RecordRow]:
    """Yield the rows of RECORD; empty lines are skipped.

    Backslashes in paths count as slashes: old backends on Windows wrote them.
    Raises InvalidRecord, which names the line.
    """
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for row in reader:
            if not row:
                continue
            if len(row) != 3:
                raise InvalidRecord(
                    f"line {reader.line_num} has {len(row)} columns instead of 3"
                )
            path, hash_, size = row
            yield RecordRow(path.replace("\\", "/"), hash_, size)
    except csv.Error as error:
        raise InvalidRecord(f"line {reader.line_num}: {error}") from error


def rows_of_wheel(text: str) -> tuple[list[RecordRow], list[str]]:
    """Return the rows of a wheel's RECORD, and the rows that are none, as text.

    Paths are in their normal form. A row that is too short has no hash.
    """
    rows: list[RecordRow] = []
    bad: list[str] = []
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for row in reader:
            if row and len(row) != 3:
                bad.append(",".join(row)[:_LONGEST_SHOWN])
            if row:
                path, hash_, size = (*row, "", "")[:3]
                path = normal_path(path.replace("\\", "/"))
                rows.append(RecordRow(path, hash_, size))
    except csv.Error as error:
        bad.append(f"line {reader.line_num}: {error}")
    return rows, bad


def secure_hash(row: RecordRow | None) -> tuple[str, str]:
    """Return the algorithm to hash a file with, and the hash that its row states.

    The latter is empty where there is none that is secure.
    """
    algorithm, _, value = ("", "", "") if row is None else row.hash.partition("=")
    if algorithm not in _SECURE or not value:
        return "sha256", ""
    return algorithm, f"{algorithm}={value.rstrip('=')}"


def row_faults(row: RecordRow, stated: str, found: RecordRow) -> Iterator[Fault]:
    """Yield the differences between a row of a wheel's RECORD and its file.

    ``stated`` is its secure hash, from ``secure_hash``.
    """
    if not stated:
        yield Fault(FaultKind.NO_HASH, found.path)
    elif stated != found.hash:
        yield Fault(FaultKind.OTHER_HASH, found.path)
    if row.size not in {"", found.size}:
        yield Fault(FaultKind.OTHER_SIZE, found.path)


def format_rows(rows: Iterable[RecordRow]) -> str:
    """Return the rows as text, one per line."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def installation_files(
    wanted: WantedDistribution, tops: Iterable[str] = ()
) -> dict[str, bytes]:
    """Return the files to add to ``.dist-info`` by name, except RECORD.

    ``polylock.json`` identifies the locked file, so that the next sync knows that there
    is nothing to do; ``tops`` are the names in site-packages that it should find.
    """
    origin = Origin(
        filename=wanted.filename,
        sha256=wanted.sha256,
        variant_label=wanted.variant_label,
        tops=tuple(sorted(tops)),
    )
    files = {
        "INSTALLER": f"{INSTALLER}\n".encode(),
        ORIGIN_FILE: msgspec.json.encode(origin) + b"\n",
    }
    if wanted.requested:
        files["REQUESTED"] = b""
    if wanted.direct_url is not None:
        files["direct_url.json"] = msgspec.json.encode(wanted.direct_url)
    return files


def row_of(path: str, content: bytes) -> RecordRow:
    """Return the row of a file with this content."""
    return RecordRow(path, f"sha256={_encoded(sha256(content))}", str(len(content)))


def has_hash(content: bytes, hash_: str) -> bool:
    """Return True if content has a hash in the format of RECORD."""
    algorithm, _, value = hash_.partition("=")
    if algorithm == "sha256":
        return value.rstrip("=") == _encoded(sha256(content))
    import hashlib  # noqa: PLC0415 - 3 ms, for wheels with another algorithm

    return value.rstrip("=") == _encoded(hashlib.new(algorithm, content))


def _encoded(digest: Hash) -> str:
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def record_text(
    unchanged: str,
    added: Mapping[str, bytes],
    moved: Iterable[RecordRow],
    *,
    dist_info: str,
) -> str:
    """Return the text of RECORD.

    ``unchanged`` has the rows of the files that are installed unchanged, ``added`` the
    contents of the other files in ``dist_info``, ``moved`` the rows of files outside
    site-packages. RECORD itself comes last, without a hash.
    """
    rows = [row_of(f"{dist_info}/{name}", added[name]) for name in sorted(added)]
    rows += sorted(moved)
    rows.append(RecordRow(f"{dist_info}/RECORD"))
    return unchanged + format_rows(rows)
