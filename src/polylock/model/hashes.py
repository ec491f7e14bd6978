"""Hash values of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    # hashlib loads OpenSSL: 2 ms.
    from _blake2 import blake2b
except ImportError:  # another implementation of Python
    from hashlib import blake2b

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "digest",
    "hash_value",
    "sha256_of",
    "strongest",
    "weak",
]

_DIGITS = {"sha256": 64, "sha512": 128, "sha384": 96, "blake2b": 128, "sha3_256": 64}
"""Secure algorithms of ``hashlib.algorithms_guaranteed``, the most common first."""

_WEAK_DIGITS = {"sha1": 40, "md5": 32}
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


def digest(content: bytes | memoryview, size: int) -> str:
    """Return a BLAKE2b digest of ``size`` bytes, in hexadecimal."""
    return str(blake2b(content, digest_size=size).hexdigest())


def hash_value(algorithm: str, content: bytes) -> str:
    """Return the hash of content by an algorithm of ``hashlib``, in hexadecimal."""
    import hashlib  # noqa: PLC0415 - 2 ms, on a cache miss only

    return hashlib.new(algorithm, content).hexdigest()


def strongest(hashes: Mapping[str, str]) -> tuple[str, str] | None:
    """Return (algorithm, value) of the hash to trust, None if no secure one is given.

    MD5 and SHA-1 do not count: a file with only those is downloaded and hashed again.
    Nor does a value that is not a hash of its algorithm: values become file names in
    the cache, so such a value could name any path.
    """
    return _first(hashes, _DIGITS)


def weak(hashes: Mapping[str, str]) -> tuple[str, str] | None:
    """Return (algorithm, value) of an insecure hash, which only detects damage."""
    return _first(hashes, _WEAK_DIGITS)


def sha256_of(hashes: Mapping[str, str]) -> str | None:
    """Return the SHA-256 in lower case, None if there is no valid one."""
    found = strongest(hashes)
    return found[1] if found is not None and found[0] == "sha256" else None


def _first(
    hashes: Mapping[str, str], digits: Mapping[str, int]
) -> tuple[str, str] | None:
    for algorithm, length in digits.items():
        value = hashes.get(algorithm)
        if (
            value is not None
            and len(value) == length
            and _HEXADECIMAL.issuperset(value)
        ):
            return algorithm, value.lower()
    return None
