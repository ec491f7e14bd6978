"""Members of a wheel that fit into memory, read in one piece.

Most wheels are thousands of small files, and ``zipfile`` takes longer to open one as
a stream than zlib to unpack it. What it checks is checked here too: the name in the
member's own header, the size and the CRC. Whatever is out of the ordinary is left
to it.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from polylock.model.member_names import RefusedArchive

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["MOST", "is_small", "read_small"]

MOST = 1024 * 1024
"""The size in bytes of the largest member that is small."""

_HEADER = struct.Struct("<4s22xHH")  # signature, length of name, length of extra field
_SIGNATURE = b"PK\x03\x04"
_UTF8 = 0x800
_ORDINARY = _UTF8 | 0x8 | 0x6  # sizes after the data, and the level of compression


def is_small(info: zipfile.ZipInfo) -> bool:
    """Say whether ``read_small`` may read a member."""
    return (
        info.file_size <= MOST
        and info.compress_size <= MOST
        and not info.flag_bits & ~_ORDINARY
        and info.compress_type in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
    )


def read_small(file: BinaryIO, info: zipfile.ZipInfo) -> bytes:
    """Return the content of a small member of the archive in ``file``.

    Raises RefusedArchive where the member is not what the archive's directory says,
    zipfile.BadZipFile and zlib.error where it is damaged.
    """
    file.seek(info.header_offset)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise zipfile.BadZipFile("it is cut short")
    signature, name_length, extra_length = _HEADER.unpack(header)
    name = file.read(name_length + extra_length)[:name_length]
    encoding = "utf-8" if info.flag_bits & _UTF8 else "cp437"
    if signature != _SIGNATURE or name != info.orig_filename.encode(encoding):
        raise RefusedArchive(f"member {info.orig_filename!a} has another header")
    packed = file.read(info.compress_size)
    if info.compress_type == zipfile.ZIP_STORED:
        content = packed
    else:
        # One byte more than it should have is enough to see that it has more.
        content = zlib.decompressobj(-15).decompress(packed, info.file_size + 1)
    if len(content) != info.file_size:
        raise RefusedArchive(f"member {info.orig_filename!a} has not the size it says")
    if zlib.crc32(content) != info.CRC:
        raise zipfile.BadZipFile(f"bad CRC-32 of {info.orig_filename!a}")
    return content
