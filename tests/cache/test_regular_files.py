"""Hash values of files: NIST's example of SHA-2, and what cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polylock.cache.regular_files import file_digest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("sha224", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
    ],
)
def test_digest_of_the_published_example(
    tmp_path: Path, algorithm: str, digest: str
) -> None:
    """The digest of "abc" is that of FIPS 180-4's example, in lower case."""
    path = tmp_path / "example"
    path.write_bytes(b"abc")

    assert file_digest(path, algorithm) == digest


def test_digest_covers_a_file_of_many_blocks(tmp_path: Path) -> None:
    """A million times "a" gives FIPS 180-4's third example, with SHA-256 unasked."""
    path = tmp_path / "long"
    path.write_bytes(b"a" * 1_000_000)

    expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    assert file_digest(path) == expected


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """What cannot be read raises OSError, for the caller to put into words."""
    with pytest.raises(FileNotFoundError):
        file_digest(tmp_path / "absent")
