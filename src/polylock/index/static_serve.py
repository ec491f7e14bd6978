"""Serve a static simple index on loopback, for trials, demos and tests.

It knows PEP 691's content negotiation, entity tags, single byte ranges and HEAD. It
listens on 127.0.0.1 alone and gives nothing from outside its directory.
"""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import IO, TYPE_CHECKING, Self

from polylock.errors import UsageError
from polylock.index.static_requests import (
    byte_range,
    entity_tag_matches,
    normalized_page,
    path_segments,
    preferred_page,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

__all__ = ["IndexServer", "ServedRequest"]

logger = logging.getLogger(__name__)

_LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.05
_BLOCK = 1024 * 1024
_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".metadata": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """One request that was answered: ``path`` is as asked, ``status`` the answer."""

    method: str
    path: str
    status: int


class IndexServer:
    """A server of one directory, as a context manager.

    ``port`` 0 takes a free one. ``page_lifetime`` is how long, in seconds, a client
    may use a page without asking again. ``on_request`` is told of every request, from
    the thread that answers it.

    Raises UsageError where the directory holds no index or the port cannot be taken.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        page_lifetime: int = 0,
        on_request: Callable[[ServedRequest], None] | None = None,
    ) -> None:
        if not (directory / "simple").is_dir():
            raise UsageError(
                f"{directory} holds no index",
                "make one with `polylock index build`",
            )
        site = _Site(directory.resolve(), page_lifetime, on_request)
        try:
            self._server = _Server((_LOOPBACK, port), site)
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"cannot listen on {_LOOPBACK}:{port}: {error}",
                "choose another port, or 0 for a free one",
            ) from error
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Return the index URL, with a slash at its end."""
        return f"http://{_LOOPBACK}:{self._server.server_port}/simple/"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": _POLL_SECONDS},
            name="index server",
            daemon=True,
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def wait(self, seconds: float | None = None) -> None:
        """Serve until the time is over, or until Ctrl-C, which is no error here."""
        try:
            threading.Event().wait(seconds)
        except KeyboardInterrupt:
            logger.info("stopped by Ctrl-C")


@dataclass(frozen=True, slots=True)
class _Site:
    """What is served: the resolved directory, and how."""

    root: Path
    page_lifetime: int
    on_request: Callable[[ServedRequest], None] | None


class _Server(ThreadingHTTPServer):
    """Closes the connections that clients keep alive when it is closed itself."""

    daemon_threads = False  # server_close() waits for them, so no socket stays open
    # On Windows the option would let a second server take the same port.
    allow_reuse_address = os.name != "nt"
    allow_reuse_port = False

    def __init__(self, address: tuple[str, int], site: _Site) -> None:
        self.site = site
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept a connection and remember it."""
        connection, address = super().get_request()
        with self._guard:
            self._open.add(connection)
        return connection, address

    def close_request(self, request: object) -> None:
        """Forget a connection and close it."""
        assert isinstance(request, socket.socket)
        with self._guard:
            self._open.discard(request)
        super().close_request(request)

    def server_close(self) -> None:
        """Cut the connections that are still open, then wait for their threads."""
        with self._guard:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    logger.debug("a client had closed its connection")
        super().server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log a request that broke off, for a client that went away is no news."""
        del request
        logger.debug("a request from %s broke off", client_address)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """A body with its headers; ``size`` is in bytes."""

    body: IO[bytes]
    size: int
    entity_tag: str
    content_type: str
    headers: tuple[tuple[str, str], ...]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "polylock"
    sys_version = ""
    # Headers and body would else go out as two small packets, and the second
    # would wait for the acknowledgement of the first.
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    @property
    def _site(self) -> _Site:
        assert isinstance(self.server, _Server)
        return self.server.site

    def do_GET(self) -> None:
        """Answer with headers and body."""
        root = self._site.root
        segments = path_segments(self.path)
        if segments is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        moved = normalized_page(self.path, segments)
        if moved is not None:
            self.send_response(HTTPStatus.MOVED_PERMANENTLY)
            self.send_header("Location", moved)
            self._finish_empty()
            return
        path = root.joinpath(*segments)
        if not path.resolve().is_relative_to(root):
            self._refuse(HTTPStatus.NOT_FOUND)
        elif segments[0] == "simple" and path.is_dir():
            self._page(path)
        else:
            self._file(path)

    def do_HEAD(self) -> None:
        """Answer with the headers of GET."""
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Send the server's own lines to the log."""
        logger.debug(format, *args)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Tell whoever listens of the request."""
        super().log_request(code, size)
        if self._site.on_request is not None:
            self._site.on_request(ServedRequest(self.command, self.path, int(code)))

    def _refuse(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self._finish_empty()

    def _finish_empty(self) -> None:
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _page(self, directory: Path) -> None:
        choice = preferred_page(",".join(self.headers.get_all("Accept", [])))
        if choice is None:
            self._refuse(HTTPStatus.NOT_ACCEPTABLE)
            return
        content_type, filename = choice
        try:
            content = (directory / filename).read_bytes()
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        lifetime = self._site.page_lifetime
        self._send(
            _Answer(
                body=BytesIO(content),
                size=len(content),
                entity_tag=f'"{hashlib.sha256(content).hexdigest()[:32]}"',
                content_type=content_type,
                headers=(
                    (
                        "Cache-Control",
                        f"max-age={lifetime}" if lifetime else "no-cache",
                    ),
                    ("Vary", "Accept"),
                ),
            )
        )

    def _file(self, path: Path) -> None:
        try:
            stream = path.open("rb")
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        with stream:
            status = os.fstat(stream.fileno())
            self._send(
                _Answer(
                    body=stream,
                    size=status.st_size,
                    entity_tag=f'"{status.st_mtime_ns:x}-{status.st_size:x}"',
                    content_type=_CONTENT_TYPES.get(
                        path.suffix, "application/octet-stream"
                    ),
                    # A file may be built anew under its name while one tries things.
                    headers=(("Cache-Control", "no-cache"),),
                )
            )

    def _send(self, answer: _Answer) -> None:
        if entity_tag_matches(self.headers.get("If-None-Match"), answer.entity_tag):
            self._begin(HTTPStatus.NOT_MODIFIED, answer)
            self.end_headers()
            return
        wanted = byte_range(self._range_header(answer), answer.size)
        if wanted is not None and not wanted:
            self._begin(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, answer)
            self.send_header("Content-Range", f"bytes */{answer.size}")
            self._finish_empty()
            return
        if wanted is None:
            wanted = range(answer.size)
            self._begin(HTTPStatus.OK, answer)
        else:
            self._begin(HTTPStatus.PARTIAL_CONTENT, answer)
            self.send_header(
                "Content-Range",
                f"bytes {wanted.start}-{wanted.stop - 1}/{answer.size}",
            )
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(wanted)))
        self.end_headers()
        if self.command != "HEAD":
            self._copy(answer.body, wanted)

    def _begin(self, status: HTTPStatus, answer: _Answer) -> None:
        self.send_response(status)
        self.send_header("ETag", answer.entity_tag)
        self.send_header("Accept-Ranges", "bytes")
        for name, value in answer.headers:
            self.send_header(name, value)

    def _range_header(self, answer: _Answer) -> str | None:
        """Return the Range header, unless it is of another state of the file."""
        condition = self.headers.get("If-Range")
        if condition is not None and condition != answer.entity_tag:
            return None
        return self.headers.get("Range")

    def _copy(self, body: IO[bytes], wanted: range) -> None:
        body.seek(wanted.start)
        left = len(wanted)
        while left:
            block = body.read(min(left, _BLOCK))
            if not block:  # the file shrank, so the answer is too short: cut it
                self.close_connection = True
                return
            self.wfile.write(block)
            left -= len(block)
