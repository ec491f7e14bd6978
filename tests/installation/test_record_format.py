"""RECORD is a table of three columns."""

from __future__ import annotations

import pytest

from polylock.installation.record_format import (
    InvalidRecord,
    RecordRow,
    format_rows,
    parse_rows,
)


def test_rows_survive_a_round_trip() -> None:
    """Commas, quotes and line ends in names come back as they were."""
    rows = [
        RecordRow("a.py", "sha256=abc", "1"),
        RecordRow('comma, "quote".py', "sha256=def", "22"),
        RecordRow("line\nend", "", ""),
    ]
    text = format_rows(rows)
    assert text.startswith("a.py,sha256=abc,1\n")
    assert list(parse_rows(text)) == rows


def test_parse_rows_when_lines_end_as_on_windows() -> None:
    """Empty lines, CRLF and backslashes are read."""
    text = "demo\\a.py,sha256=abc,1\r\n\r\ndemo-1.0.dist-info/RECORD,,\r\n"
    assert list(parse_rows(text)) == [
        RecordRow("demo/a.py", "sha256=abc", "1"),
        RecordRow("demo-1.0.dist-info/RECORD"),
    ]


def test_parse_rows_when_a_line_is_wrong() -> None:
    """The error names the line."""
    with pytest.raises(InvalidRecord, match="line 2 has 4 columns instead of 3"):
        list(parse_rows("a,b,1\na,b,1,x\n"))


def test_parse_rows_when_a_field_is_endless() -> None:
    """A field above the limit of the csv module is an error, not a traceback."""
    with pytest.raises(InvalidRecord, match="field larger"):
        list(parse_rows("x" * 200_000))
