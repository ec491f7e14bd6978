"""Project pages in JSON, as the specification and as real indexes write them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urljoin

import pytest

from polylock.index.json_page import InvalidPage, file_url, parse_json_page
from polylock.model.distributions import RemoteFile

BASE = "https://example.com/simple/demo/"


def _parse(*files: Any, version: str = "1.1") -> list[RemoteFile]:  # noqa: ANN401
    document = {"meta": {"api-version": version}, "name": "demo", "files": files}
    return parse_json_page(json.dumps(document).encode(), BASE)


def _one(**keys: Any) -> RemoteFile:  # noqa: ANN401 - any JSON value
    entry = {"filename": "demo-1.0.tar.gz", "url": "x", **keys}
    (row,) = _parse(entry)
    return row


def test_every_key_of_a_file_is_read() -> None:
    """Size, time, hashes, requires-python, core-metadata and yanked come over."""
    row = _one(
        **{
            "url": "https://files.example.com/demo-1.0.tar.gz",
            "hashes": {"sha256": "ab"},
            "size": 12,
            "upload-time": "2026-07-01T10:20:30.123456Z",
            "requires-python": ">=3.11",
            "core-metadata": {"sha256": "cd"},
            "yanked": "broken",
        }
    )
    assert row == RemoteFile(
        filename="demo-1.0.tar.gz",
        url="https://files.example.com/demo-1.0.tar.gz",
        hashes={"sha256": "ab"},
        size=12,
        upload_time=1_782_901_230_123_456,
        requires_python=">=3.11",
        core_metadata={"sha256": "cd"},
        yanked="broken",
    )


def test_keys_that_are_left_out_or_null_are_absent() -> None:
    """A page of API 1.0, and one that writes null instead, give the same row."""
    names = ("hashes", "size", "upload-time", "requires-python", "core-metadata")
    assert _one() == _one(**dict.fromkeys([*names, "yanked"]))
    assert _one() == RemoteFile("demo-1.0.tar.gz", f"{BASE}x")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"core-metadata": True}, {}),
        ({"core-metadata": False}, None),
        ({"dist-info-metadata": {"sha256": "ab"}}, {"sha256": "ab"}),
        ({"core-metadata": False, "dist-info-metadata": True}, None),
        ({}, None),
    ],
)
def test_core_metadata_in_all_its_forms(
    keys: dict[str, Any], expected: dict[str, str] | None
) -> None:
    """A hash, true or false, under the new key or the old one (PEP 714)."""
    assert _one(**keys).core_metadata == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(True, ""), (False, None), ("why", "why"), ("", None)]
)
def test_yanked_is_a_reason(value: object, expected: str | None) -> None:
    """A text is the reason, true has none; false and "" are not yanked (PEP 691)."""
    assert _one(yanked=value).yanked == expected


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("demo.whl", "https://example.com/simple/demo/demo.whl"),
        ("../../files/demo.whl", "https://example.com/files/demo.whl"),
        ("/files/demo.whl#sha256=ab", "https://example.com/files/demo.whl"),
        ("https://u:p@example.com/demo.whl", "https://example.com/demo.whl"),
    ],
)
def test_urls_are_made_absolute_and_bare(url: str, absolute: str) -> None:
    """Relative to the page, without fragment and credentials."""
    assert _one(url=url).url == absolute


def test_a_time_without_zone_is_utc() -> None:
    """The specification asks for Z; without it the same is meant."""
    assert _one(**{"upload-time": "1970-01-01T00:00:01"}).upload_time == 1_000_000


def test_one_bad_value_costs_only_itself() -> None:
    """A wrong type makes that key absent; a file without name is left out."""
    rows = _parse(
        {"filename": "a", "url": "a", "size": "12", "yanked": "no"},
        {"filename": None, "url": "b"},
        {"filename": "c", "url": "c", "upload-time": "yesterday", "hashes": 1},
        {"filename": "d", "url": "d", "size": 4},
    )
    assert [(r.filename, r.size, r.yanked) for r in rows] == [
        ("a", None, "no"),
        ("c", None, None),
        ("d", 4, None),
    ]


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"files": 1}', b"\xff"])
def test_what_is_no_page_is_refused(content: bytes) -> None:
    """An error with a reason, not a traceback of the decoder."""
    with pytest.raises(InvalidPage):
        parse_json_page(content, BASE)


def test_an_unknown_major_version_is_refused() -> None:
    """2.0 may mean anything; 1.9 is compatible (PEP 629)."""
    assert _parse(version="1.9") == []
    with pytest.raises(InvalidPage, match=r"2\.0"):
        _parse(version="2.0")


@pytest.mark.parametrize(
    "url",
    [
        "/files/a-1.whl",
        "../../files/ab/cd/a-1.0+cpu.whl",
        "../a.whl",
        "a.whl",
        "./a.whl",
        "files/a.whl",
        "//other.example.com/a.whl",
        "../../../../../../a.whl",
        ".../a.whl",
        "../.hidden/a.whl",
        "..//a.whl",
        "../x/../a.whl",
        "../a%20b.whl",
        "../a b.whl",
        "../a.whl?x=1",
        "ftp:a.whl",
        "/",
        "..",
    ],
)
def test_relative_urls_are_joined_as_urljoin_does(url: str) -> None:
    """The short cut for the usual forms gives what the library gives for all."""
    base = "https://index.example.com/root/simple/a/"
    expected = urljoin(base, url).partition("#")[0]
    assert file_url(url, base) == expected
