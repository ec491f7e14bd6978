"""Requests over a real connection: retries, redirects, credentials, errors."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import httpx  # noqa: TID253 - its exception classes are the test
import pytest

from fakes.server import Answer, Server
from polylock.errors import IndexRequestError
from polylock.model.inputs import IndexLocation
from polylock.network.auth import Authenticator
from polylock.network.client import Client, Failure, RetryPolicy, explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.network.answers import Streaming


def _classes(base: type[Exception]) -> Iterator[type[Exception]]:
    yield base
    for inner in base.__subclasses__():
        yield from _classes(inner)


def _httpx_exceptions() -> list[type[Exception]]:
    roots = [
        value
        for value in vars(httpx).values()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    return sorted({c for r in roots for c in _classes(r)}, key=lambda c: c.__name__)


@pytest.mark.parametrize("kind", _httpx_exceptions())
def test_every_exception_of_httpx_is_explained(kind: type[Exception]) -> None:
    """A new exception class in httpx fails here before it reaches a user."""
    error = kind.__new__(kind)
    error.args = ("https://user:secret@example.com/ broke",)
    failure = explain(error)
    assert failure is not None
    assert "secret" not in failure.problem


def test_exceptions_that_are_not_of_httpx_are_left_alone() -> None:
    """A bug in our own code is not dressed up as a network error."""
    assert explain(ZeroDivisionError()) is None


def test_a_refused_certificate_is_not_tried_again() -> None:
    """What a second attempt cannot change fails at once."""
    error = httpx.ConnectError("self-signed")
    error.__cause__ = ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED")
    failure = explain(error)
    assert failure is not None
    assert not failure.transient
    error.__cause__ = ssl.SSLEOFError("the peer hung up")
    assert explain(error) == Failure("self-signed", transient=True)


def test_get_returns_status_headers_and_body(server: Server, client: Client) -> None:
    """An answer comes whole, header names in lower case, and is counted."""
    server.routes["/x"] = Answer(body=b"hello", headers={"X-Thing": "1"})
    response = client.get(f"{server.url}/x")
    assert (response.status, response.content) == (200, b"hello")
    assert response.headers["x-thing"] == "1"
    assert (client.traffic.requests, client.traffic.received) == (1, 5)


def test_an_error_that_stays_is_asked_for_once(server: Server, client: Client) -> None:
    """404 is an answer: no retry, no exception."""
    assert client.get(f"{server.url}/none").status == 404
    assert len(server.requests("/none")) == 1


@pytest.mark.parametrize("failure", [500, 503, 429, 0])
def test_a_failure_that_passes_is_overcome(
    server: Server, client: Client, waits: list[float], failure: int
) -> None:
    """A status that may pass, or a closed connection, is tried again, with patience."""
    server.routes["/x"] = Answer(body=b"ok", failures=(failure, failure))
    assert client.get(f"{server.url}/x").content == b"ok"
    assert waits == [0.25, 0.5]


def test_a_failure_that_does_not_pass_is_an_error(
    server: Server, client: Client
) -> None:
    """After four attempts the status is told, with the URL."""
    server.routes["/x"] = Answer(status=503)
    with pytest.raises(IndexRequestError, match="/x answered 503") as caught:
        client.get(f"{server.url}/x")
    assert caught.value.status == 503
    assert len(server.requests("/x")) == 4


def test_retry_after_is_obeyed(
    server: Server, client: Client, waits: list[float]
) -> None:
    """The server's own wish for patience counts, if it is not absurd."""
    server.routes["/x"] = Answer(failures=(429,), headers={"Retry-After": "7"})
    client.get(f"{server.url}/x")
    assert waits == [7.0]


def test_a_long_retry_after_gives_up(
    server: Server, client: Client, waits: list[float]
) -> None:
    """Rather than sleeping for an hour the request fails."""
    server.routes["/x"] = Answer(failures=(429,), headers={"Retry-After": "3600"})
    with pytest.raises(IndexRequestError, match="429"):
        client.get(f"{server.url}/x")
    assert waits == []


def test_a_retry_after_that_cannot_be_read_is_ignored(
    server: Server, client: Client, waits: list[float]
) -> None:
    """Neither a number nor a date: the usual wait."""
    server.routes["/x"] = Answer(failures=(503,), headers={"Retry-After": "soon"})
    client.get(f"{server.url}/x")
    assert waits == [0.25]


