"""Which hash values are to be trusted."""

from __future__ import annotations

import hashlib

import pytest

from polylock.model.hashes import sha256_of, strongest, weak

SHA256 = "ab" * 32


@pytest.mark.parametrize(
    "algorithm", ["sha256", "sha512", "sha384", "blake2b", "sha3_256"]
)
def test_what_hashlib_computes_is_trusted(algorithm: str) -> None:
    """A value of each preferred algorithm counts, in lower case."""
    value = hashlib.new(algorithm, b"content").hexdigest()
    assert strongest({algorithm: value.upper()}) == (algorithm, value)


def test_the_usual_algorithm_goes_first() -> None:
    """SHA-256 is taken where there are others, whatever their order."""
    hashes = {"md5": "0" * 32, "sha512": "0" * 128, "sha256": SHA256}
    assert strongest(hashes) == ("sha256", SHA256)
    assert sha256_of(hashes) == SHA256
    assert sha256_of({"sha512": "0" * 128}) is None


@pytest.mark.parametrize("algorithm", ["md5", "sha1"])
def test_a_weak_hash_is_not_trusted(algorithm: str) -> None:
    """It is known for what it is."""
    value = hashlib.new(algorithm, b"content", usedforsecurity=False).hexdigest()
    assert strongest({algorithm: value}) is None
    assert weak({algorithm: value}) == (algorithm, value)


@pytest.mark.parametrize(
    "value", ["", "ab", "0" * 65, "g" * 64, "../" * 21 + "a", "٣" * 64]
)
def test_a_value_that_the_algorithm_cannot_give_is_none(value: str) -> None:
    """Too short, too long or no hexadecimal: as if nothing were said."""
    assert strongest({"sha256": value}) is None
    assert weak({"md5": value}) is None
    other = "1" * 128
    assert strongest({"sha256": value, "sha512": other}) == ("sha512", other)
