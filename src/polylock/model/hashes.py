"""Hash values of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PREFERRED_ALGORITHMS", "strongest"]

PREFERRED_ALGORITHMS = ("sha256", "sha512", "sha384", "blake2b", "sha3_256")
"""Secure algorithms of ``hashlib.algorithms_guaranteed``, the field's usual first."""


def strongest(hashes: Mapping[str, str]) -> tuple[str, str] | None:
    """Return (algorithm, value) of the hash to trust, or None without a secure one.

    MD5 and SHA-1 do not count: a file whose index offers only those is downloaded
    and hashed anew.
    """
    for algorithm in PREFERRED_ALGORITHMS:
        if algorithm in hashes:
            return algorithm, hashes[algorithm].lower()
    return None
