"""The hash values of files on disk."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["file_digest"]


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the digest of a file in hexadecimal digits, reading it once, in blocks.

    Raises OSError where it cannot be read, ValueError for an unknown algorithm.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()
