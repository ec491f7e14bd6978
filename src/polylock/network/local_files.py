"""``file:`` URLs and their paths (RFC 8089)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from polylock.cache.regular_files import read_regular
from polylock.errors import IndexRequestError

__all__ = ["is_local", "local_content", "local_path"]

_DRIVE = re.compile(r"/[A-Za-z]:(?:/|$)")


def is_local(url: str) -> bool:
    """Return True if a URL is a ``file:`` URL."""
    return url[:5].lower() == "file:"


def local_path(url: str, *, windows: bool = os.name == "nt") -> Path | None:
    """Return the path of a ``file:`` URL, None if it is not one on this machine.

    On Windows the host is that of a share; elsewhere it must be ``localhost``.
    """
    if not is_local(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    path, host = unquote(parts.path), parts.netloc
    if not path or "\0" in path:
        return None
    if host.lower() not in {"", "localhost"}:
        return Path(f"//{host}{path}") if windows else None
    if windows and _DRIVE.match(path):
        path = path[1:]
    return Path(path)


def local_content(url: str) -> bytes | None:
    """Return the content of a ``file:`` URL, None if there is no such file.

    Raises IndexRequestError if it cannot be read.
    """
    path = local_path(url)
    try:
        return None if path is None else read_regular(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IndexRequestError(url, None, error.strerror or str(error)) from error
