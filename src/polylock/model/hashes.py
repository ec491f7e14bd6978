"""Hash values of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    # hashlib would load OpenSSL: 2 ms.
    from _blake2 import blake2b
except ImportError:  # another implementation of Python
    from hashlib import blake2b

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PREFERRED_ALGORITHMS", "digest", "strongest"]

PREFERRED_ALGORITHMS = ("sha256", "sha512", "sha384", "blake2b", "sha3_256")
"""Secure algorithms of ``hashlib.algorithms_guaranteed``, the field's usual first."""


def digest(content: bytes | memoryview, size: int) -> str:
    """Return a BLAKE2b digest of ``size`` bytes, in hexadecimal."""
    return str(blake2b(content, digest_size=size).hexdigest())


def strongest(hashes: Mapping[str, str]) -> tuple[str, str] | None:
    """Return (algorithm, value) of the hash to trust, or None without a secure one.

    MD5 and SHA-1 do not count: a file whose index offers only those is downloaded
    and hashed anew.
    """
    for algorithm in PREFERRED_ALGORITHMS:
        if algorithm in hashes:
            return algorithm, hashes[algorithm].lower()
    return None
