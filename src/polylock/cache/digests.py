"""The hash values of files on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.cache.regular_files import open_regular

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["file_digest"]


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the digest of a file in hexadecimal digits, reading it once, in blocks.

    Raises OSError where it cannot be read, ValueError for an unknown algorithm.
    """
    import hashlib  # noqa: PLC0415 - loads OpenSSL: 3 ms that most commands do not pay

    with open_regular(path) as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()
