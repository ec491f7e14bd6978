"""Serves a static simple index on loopback, for trials, demos and tests.

It supports content negotiation (PEP 691), entity tags, single byte ranges and HEAD. It
listens on 127.0.0.1 only and serves nothing from outside its directory.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Self

from polylock.errors import UsageError
from polylock.index_server.loopback_server import (
    LOOPBACK,
    Content,
    ContentHandler,
    LoopbackServer,
    normalized_page,
    path_segments,
    preferred_page,
)
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["IndexServer", "ServedRequest"]

logger = logging.getLogger(__name__)

_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".metadata": "text/plain; charset=utf-8",
}


class ServedRequest(Value, frozen=True):
    """A request and the status of its response; ``path`` is as requested."""

    method: str
    path: str
    status: int


class IndexServer:
    """A server of one built index, which serves while in a ``with`` statement.

    It listens from the beginning: print ``url``, then call ``wait(seconds)``.
    ``port`` 0 takes a free one. ``page_lifetime`` is how long, in seconds, a client
    may cache a page. ``on_request`` is called for every request, in the thread that
    handles it.

    Raises UsageError if the directory has no index or the port cannot be taken.
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
            self._server = _Server(port, site)
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"cannot listen on {LOOPBACK}:{port}: {error}",
                "choose another port, or 0 for a free one",
            ) from error

    @property
    def url(self) -> str:
        """Return the index URL, with a trailing slash."""
        return f"{self._server.url}simple/"

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.__exit__(*exception)

    def wait(self, seconds: float | None = None) -> None:
        """Serve until the time is over, or until Ctrl-C, which is not an error."""
        try:
            threading.Event().wait(seconds)
        except KeyboardInterrupt:
            logger.info("stopped by Ctrl-C")


class _Site(Value, frozen=True):
    """The served directory, resolved, and the options of the server."""

    root: Path
    page_lifetime: int
    on_request: Callable[[ServedRequest], None] | None


class _Server(LoopbackServer):
    def __init__(self, port: int, site: _Site) -> None:
        self.site = site
        super().__init__(port, _Handler)


class _Handler(ContentHandler):
    @property
    def _site(self) -> _Site:
        assert isinstance(self.server, _Server)
        return self.server.site

    def respond(self) -> None:
        """Send a page, a file, a redirect or an error."""
        root = self._site.root
        segments = path_segments(self.path)
        if segments is None:
            self.refuse(HTTPStatus.NOT_FOUND)
            return
        moved = normalized_page(self.path, segments)
        if moved is not None:
            self.redirect(moved)
            return
        path = root.joinpath(*segments)
        if not path.resolve().is_relative_to(root):
            self.refuse(HTTPStatus.NOT_FOUND)
        elif segments[0] == "simple" and path.is_dir():
            self._page(path)
        else:
            content_type = _CONTENT_TYPES.get(path.suffix, "application/octet-stream")
            # During trials a file may be built again under the same name.
            self.send_file(path, content_type, (("Cache-Control", "no-cache"),))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Call ``on_request``."""
        super().log_request(code, size)
        if self._site.on_request is not None:
            self._site.on_request(ServedRequest(self.command, self.path, int(code)))

    def _page(self, directory: Path) -> None:
        choice = preferred_page(",".join(self.headers.get_all("Accept", [])))
        if choice is None:
            self.refuse(HTTPStatus.NOT_ACCEPTABLE)
            return
        content_type, filename = choice
        try:
            content = (directory / filename).read_bytes()
        except OSError:
            self.refuse(HTTPStatus.NOT_FOUND)
            return
        lifetime = self._site.page_lifetime
        self.send_content(
            Content(
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
