"""An HTTP server on loopback that serves files, as a simple index needs it.

It supports entity tags, single byte ranges and HEAD, normalized paths of project pages
(PEP 503) and the negotiation of their content type (PEP 691).
"""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, TYPE_CHECKING, Self
from urllib.parse import quote, unquote_to_bytes, urlsplit

from packaging.utils import canonicalize_name

from polylock.values import Value

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "LOOPBACK",
    "Content",
    "ContentHandler",
    "LoopbackServer",
    "byte_range",
    "entity_tag_matches",
    "normalized_page",
    "path_segments",
    "preferred_page",
]

_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = "application/vnd.pypi.simple.v1+html"
_TEXT = "text/html; charset=utf-8"
_DEFAULT = (_TEXT, "index.html")
_PAGES = {
    # A type that a client may accept: the type of the response, and its file.
    _JSON: (_JSON, "index.json"),
    "application/vnd.pypi.simple.latest+json": (_JSON, "index.json"),
    _HTML: (_HTML, "index.html"),
    "application/vnd.pypi.simple.latest+html": (_HTML, "index.html"),
    "text/html": _DEFAULT,
    "text/*": _DEFAULT,
    "*/*": _DEFAULT,
    "application/*": (_JSON, "index.json"),
}
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def path_segments(target: str) -> list[str] | None:
    """Return the segments of a request's path, None if one could leave the directory.

    On some systems a drive letter, a backslash or a NUL could, as ``..`` does.
    """
    try:
        text = unquote_to_bytes(urlsplit(target).path).decode("utf-8")
    except ValueError:
        return None
    segments = [segment for segment in text.split("/") if segment]
    for segment in segments:
        if segment in {".", ".."} or any(c in segment for c in "\\:\0"):
            return None
    return segments


def normalized_page(target: str, segments: list[str]) -> str | None:
    """Return the normalized path of a page, None if the request has it already.

    The path of a project page ends in its normalized name and a slash (PEP 503).
    """
    if not segments:
        return "/simple/"
    if segments[0] != "simple" or len(segments) > 2:
        return None
    if segments[-1] in {"index.html", "index.json"}:
        return None
    wanted = ["simple", *(canonicalize_name(name) for name in segments[1:])]
    if wanted == segments and urlsplit(target).path.endswith("/"):
        return None
    return "".join(f"/{quote(segment)}" for segment in wanted) + "/"


def preferred_page(accept: str) -> tuple[str, str] | None:
    """Return content type and file name of a page, None if no type is acceptable.

    The highest weight wins, of equal weights the first in the header; a client without
    a preference gets HTML (PEP 691).
    """
    best, best_weight = None, 0.0
    for part in accept.split(",") if accept.strip() else ["*/*"]:
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = _weight(parameters)
        if media in _PAGES and weight > best_weight:
            best, best_weight = _PAGES[media], weight
    return best


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def byte_range(header: str | None, size: int) -> range | None:
    """Return the offsets of a Range header, None for the whole file.

    The result is empty if the range cannot be satisfied, because it is beyond the end.
    Several ranges and malformed ones result in the whole file, which RFC 9110 section
    14.2 permits. ``size`` is that of the file, in bytes.
    """
    match = _RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:
        count = min(int(match[2]), size)
        return range(size - count, size) if count else range(0)
    first = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None
    if first >= size:
        return range(0)
    return range(first, min(last + 1, size))


def entity_tag_matches(header: str | None, entity_tag: str) -> bool:
    """Return True if an If-None-Match header names this entity tag."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or entity_tag in tags


logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.05
_BLOCK = 1024 * 1024


class LoopbackServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1 only, and serves while in a ``with`` statement.

    ``port`` 0 takes a free one. Open connections are closed with the server. Raises
    OSError or OverflowError if the port cannot be taken.
    """

    daemon_threads = False  # server_close() waits for them, so no socket stays open
    # On Windows the option would let a second server take the same port.
    allow_reuse_address = os.name != "nt"
    allow_reuse_port = False

    def __init__(self, port: int, handler: type[ContentHandler]) -> None:
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._serving: threading.Thread | None = None
        super().__init__((LOOPBACK, port), handler)

    @property
    def url(self) -> str:
        """Return the URL of the root, with a trailing slash."""
        return f"http://{LOOPBACK}:{self.server_port}/"

    def __enter__(self) -> Self:
        self._serving = threading.Thread(
            target=self.serve_forever,
            kwargs={"poll_interval": _POLL_SECONDS},
            name="index server",
            daemon=True,
        )
        self._serving.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._serving is not None:
            self.shutdown()
            self._serving.join()
            self._serving = None
        self.server_close()

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept a connection and add it to the open ones."""
        connection, address = super().get_request()
        with self._guard:
            self._open.add(connection)
        return connection, address

    def close_request(self, request: object) -> None:
        """Close a connection and remove it from the open ones."""
        assert isinstance(request, socket.socket)
        with self._guard:
            self._open.discard(request)
        super().close_request(request)

    def server_close(self) -> None:
        """Close the connections that are still open, then wait for their threads."""
        with self._guard:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    logger.debug("a client had closed its connection")
        super().server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log a request that broke off: a client that disconnects is no error."""
        del request
        logger.debug("a request from %s broke off", client_address)


