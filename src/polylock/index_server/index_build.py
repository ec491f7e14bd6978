"""``polylock index build`` and ``polylock index serve``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.index_server.static_build import (
    BuiltIndex,
    UploadTimes,
    build_static_index,
)
from polylock.index_server.static_serve import IndexServer, ServedRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = [
    "BuiltIndex",
    "IndexServer",
    "ServedRequest",
    "UploadTimes",
    "build_index",
    "serve_index",
]


def build_index(
    source: Path,
    destination: Path | None = None,
    *,
    upload_times: UploadTimes = "recorded",
) -> BuiltIndex:
    """Make a static simple index of the distributions in a folder.

    Without a destination the index is written into the folder itself, so that the
    same folder can be served. Raises UsageError and FilesInvalid, as
    ``build_static_index`` says.
    """
    return build_static_index(source, destination or source, upload_times=upload_times)


def serve_index(
    directory: Path,
    *,
    port: int = 0,
    page_lifetime: int = 0,
    on_request: Callable[[ServedRequest], None] | None = None,
) -> IndexServer:
    """Return a server of a built index, listening but not yet answering.

    Use it in a ``with`` statement: print ``url``, then ``wait(seconds)``. Raises
    UsageError where there is no index or no port.
    """
    return IndexServer(
        directory, port=port, page_lifetime=page_lifetime, on_request=on_request
    )