def test_a_refused_connection_is_an_error_without_status(
    client: Client, waits: list[float]
) -> None:
    """No server: tried again, then told with the URL, without credentials."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(IndexRequestError, match="cannot reach") as caught:
        client.get(f"http://user:secret@127.0.0.1:{port}/x")
    assert caught.value.status is None
    assert caught.value.url == f"http://127.0.0.1:{port}/x"
    assert "secret" not in str(caught.value)
    assert len(waits) == 3


def test_a_silent_server_is_an_error(server: Server) -> None:
    """A timeout is told as such."""
    server.routes["/x"] = Answer(delay=0.5)
    retry = RetryPolicy(attempts=1)
    with (
        Client(timeout=0.1, retry=retry) as client,
        pytest.raises(IndexRequestError, match="no data came in time"),
    ):
        client.get(f"{server.url}/x")


@pytest.mark.parametrize("url", ["ftp://example.com/x", "no-url", "http://[::1/x"])
def test_a_url_that_cannot_be_asked_is_an_error(client: Client, url: str) -> None:
    """Another scheme or a malformed URL fails at once and without a traceback."""
    with pytest.raises(IndexRequestError):
        client.get(url)


def test_a_truncated_body_is_tried_again(server: Server, client: Client) -> None:
    """A connection that ends before the promised length is no answer."""
    server.routes["/x"] = Answer(body=b"0123456789", truncate=4, truncations=1)
    assert client.get(f"{server.url}/x").content == b"0123456789"


def test_a_body_that_stays_truncated_is_an_error(
    server: Server, client: Client
) -> None:
    """A short body is never handed out as a whole one."""
    server.routes["/x"] = Answer(body=b"0123456789", truncate=4)
    with pytest.raises(IndexRequestError, match="cut short"):
        client.get(f"{server.url}/x")


def test_stream_starts_the_consumer_anew(server: Server, client: Client) -> None:
    """The consumer of a broken body is called again with the whole one."""
    server.routes["/x"] = Answer(body=b"0123456789", truncate=4, truncations=1)
    begun: list[int] = []

    def consume(answer: Streaming) -> bytes:
        begun.append(answer.status)
        return b"".join(answer.chunks)

    assert client.stream(f"{server.url}/x", consume) == b"0123456789"
    assert begun == [200, 200]


def test_redirects_are_followed_to_the_end(server: Server, client: Client) -> None:
    """The answer knows the URL that gave it; relative locations are resolved."""
    server.routes["/a"] = Answer(redirect="/b")
    server.routes["/b"] = Answer(redirect=f"{server.url}/c", status=308)
    server.routes["/c"] = Answer(body=b"end")
    response = client.get(f"{server.url}/a")
    assert (response.url, response.content) == (f"{server.url}/c", b"end")


def test_a_circle_of_redirects_is_an_error(server: Server, client: Client) -> None:
    """Following ends at a limit."""
    server.routes["/a"] = Answer(redirect="/a")
    with pytest.raises(IndexRequestError, match="too many redirects"):
        client.get(f"{server.url}/a")


@pytest.mark.parametrize("location", ["http://[::1/x", "//[::1/x", "ftp://x/"])
def test_a_redirect_to_nonsense_is_an_error(
    server: Server, client: Client, location: str
) -> None:
    """A Location that is no web address is told, without a traceback."""
    server.routes["/a"] = Answer(redirect=location)
    with pytest.raises(IndexRequestError):
        client.get(f"{server.url}/a")


def test_credentials_of_an_index_are_sent_to_it(server: Server) -> None:
    """They go as a header, from the first request on."""
    server.routes["/simple/x"] = Answer(body=b"ok", credentials="user:secret")
    url = f"http://user:secret@127.0.0.1:{server.port}/simple"
    authenticator = Authenticator([IndexLocation(name="a", url=url)])
    with Client(authenticator) as client:
        assert client.get(f"{server.url}/simple/x").content == b"ok"
    assert len(server.requests("/simple/x")) == 1


def test_credentials_do_not_follow_a_redirect_elsewhere(
    server: Server, client: Client
) -> None:
    """Another port is another origin; nothing of ours reaches it."""
    with Server() as other:
        server.routes["/x"] = Answer(redirect=f"{other.url}/y")
        other.routes["/y"] = Answer(body=b"ok")
        client.get(f"http://user:secret@127.0.0.1:{server.port}/x")
        assert "authorization" in server.requests("/x")[0].headers
        assert "authorization" not in other.requests("/y")[0].headers


def test_credentials_in_a_redirect_are_not_used(server: Server, client: Client) -> None:
    """A server cannot make us log in somewhere with what it chose."""
    server.routes["/x"] = Answer(
        redirect=f"http://evil:words@127.0.0.1:{server.port}/y"
    )
    server.routes["/y"] = Answer(body=b"ok")
    client.get(f"{server.url}/x")
    assert "authorization" not in server.requests("/y")[0].headers


def test_credentials_stay_on_the_same_origin(server: Server, client: Client) -> None:
    """A redirect within the origin keeps them."""
    server.routes["/x"] = Answer(redirect="/y")
    server.routes["/y"] = Answer(body=b"ok", credentials="user:secret")
    response = client.get(f"http://user:secret@127.0.0.1:{server.port}/x")
    assert response.content == b"ok"


def test_a_closed_client_opens_again(server: Server, client: Client) -> None:
    """Closing frees connections and forbids nothing."""
    server.routes["/x"] = Answer(body=b"ok")
    client.get(f"{server.url}/x")
    client.close()
    assert client.get(f"{server.url}/x").content == b"ok"


def test_a_connection_is_used_again(server: Server, client: Client) -> None:
    """One request after the other needs one connection, answers of 404 included."""
    server.routes["/x"] = Answer(body=b"ok")
    for _ in range(3):
        client.get(f"{server.url}/x")
        client.get(f"{server.url}/none")
    assert server.connections == 1


def test_two_requests_at_once_have_a_connection_each(
    server: Server, client: Client
) -> None:
    """An answer that is still being read does not keep another request waiting."""
    server.routes["/x"] = Answer(body=b"ok")

    def consume(answer: Streaming) -> bytes:
        inner = client.get(f"{server.url}/x").content
        return inner + b"".join(answer.chunks)

    assert client.stream(f"{server.url}/x", consume) == b"okok"
    assert server.connections == 2
