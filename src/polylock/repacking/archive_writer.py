"""Writes a zip archive of members of another one, which are not compressed again.

Packed content is copied as it is, so the result does not depend on the version of zlib,
takes the time of a copy and little memory. New members are stored without compression
for the same reason. Every header is written here: a data descriptor of the source is
left out, and sizes above 4 GiB or more than 65,535 members make it a ZIP64 archive.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

from polylock.model.archive_checks import RefusedArchive

if TYPE_CHECKING:
    from zipfile import ZipInfo

    from polylock.model.archive_checks import Readable

__all__ = ["ZIP64_FROM", "ArchiveWriter", "Moment", "NewMember", "Writable"]

ZIP64_FROM = 0xFFFFFFFF
"""The first size and position that needs ZIP64."""

_MANY = 0xFFFF
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_LOCAL_LENGTHS = struct.Struct("<4s22xHH")
_NEEDED = {12: 46, 14: 63}  # the version that can unpack bzip2 and LZMA
_VERSION64 = 45
_UTF8 = 0x800
_DESCRIPTOR = 0x8
_LEFT_OUT = frozenset({0x0001, 0x7075})
"""Extra fields of ZIP64, which is decided again, and of another name for a member."""

_CHUNK = 1024 * 1024

Moment = tuple[int, int, int, int, int, int]
"""A time as zip archives have it: year, month, day, hour, minute, second."""


class Writable(Protocol):
    """A stream that is written from its start to its end."""

    def write(self, content: bytes, /) -> int:
        """Write bytes."""
        ...

    def tell(self) -> int:
        """Return the number of bytes written."""
        ...


class NewMember(NamedTuple):
    """A member with new content; the rest is like that of ``like``, as of its time."""

    name: str
    content: bytes
    like: ZipInfo


class _Entry(NamedTuple):
    """What both headers of a member say."""

    name: bytes
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed: int
    size: int


class ArchiveWriter:
    """Writes the members, then with ``finish`` the directory.

    ``moment`` is the time of new members in UTC, None for that of the member that they
    are like. ``zip64_from`` is the first size that is written as ZIP64.
    """

    def __init__(
        self,
        stream: Writable,
        *,
        moment: Moment | None = None,
        zip64_from: int = ZIP64_FROM,
    ) -> None:
        self._stream = stream
        self._moment = moment
        self._zip64_from = zip64_from
        self._directory: list[bytes] = []

    def copy(self, source: Readable, info: ZipInfo, name: str) -> None:
        """Copy a member of ``source`` as it is packed, under a name."""
        source.seek(info.header_offset)
        lengths = source.read(_LOCAL_LENGTHS.size)
        if len(lengths) < _LOCAL_LENGTHS.size:
            raise RefusedArchive("it ends within a member")
        _, name_length, extra_length = _LOCAL_LENGTHS.unpack(lengths)
        extra = source.read(name_length + extra_length)[name_length:]
        time, date = _dos_time(info.date_time)
        entry = _Entry(
            *_encoded(name, info.flag_bits & ~(_DESCRIPTOR | _UTF8)),
            info.compress_type,
            time,
            date,
            info.CRC,
            info.compress_size,
            info.file_size,
        )
        self._begin(entry, info, _without_own(extra))
        left = info.compress_size
        while left:
            chunk = source.read(min(left, _CHUNK))
            if not chunk:
                raise RefusedArchive("it ends within a member")
            self._stream.write(chunk)
            left -= len(chunk)

    def add(self, member: NewMember) -> None:
        """Add a member with new content, without compression."""
        time, date = _dos_time(self._moment or member.like.date_time)
        entry = _Entry(
            *_encoded(member.name, 0),
            0,
            time,
            date,
            zlib.crc32(member.content),
            len(member.content),
            len(member.content),
        )
        self._begin(entry, member.like, b"", is_new=True)
        self._stream.write(member.content)

    def finish(self, comment: bytes = b"") -> None:
        """Write the central directory, which ends the archive."""
        start = self._stream.tell()
        for each in self._directory:
            self._stream.write(each)
        end = self._stream.tell()
        count, size = len(self._directory), end - start
        if count >= _MANY or max(size, start) >= self._zip64_from:
            self._stream.write(
                _END64.pack(
                    *(b"PK\x06\x06", _END64.size - 12, _VERSION64, _VERSION64),
                    *(0, 0, count, count, size, start),
                )
                + _LOCATOR64.pack(b"PK\x06\x07", 0, end, 1)
            )
            count, size, start = min(count, _MANY), *map(self._short, (size, start))
        self._stream.write(
            _END.pack(b"PK\x05\x06", 0, 0, count, count, size, start, len(comment))
            + comment
        )

    def _short(self, number: int) -> int:
        """Return a number of a header, or the mark that its value is in ZIP64."""
        return 0xFFFFFFFF if number >= self._zip64_from else number

    def _begin(
        self, entry: _Entry, like: ZipInfo, extra: bytes, *, is_new: bool = False
    ) -> None:
        """Write the local header, and note the entry of the directory."""
        offset = self._stream.tell()
        sizes = (entry.size, entry.packed)
        is_long = max(sizes) >= self._zip64_from
        needed = _NEEDED.get(entry.method, 20)
        if is_long:
            needed = max(needed, _VERSION64)
            # The local header must have both.
            extra = struct.pack("<2H2Q", 1, 16, *sizes) + extra
        central = b"" if is_new else _without_own(like.extra)
        long = [*(sizes if is_long else ())]
        if offset >= self._zip64_from:
            long.append(offset)
            needed = max(needed, _VERSION64)
        if long:
            packed = struct.pack(f"<2H{len(long)}Q", 1, 8 * len(long), *long)
            central = packed + central
        comment = b"" if is_new else like.comment
        if max(map(len, (entry.name, extra, central, comment))) > _MANY:
            raise RefusedArchive("a header of a member is too long")
        self._stream.write(
            _LOCAL.pack(
                *(b"PK\x03\x04", needed, entry.flags, entry.method),
                *(entry.time, entry.date, entry.crc),
                *(0xFFFFFFFF if is_long else entry.packed,),
                *(0xFFFFFFFF if is_long else entry.size,),
                *(len(entry.name), len(extra)),
            )
            + entry.name
            + extra
        )
        self._directory.append(
            _CENTRAL.pack(
                *(b"PK\x01\x02", needed, like.create_system, needed, 0),
                *(entry.flags, entry.method, entry.time, entry.date, entry.crc),
                *(0xFFFFFFFF if is_long else entry.packed,),
                *(0xFFFFFFFF if is_long else entry.size,),
                *(len(entry.name), len(central), len(comment), 0),
                *(like.internal_attr * (not is_new), like.external_attr),
                self._short(offset),
            )
            + entry.name
            + central
            + comment
        )


def _encoded(name: str, flags: int) -> tuple[bytes, int]:
    if name.isascii():
        return name.encode(), flags
    return name.encode(), flags | _UTF8


def _dos_time(moment: Moment) -> tuple[int, int]:
    """Return time and date as zip archives have them, in steps of two seconds."""
    year, month, day, hour, minute, second = moment
    date = (year - 1980) << 9 | month << 5 | day
    return hour << 11 | minute << 5 | second // 2, date


def _without_own(extra: bytes) -> bytes:
    """Return extra fields without those that are rewritten; a broken one ends them."""
    kept = []
    start = 0
    while len(extra) >= start + 4:
        kind, length = struct.unpack_from("<2H", extra, start)
        end = start + 4 + length
        if len(extra) < end:
            break
        if kind not in _LEFT_OUT:
            kept.append(extra[start:end])
        start = end
    return b"".join(kept)