class Content(Value, frozen=True, kw_only=True):
    """A body with its headers; ``size`` is in bytes, ``entity_tag`` in quotes."""

    body: IO[bytes]
    size: int
    entity_tag: str
    content_type: str
    headers: tuple[tuple[str, str], ...]


class ContentHandler(BaseHTTPRequestHandler):
    """Sends responses; ``respond`` of a subclass chooses the response for a path."""

    protocol_version = "HTTP/1.1"
    server_version = "polylock"
    sys_version = ""
    # Otherwise headers and body are two small packets, and the second waits for the
    # acknowledgement of the first.
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def do_GET(self) -> None:
        """Send headers and body."""
        self.respond()

    def do_HEAD(self) -> None:
        """Send the headers of GET."""
        self.respond()

    def respond(self) -> None:
        """Send the response for ``self.path``, by one of the methods below."""
        raise NotImplementedError

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Write the server's messages to the log."""
        logger.debug(format, *args)

    def refuse(self, status: HTTPStatus) -> None:
        """Send a status and no body."""
        self.send_response(status)
        self._finish_empty()

    def redirect(self, location: str) -> None:
        """Send a permanent redirect."""
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        self.send_header("Location", location)
        self._finish_empty()

    def send_file(
        self, path: Path, content_type: str, headers: tuple[tuple[str, str], ...]
    ) -> None:
        """Send a file, or 404 if it cannot be opened."""
        try:
            stream = path.open("rb")
        except OSError:
            self.refuse(HTTPStatus.NOT_FOUND)
            return
        with stream:
            status = os.fstat(stream.fileno())
            self.send_content(
                Content(
                    body=stream,
                    size=status.st_size,
                    entity_tag=f'"{status.st_mtime_ns:x}-{status.st_size:x}"',
                    content_type=content_type,
                    headers=headers,
                )
            )

    def send_content(self, content: Content) -> None:
        """Send a response, subject to the conditions and range of the request."""
        if entity_tag_matches(self.headers.get("If-None-Match"), content.entity_tag):
            self._begin(HTTPStatus.NOT_MODIFIED, content)
            self.end_headers()
            return
        wanted = byte_range(self._range_header(content), content.size)
        if wanted is not None and not wanted:
            self._begin(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, content)
            self.send_header("Content-Range", f"bytes */{content.size}")
            self._finish_empty()
            return
        if wanted is None:
            wanted = range(content.size)
            self._begin(HTTPStatus.OK, content)
        else:
            self._begin(HTTPStatus.PARTIAL_CONTENT, content)
            self.send_header(
                "Content-Range",
                f"bytes {wanted.start}-{wanted.stop - 1}/{content.size}",
            )
        self.send_header("Content-Type", content.content_type)
        self.send_header("Content-Length", str(len(wanted)))
        self.end_headers()
        if self.command != "HEAD" and wanted:
            self.copy(content.body, wanted)

    def copy(self, body: IO[bytes], wanted: range) -> None:
        """Send the bytes of a body in a range, which has at least one."""
        body.seek(wanted.start)
        left = len(wanted)
        while left:
            block = body.read(min(left, _BLOCK))
            if not block:  # the file shrank, so the response is too short: end it
                self.close_connection = True
                return
            self.wfile.write(block)
            left -= len(block)

    def _begin(self, status: HTTPStatus, content: Content) -> None:
        self.send_response(status)
        self.send_header("ETag", content.entity_tag)
        self.send_header("Accept-Ranges", "bytes")
        for name, value in content.headers:
            self.send_header(name, value)

    def _range_header(self, content: Content) -> str | None:
        """Return the Range header, unless If-Range names another state of the file."""
        condition = self.headers.get("If-Range")
        if condition is not None and condition != content.entity_tag:
            return None
        return self.headers.get("Range")

    def _finish_empty(self) -> None:
        self.send_header("Content-Length", "0")
        self.end_headers()
