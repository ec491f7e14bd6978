"""Tests of polylock.index_server.loopback_server."""

from __future__ import annotations

import pytest

from polylock.index_server.loopback_server import (
    byte_range,
    entity_tag_matches,
    normalized_page,
    path_segments,
    preferred_page,
)

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"


@pytest.mark.parametrize(
    ("accept", "filename"),
    [
        ("", "index.html"),
        ("*/*", "index.html"),
        ("text/html", "index.html"),
        (JSON, "index.json"),
        (JSON.upper(), "index.json"),
        ("application/vnd.pypi.simple.latest+json", "index.json"),
        (f"{JSON}, {HTML};q=0.1, text/html;q=0.01", "index.json"),
        (f"{JSON};q=0.2, {HTML}", "index.html"),
        (f"text/html;q=0.5,{JSON};q=0.5", "index.html"),
        (f"{JSON};q=0, text/html;q=0.1", "index.html"),
        (f"image/png, {JSON};q=0.1", "index.json"),
        (f"{JSON};q=high, text/html;q=0.1", "index.html"),
    ],
)
def test_preferred_page_takes_the_highest_weight(accept: str, filename: str) -> None:
    """The page of the highest weight is sent, HTML where nothing is preferred."""
    choice = preferred_page(accept)

    assert choice is not None
    assert choice[1] == filename


@pytest.mark.parametrize("accept", ["image/png", f"{JSON};q=0", "application/json"])
def test_preferred_page_is_none_when_nothing_will_do(accept: str) -> None:
    """There is no page if the client accepts none of the types."""
    assert preferred_page(accept) is None


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("bytes=0-0", range(1)),
        ("bytes=2-4", range(2, 5)),
        ("bytes=2-", range(2, 10)),
        ("bytes=2-99", range(2, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-99", range(10)),
        ("bytes = 1 - 2", range(1, 3)),
        ("bytes=10-", range(0)),
        ("bytes=-0", range(0)),
        ("bytes=4-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_byte_range_of_ten_bytes(header: str | None, wanted: range | None) -> None:
    """A range is cut at the file's end, empty behind it, and None for the whole."""
    assert byte_range(header, 10) == wanted


@pytest.mark.parametrize(
    ("target", "segments"),
    [
        ("/simple/demo/", ["simple", "demo"]),
        ("/files/a%2Bb.whl?x=1", ["files", "a+b.whl"]),
        ("//simple", []),
        ("/../secret", None),
        ("/files/%2e%2e/secret", None),
        ("/files/..%2fsecret", None),
        ("/files/..%5csecret", None),
        ("/C:/secret", None),
        ("/a%00b", None),
        ("/%ff", None),
    ],
)
def test_path_segments_never_leave_the_directory(
    target: str, segments: list[str] | None
) -> None:
    """What some system could read as a way out is refused."""
    assert path_segments(target) == segments


@pytest.mark.parametrize(
    ("target", "page"),
    [
        ("/", "/simple/"),
        ("/simple", "/simple/"),
        ("/simple/", None),
        ("/simple/demo", "/simple/demo/"),
        ("/simple/My_Demo/", "/simple/my-demo/"),
        ("/simple/demo/", None),
        ("/simple/demo/index.json", None),
        ("/files/My_Demo", None),
    ],
)
def test_normalized_page_redirects_to_the_one_page_of_a_project(
    target: str, page: str | None
) -> None:
    """PEP 503: a page has its normalized name and a slash at its end."""
    segments = path_segments(target)

    assert segments is not None
    assert normalized_page(target, segments) == page


def test_entity_tag_matches_weak_and_listed_tags() -> None:
    """If-None-Match compares weakly, and knows the star."""
    assert entity_tag_matches('"a", W/"b"', '"b"')
    assert entity_tag_matches("*", '"b"')
    assert not entity_tag_matches('"a"', '"b"')
    assert not entity_tag_matches(None, '"b"')
