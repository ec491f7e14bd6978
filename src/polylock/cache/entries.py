"""Where a cache entry lies, and whether what lies there is whole.

Apart from the rest of the cache because ``answer_cache.recall`` reads an entry before
anything else is imported; nothing slow may be imported here.
"""

from __future__ import annotations

import os
import zlib

try:
    # hashlib would load OpenSSL: 3 ms.
    from _blake2 import blake2b
except ImportError:  # another implementation of Python
    from hashlib import blake2b

__all__ = ["CHECKSUM_BYTES", "checksum", "digest", "entry_path", "whole_content"]

CHECKSUM_BYTES = 4


def digest(content: bytes | bytearray | memoryview) -> str:
    """Return a BLAKE2b digest of 20 bytes, in hexadecimal."""
    return str(blake2b(content, digest_size=20).hexdigest())


def entry_path(directory: str, key: bytes) -> str:
    """Return where the entry of a key lies in the directory of its bucket."""
    name = digest(key)
    return f"{directory}{os.sep}{name[:2]}{os.sep}{name[2:]}"


def checksum(content: bytes | memoryview) -> bytes:
    """Return what an entry with this content begins with."""
    return zlib.crc32(content).to_bytes(CHECKSUM_BYTES, "big")


def whole_content(entry: bytes) -> memoryview | None:
    """Return the content of an entry, None where it was cut short or damaged."""
    view = memoryview(entry)
    content = view[CHECKSUM_BYTES:]
    whole = len(view) >= CHECKSUM_BYTES and view[:CHECKSUM_BYTES] == checksum(content)
    return content if whole else None
