"""The content of members, small ones in one piece and others by chunks."""

from __future__ import annotations

import io
import random
import tracemalloc
import zipfile
from dataclasses import dataclass

import pytest

from polylock.model.archive_checks import RefusedArchive
from polylock.model.zip_content import (
    MOST,
    content_chunks,
    is_readable,
    is_small,
    read_small,
)


@dataclass(frozen=True, slots=True)
class _Archive:
    """An archive in memory with the member ``name``."""

    data: bytearray
    info: zipfile.ZipInfo

    @property
    def start(self) -> int:
        """Return where the member's packed content begins."""
        return self.info.header_offset + 30 + len(self.info.filename.encode())

    def read(self) -> bytes:
        """Return the member's content."""
        return read_small(io.BytesIO(self.data), self.info)


def _archive(
    content: bytes, name: str = "demo/a.py", kind: int = zipfile.ZIP_DEFLATED
) -> _Archive:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", kind) as archive:
        archive.writestr("first", b"something before it")
        archive.writestr(name, content)
    with zipfile.ZipFile(made) as archive:
        return _Archive(bytearray(made.getvalue()), archive.getinfo(name))


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("size", [0, 1, 1000, MOST])
def test_the_content_is_that_which_was_packed(kind: int, size: int) -> None:
    """Stored and deflated members are read, empty ones too."""
    content = random.Random(size).randbytes(size // 2) + bytes(size - size // 2)
    archive = _archive(content, kind=kind)
    assert is_small(archive.info)
    assert archive.read() == content


def test_a_name_beyond_ascii_is_that_of_the_header() -> None:
    """Names are compared as bytes, in the encoding that the member is flagged with."""
    assert _archive(b"x", name="demo/ä.py").read() == b"x"


def test_what_is_large_or_unusual_is_not_small() -> None:
    """Large members are streamed, other methods and flags are not small."""
    assert not is_small(_archive(bytes(MOST + 1)).info)
    assert not is_small(_archive(b"x" * 100, kind=zipfile.ZIP_BZIP2).info)
    patched = _archive(b"x").info
    patched.flag_bits |= 0x20
    assert not is_small(patched)


@pytest.mark.parametrize("offset", [0, 30])
def test_another_header_is_refused(offset: int) -> None:
    """The header must be one, and name the member that the directory names."""
    archive = _archive(b"x")
    archive.data[archive.info.header_offset + offset] ^= 1
    with pytest.raises(RefusedArchive, match="names another file"):
        archive.read()


@pytest.mark.parametrize("size", [10, 99, 101])
@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_another_size_than_it_says_is_refused(kind: int, size: int) -> None:
    """Neither more nor less than the directory says is taken."""
    archive = _archive(bytes(100), kind=kind)
    archive.info.file_size = size
    with pytest.raises(RefusedArchive, match="does not have its stated size"):
        archive.read()


def test_a_bomb_is_not_unpacked() -> None:
    """No more is unpacked than the member says that it has, but for one byte."""
    archive = _archive(bytes(900_000))
    archive.info.file_size = 5
    with pytest.raises(RefusedArchive, match="does not have its stated size"):
        archive.read()


def test_a_flipped_byte_is_found() -> None:
    """The CRC of the directory must be that of the content."""
    archive = _archive(b"0123456789", kind=zipfile.ZIP_STORED)
    archive.data[archive.start] ^= 1
    with pytest.raises(RefusedArchive, match="CRC"):
        archive.read()


@pytest.mark.parametrize("left", [10, 35, 60])
def test_an_archive_that_is_cut_short_is_refused(left: int) -> None:
    """In the header, in the name, or in the content: it is never taken as whole."""
    archive = _archive(b"0123456789" * 10, kind=zipfile.ZIP_STORED)
    del archive.data[archive.info.header_offset + left :]
    with pytest.raises(RefusedArchive):
        archive.read()


ALL = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("size", [0, 1, 1000, 2 * MOST])
def test_every_method_of_zipfile_is_read(kind: int, size: int) -> None:
    """What zipfile packs comes back whole, in chunks of a bounded size."""
    content = random.Random(size).randbytes(size // 2) + bytes(size - size // 2)
    archive = _archive(content, kind=kind)
    chunks = list(content_chunks(io.BytesIO(archive.data), archive.info))
    assert b"".join(chunks) == content
    assert max(map(len, chunks), default=0) <= MOST


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("size", [10, 1_200_001])
def test_another_size_is_refused_by_chunks(kind: int, size: int) -> None:
    """Neither more nor less than the directory says is taken."""
    archive = _archive(bytes(1_200_000), kind=kind)
    archive.info.file_size = size
    with pytest.raises(RefusedArchive, match="does not have its stated size"):
        list(content_chunks(io.BytesIO(archive.data), archive.info))


@pytest.mark.parametrize("kind", ALL)
def test_damage_is_found_in_every_method(kind: int) -> None:
    """Each flipped byte of a member's content is refused, by CRC or by its packing."""
    archive = _archive(b"0123456789" * 3, kind=kind)
    for position in range(archive.info.compress_size):
        data = bytearray(archive.data)
        data[archive.start + position] ^= 0x55
        try:
            chunks = list(content_chunks(io.BytesIO(data), archive.info))
        except RefusedArchive:
            continue
        # A bit that means nothing: an option of the header, or padding.
        assert b"".join(chunks) == b"0123456789" * 3


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_of_another_method_takes_no_memory(kind: int) -> None:
    """A chunk holds a mebibyte, whatever the packed bytes unfold to."""
    archive = _archive(bytes(32 * MOST), kind=kind)
    tracemalloc.start()
    try:
        for _ in content_chunks(io.BytesIO(archive.data), archive.info):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MOST  # the dictionary of LZMA has 8


def test_an_unknown_method_is_refused() -> None:
    """No installer can read it."""
    archive = _archive(b"x")
    archive.info.compress_type = 97
    assert not is_readable(archive.info)
    with pytest.raises(RefusedArchive, match="packed in an unknown way"):
        list(content_chunks(io.BytesIO(archive.data), archive.info))
