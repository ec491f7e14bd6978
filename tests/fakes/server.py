"""A real HTTP server on 127.0.0.1 whose answers are set by the test."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import threading
import time
import zlib
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Self

__all__ = ["Answer", "Index", "Received", "Server"]

JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer of the server for a path.

    ``etag`` and ``last_modified`` make it answer conditional requests. ``ranges``
    says whether byte ranges are honoured; without, the whole body comes, or the status
    ``to_ranges``. ``compressed`` serves the body with that coding, asked for or not,
    whole and in ranges of the compressed bytes. ``failures``
    are statuses given first, one a request; 0 closes the connection unanswered.
    ``truncate`` promises the whole body and stops after that many bytes, in the
    first ``truncations`` answers. ``delay`` is in seconds. ``credentials`` are
    ``user:password`` without which the answer is 401.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: str | None = None
    ranges: bool = True
    to_ranges: int | None = None
    compressed: str | None = None
    failures: tuple[int, ...] = ()
    truncate: int | None = None
    truncations: int = 1_000_000
    delay: float = 0.0
    redirect: str | None = None
    credentials: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A request; the names of the headers are in lower case."""

    path: str
    headers: Mapping[str, str]
    status: int


class Server:
    """Serves ``routes``, path to Answer, while in a ``with`` statement."""

    def __init__(self) -> None:
        self.routes: dict[str, Answer] = {}
        self.log: list[Received] = []
        self.seen: dict[str, int] = {}
        self.connections = 0
        self.lock = threading.Lock()
        self._http = _HTTPServer(("127.0.0.1", 0), _Handler)
        self._http.fake = self
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}
        )

    @property
    def url(self) -> str:
        """Return the address without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """Return the port, free when the server was made."""
        return int(self._http.server_address[1])

    def requests(self, path: str) -> list[Received]:
        """Return the requests for a path, in order."""
        return [received for received in self.log if received.path == path]

    def change(self, path: str, **changes: Any) -> None:  # noqa: ANN401 - fields vary
        """Change some fields of an answer."""
        self.routes[path] = replace(self.routes[path], **changes)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class Index:
    """A simple index under a path of a Server, its files under ``/files/``.

    ``template`` holds what all answers of pages have in common.
    """

    def __init__(
        self, server: Server, path: str = "/simple", *, template: Answer | None = None
    ) -> None:
        self._server = server
        self._path = path
        self._template = template or Answer()

    @property
    def url(self) -> str:
        """Return the base URL of the index."""
        return f"{self._server.url}{self._path}"

    def page(self, project: str) -> str:
        """Return the path of a project page."""
        return f"{self._path}/{project}/"

    def file(self, filename: str) -> str:
        """Return the path of a file."""
        return f"/files{self._path}/{filename}"

    def add(
        self,
        project: str,
        files: Sequence[Path] = (),
        *,
        hashes: bool = True,
        rows: Sequence[Mapping[str, object]] = (),
        row: Mapping[str, object] | None = None,
    ) -> None:
        """Serve the files and a page of them.

        ``row`` is added to every file's entry, ``rows`` are further entries.
        """
        entries: list[dict[str, object]] = []
        for path in files:
            content = path.read_bytes()
            self._server.routes[self.file(path.name)] = Answer(body=content)
            entry: dict[str, object] = {
                "filename": path.name,
                "url": f"{self._server.url}{self.file(path.name)}",
                "hashes": {},
                "size": len(content),
            }
            if hashes:
                entry["hashes"] = {"sha256": hashlib.sha256(content).hexdigest()}
            entries.append(entry | dict(row or {}))
        document = {
            "meta": {"api-version": "1.1"},
            "name": project,
            "files": [*entries, *rows],
        }
        self._server.routes[self.page(project)] = replace(
            self._template, body=json.dumps(document).encode(), content_type=JSON
        )


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    fake: Server

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the base class has it
        """Count a connection, and serve it in a thread of its own."""
        self.fake.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients hang up in the middle of answers by design."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer by the route, or 404."""
        assert isinstance(self.server, _HTTPServer)
        fake = self.server.fake
        answer = fake.routes.get(self.path, Answer(status=404))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with fake.lock:
            turn = fake.seen.get(self.path, 0)
            fake.seen[self.path] = turn + 1
            status = _status(answer, headers, turn)
            fake.log.append(Received(self.path, headers, status))
        if answer.delay:
            time.sleep(answer.delay)
        if status == 0:
            self.close_connection = True
            return
        self._send(answer, status, headers, turn)

    def do_HEAD(self) -> None:
        """Answer as to GET, without the body."""
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
        """Say nothing."""

    def _send(
        self, answer: Answer, status: int, headers: Mapping[str, str], turn: int
    ) -> None:
        extra: dict[str, str] = {}
        body = answer.body if status in {200, 206, answer.status} else b""
        if answer.compressed is not None and body:
            extra["Content-Encoding"] = answer.compressed
            body = _COMPRESS[answer.compressed](body)
        if status == 206 and "range" in headers:
            first, last = _range(headers["range"], len(body))
            extra["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            body = body[first : last + 1]
        extra.update(answer.headers)
        if answer.redirect is not None and 300 <= status < 400 and status != 304:
            extra["Location"] = answer.redirect
        if answer.etag is not None:
            extra["ETag"] = answer.etag
        if answer.last_modified is not None:
            extra["Last-Modified"] = answer.last_modified
        self.send_response(status)
        self.send_header("Content-Type", answer.content_type)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        for name, value in extra.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.truncate is not None and turn < answer.truncations:
            body = body[: answer.truncate]
            self.close_connection = True
        if status != 304 and self.command != "HEAD":
            self.wfile.write(body)


_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}


def _status(answer: Answer, headers: Mapping[str, str], turn: int) -> int:
    modified = answer.last_modified
    if turn < len(answer.failures):
        status = answer.failures[turn]
    elif not _admitted(answer, headers):
        status = 401
    elif answer.redirect is not None:
        status = answer.status if answer.status != 200 else 302
    elif (answer.etag is not None and headers.get("if-none-match") == answer.etag) or (
        modified is not None and headers.get("if-modified-since") == modified
    ):
        status = 304
    elif answer.to_ranges is not None and "range" in headers:
        status = answer.to_ranges
    elif answer.ranges and answer.status == 200 and "range" in headers and answer.body:
        status = 206
    else:
        status = answer.status
    return status


def _admitted(answer: Answer, headers: Mapping[str, str]) -> bool:
    if answer.credentials is None:
        return True
    wanted = base64.b64encode(answer.credentials.encode()).decode()
    return headers.get("authorization") == f"Basic {wanted}"


def _range(header: str, size: int) -> tuple[int, int]:
    """Return the first and last byte of ``bytes=a-b``, ``bytes=a-`` or ``bytes=-n``."""
    first, _, last = header.removeprefix("bytes=").partition("-")
    if not first:
        return max(size - int(last), 0), size - 1
    if not last:
        return int(first), size - 1
    return int(first), min(int(last), size - 1)
