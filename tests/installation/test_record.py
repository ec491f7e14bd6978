"""RECORD is a table of three columns; polylock adds files to .dist-info."""

from __future__ import annotations

import json

import pytest
from packaging.utils import canonicalize_name

from polylock.environment.direct_url import DirectUrl, DirInfo
from polylock.installation.plan import WantedDistribution
from polylock.installation.record import (
    InvalidRecord,
    RecordRow,
    format_rows,
    installation_files,
    parse_rows,
    record_text,
    row_of,
)

WHEEL = "demo-1.0-py3-none-any-cu130.whl"


def test_installation_files_of_a_dependency() -> None:
    """INSTALLER names polylock, and polylock.json the locked file."""
    files = installation_files(
        WantedDistribution(
            name=canonicalize_name("demo"),
            version="1.0",
            filename=WHEEL,
            sha256="a" * 64,
            variant_label="cu130",
        )
    )
    assert files["INSTALLER"] == b"polylock\n"
    assert json.loads(files["polylock.json"]) == {
        "filename": WHEEL,
        "sha256": "a" * 64,
        "variant_label": "cu130",
    }
    assert files.keys() == {"INSTALLER", "polylock.json"}


def test_installation_files_of_a_root_from_a_directory() -> None:
    """REQUESTED is empty, and direct_url.json follows PEP 610."""
    files = installation_files(
        WantedDistribution(
            name=canonicalize_name("demo"),
            version=None,
            filename="demo",
            sha256="a" * 64,
            requested=True,
            direct_url=DirectUrl(url="file:///src", dir_info=DirInfo(editable=True)),
        )
    )
    assert files["REQUESTED"] == b""
    assert json.loads(files["direct_url.json"]) == {
        "url": "file:///src",
        "dir_info": {"editable": True},
    }


def test_record_text_lists_everything() -> None:
    """The rows of the wheel, of the added files, of moved files, and of RECORD."""
    moved = RecordRow("../../../bin/run", "sha256=abc", "3")
    text = record_text(
        "demo/__init__.py,sha256=def,0\n",
        {"INSTALLER": b"polylock\n"},
        [moved],
        dist_info="demo-1.0.dist-info",
    )
    assert list(parse_rows(text)) == [
        RecordRow("demo/__init__.py", "sha256=def", "0"),
        row_of("demo-1.0.dist-info/INSTALLER", b"polylock\n"),
        moved,
        RecordRow("demo-1.0.dist-info/RECORD"),
    ]


def test_row_of_an_empty_file() -> None:
    """The hash is that of PEP 376: base64 for URLs, without padding."""
    assert row_of("x", b"") == RecordRow(
        "x", "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", "0"
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
