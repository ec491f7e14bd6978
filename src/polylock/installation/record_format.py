"""The rows of RECORD (PEP 376, PEP 427, PEP 627)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["InvalidRecord", "RecordRow", "format_rows", "parse_rows"]


class InvalidRecord(ValueError):
    """A RECORD that is no table of three columns."""


class RecordRow(NamedTuple):
    """A file: its path with ``/``, ``sha256=…`` or nothing, its size or nothing.

    The path is relative to the directory that holds ``.dist-info``, or absolute. A
    plain tuple underneath, for a large environment has tens of thousands.
    """

    path: str
    hash: str = ""
    size: str = ""


def parse_rows(text: str) -> Iterator[RecordRow]:
    """Yield the rows; empty lines are passed over.

    Backslashes in paths count as slashes: old backends on Windows wrote them.
    Raises InvalidRecord with the line.
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


def format_rows(rows: Iterable[RecordRow]) -> str:
    """Return the rows as text, one a line."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
