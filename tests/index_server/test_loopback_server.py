"""Tests of polylock.index_server.loopback_server."""

from __future__ import annotations

import http.client
import threading
from http import HTTPStatus
from io import BytesIO
from typing import IO, TYPE_CHECKING

import pytest

from polylock.index_server.loopback_server import (
    Content,
    ContentHandler,
    LoopbackServer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = b"0123456789"


class Handler(ContentHandler):
    """Answers every path with ten digits, ``/empty`` with nothing."""

    def respond(self) -> None:
        """Answer by the last component of the path."""
        body = b"" if self.path == "/empty" else BODY
        answer = Content(
            body=BytesIO(body),
            size=len(body),
            entity_tag='"digits"',
            content_type="text/plain",
            headers=(("Cache-Control", "no-cache"),),
        )
        self.send_content(answer)

    def copy(self, body: IO[bytes], wanted: range) -> None:
        """Remember what is copied."""
        server = self.server
        assert isinstance(server, Server)
        server.copied.append(wanted)
        super().copy(body, wanted)


class Server(LoopbackServer):
    """Knows the ranges that were copied."""

    def __init__(self) -> None:
        self.copied: list[range] = []
        super().__init__(0, Handler)


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve the ten digits."""
    with Server() as server:
        yield server


def ask(
    server: Server, path: str, method: str = "GET", **headers: str
) -> tuple[int, bytes]:
    """Return status and body of a response."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_subclass_copies_what_is_wanted(server: Server) -> None:
    """``copy`` of a subclass is given exactly the bytes of the response."""
    whole = ask(server, "/")
    part = ask(server, "/", Range="bytes=2-4")

    assert whole == (HTTPStatus.OK, BODY)
    assert part == (HTTPStatus.PARTIAL_CONTENT, b"234")
    assert server.copied == [range(10), range(2, 5)]


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/", "HEAD", {}),
        ("/", "GET", {"If-None-Match": '"digits"'}),
        ("/", "GET", {"Range": "bytes=10-"}),
        ("/empty", "GET", {}),
    ],
)
def test_nothing_is_copied_without_a_body(
    server: Server, path: str, method: str, headers: dict[str, str]
) -> None:
    """HEAD, an entity tag that is known, a range beyond the end, an empty body."""
    _, body = ask(server, path, method, **headers)

    assert body == b""
    assert server.copied == []


def test_end_cuts_connections_that_are_kept_alive() -> None:
    """Leaving the block neither waits for clients nor leaves a thread behind."""
    before = threading.active_count()
    with Server() as server:
        connection = http.client.HTTPConnection(
            "127.0.0.1", server.server_port, timeout=10
        )
        connection.request("GET", "/")
        assert connection.getresponse().read() == BODY

    assert threading.active_count() == before
    connection.close()
