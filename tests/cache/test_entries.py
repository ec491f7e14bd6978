"""Entries of the cache, for a reader that imports nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polylock.cache.entries import checksum, digest, entry_path, whole_content
from polylock.cache.store import Bucket, Store

if TYPE_CHECKING:
    from pathlib import Path


def test_an_entry_lies_where_the_store_puts_it(tmp_path: Path) -> None:
    """Reader and writer agree on path and checksum."""
    Store(tmp_path).write(Bucket.ANSWERS, "key", b"content")
    with open(entry_path(f"{tmp_path}/answers-v1", b"key"), "rb") as file:  # noqa: PTH123
        entry = file.read()
    content = whole_content(entry)
    assert content is not None
    assert bytes(content) == b"content"
    assert entry == checksum(b"content") + b"content"


@pytest.mark.parametrize("entry", [b"", b"\0\0\0", b"\0\0\0\0x", checksum(b"x")])
def test_a_damaged_entry_has_no_content(entry: bytes) -> None:
    """Cut short anywhere, or with other content than its checksum."""
    assert whole_content(entry) is None


def test_digest_is_that_of_the_standard() -> None:
    """BLAKE2b with 20 bytes of output, of no bytes (RFC 7693's algorithm)."""
    assert digest(b"") == "3345524abf6bbe1809449224b5972c41790b6cf2"
