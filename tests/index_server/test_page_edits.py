"""Files added to pages of any tool, and nothing else changed."""

from __future__ import annotations

import json
import time

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from polylock.index.html_page import parse_html_page
from polylock.index_server.page_edits import (
    InvalidPageEdit,
    html_with_files,
    html_with_project,
    json_with_files,
    json_with_project,
)
from polylock.index_server.static_build import ListedFile

NAME = canonicalize_name("demo")
LEVEL = "demo-1.0-variants.json"
NEW = ListedFile(filename=LEVEL, url=LEVEL, size=7, sha256="a" * 64)
WHEEL = ListedFile(
    filename="demo-1.0-py3-none-any.whl",
    url="demo-1.0-py3-none-any.whl",
    size=5,
    sha256="b" * 64,
    requires_python=">=3.11",
    metadata_sha256="c" * 64,
)


def test_links_are_inserted_at_the_end_of_the_body() -> None:
    """All else stays: other tools wrote it."""
    page = b"<!DOCTYPE html>\n<HTML><BODY bgcolor=red>\n<a href='x'>x</a>\n</BODY>\n"
    found = html_with_files(page, [WHEEL]).decode()
    before, after = page.decode().split("</BODY>")
    assert found.startswith(before)
    assert found.endswith(f"</BODY>{after}")
    (_, row) = parse_html_page(found.encode(), "https://example.com/demo/")
    assert row.filename == WHEEL.filename
    assert row.hashes == {"sha256": "b" * 64}
    assert row.requires_python == ">=3.11"
    assert row.core_metadata == {"sha256": "c" * 64}


@pytest.mark.parametrize("page", [b"", b"<a href=x>x</a>", b"<a href=x>x</a>\n"])
def test_page_without_a_body_gets_them_at_its_end(page: bytes) -> None:
    """HTML may leave out its tags."""
    found = html_with_files(page, [NEW])
    assert found.startswith(page)
    assert parse_html_page(found, "https://example.com/")[-1].filename == LEVEL


@pytest.mark.parametrize(
    ("link", "wanted"),
    [
        (f'<a href="{LEVEL}">v</a>', f'<a href="{LEVEL}#sha256={"a" * 64}">v</a>'),
        (
            f"<A id=x  HREF = '../f/{LEVEL}?t=1#sha256=00' data-x=\"1>2\">v</A>",
            f'<A id=x  HREF = "../f/{LEVEL}?t=1#sha256={"a" * 64}" data-x="1>2">v</A>',
        ),
        (
            '<a href="demo-1.0%2Dvariants.json#md5=1&amp;x=2">v</a>',
            f'<a href="demo-1.0%2Dvariants.json#sha256={"a" * 64}">v</a>',
        ),
    ],
)
def test_link_to_a_replaced_file_gets_its_hash(link: str, wanted: str) -> None:
    """And no second link; its place stays, and its other attributes."""
    page = f'<body><a href="other-{LEVEL}">o</a>{link}</body>'
    found = html_with_files(page.encode(), [NEW]).decode()
    assert found == page.replace(link, wanted)


def test_the_same_edit_again_changes_nothing() -> None:
    """So a second run gives the same bytes."""
    once = html_with_files(b"<body></body>", [NEW])
    assert html_with_files(once, [NEW]) == once
    text = json.dumps({"files": [], "versions": ["0.9"]}).encode()
    page = json_with_files(text, [NEW], [Version("1.0")])
    assert json_with_files(page, [NEW], [Version("1.0")]) == page


def test_json_keeps_every_key_that_it_has() -> None:
    """Also those that only its index knows."""
    row = {"filename": LEVEL, "url": "far/away", "hashes": {"sha256": "0"}, "mine": [1]}
    odd = ["odd", {"filename": {}}]
    page = {"meta": {"api-version": "1.4", "own": 1}, "files": [row, *odd], "x": None}
    found = json.loads(json_with_files(json.dumps(page).encode(), [NEW, WHEEL], []))
    assert found["meta"] == page["meta"]
    assert found["x"] is None
    assert found["files"][0] == {
        "filename": LEVEL,
        "url": "far/away",
        "hashes": {"sha256": "a" * 64},
        "mine": [1],
        "size": 7,
    }
    assert found["files"][1:3] == odd
    assert found["files"][3]["filename"] == WHEEL.filename
    assert "versions" not in found


def test_versions_are_added_once() -> None:
    """PEP 700: the list has all versions with files."""
    page = json.dumps({"files": [], "versions": ["1.0", "0.9"]}).encode()
    found = json.loads(json_with_files(page, [], [Version("1.0"), Version("2.0")]))
    assert found["versions"] == ["1.0", "0.9", "2.0"]


def test_projects_are_added_to_the_list() -> None:
    """In both forms."""
    assert b'<a href="demo/">demo</a>' in html_with_project(b"<body></body>", NAME)
    found = json.loads(json_with_project(b'{"projects": [{"name": "a"}]}', NAME))
    assert found == {"projects": [{"name": "a"}, {"name": "demo"}]}


@pytest.mark.parametrize(
    "page",
    [b"", b"[]", b"{}", b'{"files": 1}', b"[" * 100_000, b"\xff", b"1" * 5000],
)
def test_page_that_cannot_be_extended_is_refused(page: bytes) -> None:
    """With a reason, and no other exception."""
    with pytest.raises(InvalidPageEdit):
        json_with_files(page, [NEW], [])
    with pytest.raises(InvalidPageEdit):
        json_with_project(page, NAME)


def test_page_that_is_not_text_is_refused() -> None:
    """What is there could not be kept."""
    with pytest.raises(InvalidPageEdit, match="UTF-8"):
        html_with_files(b"<a href='\xff'>", [NEW])


def test_half_a_character_of_a_page_is_kept() -> None:
    """JSON can have one, UTF-8 cannot."""
    page = b'{"files": [], "x": "\\ud800"}'
    assert json.loads(json_with_files(page, [NEW], []))["x"] == "\ud800"


@pytest.mark.parametrize(
    "piece", ["<a ", "<a href='", '<a href="x', "<a href=x <", "</body"]
)
def test_hostile_page_takes_linear_time(piece: str) -> None:
    """Tags without an end are not searched again and again."""
    began = time.process_time()
    html_with_files((piece * 60_000).encode(), [NEW])
    assert time.process_time() - began < 5
