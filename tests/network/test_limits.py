"""A server can waste neither memory nor time, nor lead into the clear."""

from __future__ import annotations

import gzip
from itertools import count, repeat
from typing import TYPE_CHECKING

import pytest

from fakes.server import Answer, Server
from polylock.errors import IndexRequestError
from polylock.network.answers import Streaming
from polylock.network.limits import in_time, redirected, whole_body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.network.client import Client

URL = "https://index.example.com/simple/demo/"


def answer(chunks: Iterator[bytes]) -> Streaming:
    """Return an answer with this body."""
    return Streaming(URL, 200, {}, chunks)


def test_an_endless_body_is_refused() -> None:
    """Reading ends at the limit, whatever is still to come."""
    with pytest.raises(IndexRequestError, match="more than 1000 bytes"):
        whole_body(answer(repeat(b"x" * 100)), largest=1000)
    assert whole_body(answer(iter([b"a", b"b"])), largest=2) == b"ab"


def test_a_page_that_unfolds_to_gigabytes_is_refused(
    server: Server, client: Client
) -> None:
    """What counts is the size of the page, not that of its compressed form."""
    bomb = gzip.compress(b" " * (300 << 20), 1)
    server.routes["/page"] = Answer(body=bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(IndexRequestError, match="more than 268435456 bytes"):
        client.get(f"{server.url}/page")


def test_a_page_that_is_compressed_twice_is_refused(
    server: Server, client: Client
) -> None:
    """Each coding would multiply the size that a few bytes can reach."""
    body = gzip.compress(gzip.compress(b"x"))
    server.routes["/page"] = Answer(
        body=body, headers={"Content-Encoding": "gzip, gzip"}
    )
    with pytest.raises(IndexRequestError, match="compressed more than once"):
        client.get(f"{server.url}/page")


def test_a_slow_drip_is_refused() -> None:
    """A byte every second is never silence, and never an end either."""
    seconds = count()
    drip = in_time(repeat(b"x"), URL, seconds=30.0, clock=lambda: float(next(seconds)))
    with pytest.raises(IndexRequestError, match="less than 100 bytes a second"):
        sum(map(len, drip))


def test_a_slow_line_is_no_drip() -> None:
    """Some kilobytes a second are taken, for however long."""
    seconds = count()
    line = in_time(
        repeat(b"x" * 3000), URL, seconds=30.0, clock=lambda: float(next(seconds))
    )
    assert sum(len(next(line)) for _ in range(200)) == 600_000


def test_a_redirect_into_the_clear_is_refused() -> None:
    """From https a redirect leads to https alone; relative ones stay where they are."""
    with pytest.raises(IndexRequestError, match="redirects from https to http://"):
        redirected(URL, "http://index.example.com/simple/demo/", 302)
    with pytest.raises(IndexRequestError, match="redirects from https to file:"):
        redirected(URL, "file:///etc/hosts", 302)
    assert (
        redirected(URL, "../other/", 302) == "https://index.example.com/simple/other/"
    )
    assert redirected(
        "http://a.example.com/", "https://user:word@b.example.com/x", 301
    ) == ("https://b.example.com/x")


def test_a_redirect_to_nonsense_is_refused() -> None:
    """What is no URL is told with the one that led there."""
    for location, shown in (("http://[", r"http://\["), ("/\x1b[2J", r"/\\x1b\[2J")):
        words = f"{URL} answered 302: it redirects to an invalid URL: {shown}"
        with pytest.raises(IndexRequestError, match=words):
            redirected(URL, location, 302)


@pytest.mark.parametrize("location", ["data:text/html,x", "file:///x", "ftp://b/x"])
def test_a_redirect_to_another_protocol_is_refused(location: str) -> None:
    """With the URL that sent it, and where it leads."""
    sender = "http://index.example.com/simple/demo/"
    words = f"{sender} answered 302: it redirects to {location}, which is not"
    with pytest.raises(IndexRequestError, match=words):
        redirected(sender, location, 302)
