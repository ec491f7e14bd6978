"""Tests of polylock.repacking.archive_writer."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from typing import IO, Any

import pytest

from polylock.model.archive_checks import RefusedArchive
from polylock.repacking.archive_writer import ArchiveWriter, NewMember

WRITTEN = (2026, 3, 4, 5, 6, 8)
TEXT = b"some text, " * 1000


def packed(compression: int = zipfile.ZIP_DEFLATED, **streamed: bool) -> io.BytesIO:
    """Return an archive; a streamed one has data descriptors."""
    buffer = io.BytesIO()
    stream: Any = NotSeekable(buffer) if streamed else buffer
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.comment = b"kept"
        for name in ("a.txt", "d/", "d/\u00e9.txt", "run.sh"):
            info = zipfile.ZipInfo(name, WRITTEN)
            info.compress_type = compression
            info.external_attr = (0o100755 if name == "run.sh" else 0o100644) << 16
            archive.writestr(info, b"" if name.endswith("/") else TEXT + name.encode())
    buffer.seek(0)
    return buffer


class NotSeekable(io.RawIOBase):
    """A stream that is written as a pipe is."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def writable(self) -> bool:
        """Return that it can be written."""
        return True

    def write(self, content: Any, /) -> int:  # noqa: ANN401 - any buffer
        """Write bytes."""
        return self._stream.write(content)


def copied(source: IO[bytes], **options: Any) -> io.BytesIO:  # noqa: ANN401 - options
    """Return a copy of an archive."""
    target = io.BytesIO()
    writer = ArchiveWriter(target, **options)
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            writer.copy(source, info, info.filename)
        writer.finish(archive.comment)
    return target


def described(stream: IO[bytes]) -> list[tuple[object, ...]]:
    """Return what a reader sees of each member."""
    with zipfile.ZipFile(stream) as archive:
        assert archive.testzip() is None
        return [
            (
                *(info.filename, info.date_time, info.compress_type),
                *(info.external_attr, info.compress_size, archive.read(info)),
            )
            for info in archive.infolist()
        ]


@pytest.mark.parametrize(
    "compression",
    [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA],
)
def test_copy_keeps_every_member(compression: int) -> None:
    """Content, packed size, time and mode are those of the source."""
    source = packed(compression)
    target = copied(source)
    assert described(target) == described(source)
    with zipfile.ZipFile(target) as archive:
        assert archive.comment == b"kept"


def test_data_descriptors_are_left_out() -> None:
    """What was streamed gives the same bytes as what was not."""
    streamed = packed(streamed=True)
    with zipfile.ZipFile(streamed) as archive:
        assert all(info.flag_bits & 8 for info in archive.infolist())
    assert copied(streamed).getvalue() == copied(packed()).getvalue()


def test_copy_of_a_copy_is_the_same() -> None:
    """The form is a fixed point."""
    once = copied(packed())
    assert copied(once).getvalue() == once.getvalue()


def test_large_numbers_are_written_as_zip64() -> None:
    """Above the limit, sizes and positions stand in the extra fields."""
    source = packed()
    target = copied(source, zip64_from=50)
    assert described(target) == described(source)
    with zipfile.ZipFile(target) as archive:
        infos = archive.infolist()
    assert all(info.extract_version == 45 for info in infos if info.file_size)
    assert all(info.extra[:2] == b"\x01\x00" for info in infos if info.file_size)
    assert b"PK\x06\x06" in target.getvalue()
    # Made anew without need, ZIP64 is left out.
    assert copied(target).getvalue() == copied(source).getvalue()


def test_more_members_than_the_end_record_can_count() -> None:
    """Their number stands in the record of ZIP64."""
    source, target = packed(), io.BytesIO()
    with zipfile.ZipFile(source) as archive:
        info = archive.getinfo("d/")
    writer = ArchiveWriter(target)
    for number in range(65_536):
        writer.copy(source, info, f"{number}/")
    writer.finish()
    with zipfile.ZipFile(target) as archive:
        assert len(archive.namelist()) == 65_536


def test_new_members_are_stored() -> None:
    """Their bytes do not depend on zlib; the rest is that of another member."""
    source = packed()
    target = io.BytesIO()
    with zipfile.ZipFile(source) as archive:
        like = archive.getinfo("run.sh")
        writer = ArchiveWriter(target)
        writer.add(NewMember("new/\u00fc.txt", TEXT, like))
        writer.finish()
    with zipfile.ZipFile(target) as archive:
        (info,) = archive.infolist()
        assert archive.read(info) == TEXT
    assert (info.filename, info.compress_type) == ("new/\u00fc.txt", 0)
    assert (info.date_time, info.external_attr) == (WRITTEN, like.external_attr)


def test_new_members_can_have_another_time() -> None:
    """Copied ones keep their own."""
    source = packed()
    target = io.BytesIO()
    with zipfile.ZipFile(source) as archive:
        like = archive.getinfo("a.txt")
        writer = ArchiveWriter(target, moment=(2001, 2, 3, 4, 5, 7))
        writer.add(NewMember("new", b"x", like))
        writer.copy(source, like, "old")
        writer.finish()
    with zipfile.ZipFile(target) as archive:
        times = {info.filename: info.date_time for info in archive.infolist()}
    assert times == {"new": (2001, 2, 3, 4, 5, 6), "old": WRITTEN}


def test_extra_fields_are_kept_but_for_other_names() -> None:
    """A field with a further name for the member would contradict a new one."""
    stamp = struct.pack("<HHBL", 0x5455, 5, 1, 1_700_000_000)
    name = struct.pack("<HHBL", 0x7075, 9, 1, 0) + b"evil"
    source = io.BytesIO()
    with zipfile.ZipFile(source, "w") as archive:
        info = zipfile.ZipInfo("a")
        info.extra = stamp + name + b"\x01"
        archive.writestr(info, b"x")
    target = copied(source)
    with zipfile.ZipFile(target) as archive:
        assert archive.getinfo("a").extra == stamp
    assert target.getvalue().count(stamp) == 2
    assert b"evil" not in target.getvalue()


def test_truncated_source_is_refused() -> None:
    """Nothing is written in place of bytes that are missing."""
    source = packed()
    with zipfile.ZipFile(source) as archive:
        info = archive.getinfo("run.sh")
        info.compress_size += 10_000
        for start in (info.header_offset, 1 << 40):
            info.header_offset = start
            with pytest.raises(RefusedArchive, match="ends within a member"):
                ArchiveWriter(io.BytesIO()).copy(source, info, "x")


def test_random_archives_are_copied_faithfully() -> None:
    """Any mix of compressions, sizes and names gives what ``zipfile`` reads."""
    choose = random.Random(825)
    for _ in range(40):
        source = io.BytesIO()
        with zipfile.ZipFile(source, "w") as archive:
            for number in range(choose.randrange(1, 12)):
                letter = choose.choice("a\u00e9\u6f22")
                info = zipfile.ZipInfo(f"{number}/{letter}")
                info.compress_type = choose.choice([0, 8, 12, 14])
                info.external_attr = choose.choice([0, 0o100755 << 16, 0x20])
                content = choose.randbytes(choose.randrange(300)) * choose.randrange(9)
                archive.writestr(info, content)
        limit = choose.choice([1, 100, 0xFFFFFFFF])
        assert described(copied(source, zip64_from=limit)) == described(source)
