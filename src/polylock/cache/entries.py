"""The path and the checksum of a cache entry, and the host as a part of keys.

Separate from the rest of the cache, because ``answer_cache.recall`` reads an entry
before anything else is imported; nothing slow may be imported here.
"""

from __future__ import annotations

import os
import zlib

try:
    # hashlib loads OpenSSL: 3 ms.
    from _blake2 import blake2b
except ImportError:  # another implementation of Python
    from hashlib import blake2b

__all__ = [
    "CHECKSUM_BYTES",
    "checksum",
    "digest",
    "entry_path",
    "host_facts",
    "whole_content",
]

CHECKSUM_BYTES = 4


def digest(content: bytes | bytearray | memoryview) -> str:
    """Return a BLAKE2b digest of 20 bytes, in hexadecimal."""
    return str(blake2b(content, digest_size=20).hexdigest())


def entry_path(directory: str, key: bytes) -> str:
    """Return the path of the entry of a key in the directory of its bucket."""
    name = digest(key)
    return f"{directory}{os.sep}{name[:2]}{os.sep}{name[2:]}"


def checksum(content: bytes | memoryview) -> bytes:
    """Return the checksum at the start of an entry with this content."""
    return zlib.crc32(content).to_bytes(CHECKSUM_BYTES, "big")


def whole_content(entry: bytes) -> memoryview | None:
    """Return the content of an entry, None if it is truncated or damaged."""
    view = memoryview(entry)
    content = view[CHECKSUM_BYTES:]
    whole = len(view) >= CHECKSUM_BYTES and view[:CHECKSUM_BYTES] == checksum(content)
    return content if whole else None


def host_facts() -> list[str]:
    """Return kernel and C library, which decide tags and markers.

    Machines and containers may share a home directory, including the cache. The module
    ``platform`` takes 10 ms to import.
    """
    facts: list[str] = []
    uname = getattr(os, "uname", None)
    if uname is not None:
        facts += uname()
        del facts[1]  # the host name, which decides nothing
    try:
        facts.append(os.confstr("CS_GNU_LIBC_VERSION") or "")
    except (AttributeError, OSError, ValueError):  # not glibc
        facts.append("")
    return facts
