"""Each kind of hostile server is refused with a clear message; nothing is kept.

What is not in the cache is not installed: a sync fetches everything before its first
change (``tests/installation/test_execute.py``). The page on
safety, ``docs/reference/safety.md``, counts the kinds.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from itertools import chain, repeat
from typing import TYPE_CHECKING

import pytest

from fakes.raw_server import RawServer
from fakes.server import Answer, Server
from polylock.errors import FileCorrupt, IndexRequestError, PolylockError
from polylock.model.distributions import RemoteFile
from polylock.network.auth import Authenticator
from polylock.network.client import Client, RetryPolicy
from polylock.network.download import Downloader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from polylock.cache.store import Store

BODY = bytes(range(256)) * 100
SHA256 = hashlib.sha256(BODY).hexdigest()
OK = b"HTTP/1.1 200 OK\r\n"


def locked(url: str) -> RemoteFile:
    """Return the file as a lock file knows it."""
    return RemoteFile("demo.whl", url, {"sha256": SHA256}, len(BODY))


def refused(
    store: Store, client: Client, url: str, reason: str
) -> pytest.ExceptionInfo[PolylockError]:
    """Fetch, which must fail for the reason and keep nothing that could be taken."""
    downloader = Downloader(store, client)
    with pytest.raises(PolylockError, match=reason) as caught:
        downloader.fetch(locked(url))
    assert caught.value.exit_code == 1
    assert caught.value.hint()
    assert downloader.cached(locked(url)) is None
    assert isinstance(caught.value, FileCorrupt | IndexRequestError)
    return caught


ANSWERS: dict[str, tuple[Answer, str]] = {
    "other content": (Answer(body=bytes(len(BODY))), "instead of sha256:"),
    "a longer file": (Answer(body=BODY + b"x"), "25601 bytes instead of 25600"),
    "a shorter file": (Answer(body=BODY[:-1]), "25599 bytes instead of 25600"),
    "an empty file": (Answer(body=b""), "0 bytes instead of 25600"),
    "a page to log in": (
        Answer(body=b"<html>Sign in</html>", content_type="text/html"),
        "web page",
    ),
    "a body that always breaks off": (
        Answer(body=BODY, truncate=100, ranges=False),
        "cut short",
    ),
    "a body that breaks off at its first byte": (
        Answer(body=BODY, truncate=0),
        "cut short",
    ),
    "another file for the rest": (
        Answer(body=bytes(len(BODY)), truncate=9000, truncations=1),
        "instead of sha256:",
    ),
    "a range that nobody asked for": (Answer(body=BODY, status=206), "answered 206"),
    "no change of what nobody has": (Answer(status=304), "answered 304"),
    "no content": (Answer(status=204), "answered 204"),
    "a refusal": (Answer(status=403), "answered 403"),
    "a demand for credentials": (Answer(credentials="a:b", body=BODY), "answered 401"),
    "absence": (Answer(status=404), "answered 404"),
    "a failure that lasts": (Answer(status=503), "answered 503"),
    "silence at once": (Answer(failures=(0,) * 9), "cut short|disconnected"),
    "an unknown status": (Answer(status=799), "answered 799: unknown status"),
    "a redirect to itself": (Answer(redirect="/demo.whl"), "too many redirects"),
    "a redirect to nonsense": (Answer(redirect="http://["), "invalid URL"),
    "a redirect to a file": (
        Answer(redirect="file:///etc/hosts"),
        "redirects to file:///etc/hosts, which is not",
    ),
    "a redirect with an escape": (
        Answer(redirect="/\x1b[2J"),
        r"invalid URL: /\\x1b\[2J",
    ),
    "a redirect without a place": (Answer(status=302), "answered 302"),
    "a compressed bomb": (
        Answer(
            body=gzip.compress(bytes(50_000_000), 1),
            headers={"Content-Encoding": "gzip"},
        ),
        "bytes instead of 25600",
    ),
    "a body compressed twice": (
        Answer(body=BODY, headers={"Content-Encoding": "gzip, deflate"}),
        "compressed more than once",
    ),
    "a broken compression": (
        Answer(body=BODY, headers={"Content-Encoding": "gzip"}),
        "cannot be decompressed",
    ),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_is_refused(
    server: Server, store: Store, client: Client, kind: str
) -> None:
    """Whatever comes instead of the locked file is told, and not kept."""
    answer, reason = ANSWERS[kind]
    server.routes["/demo.whl"] = answer
    refused(store, client, f"{server.url}/demo.whl", reason)


def _late(content: bytes, seconds: float) -> bytes:
    time.sleep(seconds)
    return content


STREAMS: dict[str, tuple[Callable[[], Iterable[bytes]], str]] = {
    "an endless body": (lambda: [OK + b"\r\n", *[BODY] * 9], "bytes instead of 25600"),
    "endless chunks": (
        lambda: (
            part
            for part in (
                OK + b"Transfer-Encoding: chunked\r\n\r\n",
                *repeat(b"3E8\r\n" + bytes(1000) + b"\r\n", 90),
            )
        ),
        "bytes instead of 25600",
    ),
    "a length that is too small": (
        lambda: [OK + b"Content-Length: 5\r\nConnection: close\r\n\r\n" + BODY],
        "5 bytes instead of 25600",
    ),
    "a length that is too large": (
        lambda: [OK + b"Content-Length: 99999\r\n\r\n", BODY],
        "cut short",
    ),
    "a negative length": (lambda: [OK + b"Content-Length: -1\r\n\r\n"], "cut short"),
    "two lengths": (
        lambda: [OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
        "cut short",
    ),
    "huge headers": (lambda: [OK, *[b"X: " + b"y" * 9000 + b"\r\n"] * 99], "cut short"),
    "headers without end": (lambda: [OK, *[b"A: b\r\n"] * 99_999], "cut short"),
    "a header of no text": (lambda: [OK + b"\xff\xfe: \x00\r\n\r\n"], "cut short"),
    "no HTTP": (lambda: [b"SSH-2.0-server\r\n"], "cut short"),
    "nothing": (list, "cut short|disconnected"),
    "a header that drips": (
        lambda: chain([OK], (_late(b"X: y\r\n", 0.2) for _ in range(99))),
        "the server did not respond within 1 seconds",
    ),
    "broken chunks": (
        lambda: [OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"],
        "cut short",
    ),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_is_refused(store: Store, client: Client, kind: str) -> None:
    """Bytes that are no good answer end in an error, in bounded time and memory."""
    answer, reason = STREAMS[kind]
    hasty = Client(retry=RetryPolicy(sleep=lambda _: None), timeout=0.5)
    with RawServer(answer) as server, hasty:
        chosen = hasty if kind == "a header that drips" else client
        refused(store, chosen, server.url, reason)
        assert server.requests <= 4


@pytest.mark.parametrize(
    "place", ["http://user:other@{}/x", "http://{}/x", "//{}/x"], ids=str
)
def test_no_credential_leaves_by_a_redirect(
    server: Server, store: Store, waits: list[float], place: str
) -> None:
    """Another host gets neither those of the index nor those that a redirect names."""
    with Server() as other:
        target = place.format(f"127.0.0.1:{other.port}")
        server.routes["/demo.whl"] = Answer(redirect=target)
        other.routes["/x"] = Answer(credentials="user:secret", body=BODY)
        url = server.url.replace("http://", "http://user:secret@")
        with Client(Authenticator(), retry=RetryPolicy(sleep=waits.append)) as client:
            caught = refused(store, client, f"{url}/demo.whl", "answered 401")
        assert "secret" not in str(caught.value)
        assert server.log[0].headers["authorization"].startswith("Basic ")
        assert all("authorization" not in asked.headers for asked in other.log)
