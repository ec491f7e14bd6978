"""The content of a member of a zip archive, unpacked to no more than it states.

``zipfile`` takes longer to open a member as a stream than zlib to unpack most files,
and takes all that bzip2 and LZMA make of what it reads at once: of a mebibyte that can
be gibibytes. The checks are its own: the name in the local header, the size, the CRC.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Protocol

from polylock.model.archive_checks import RefusedArchive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zipfile import ZipInfo

    from polylock.model.archive_checks import Readable

__all__ = ["MOST", "content_chunks", "is_readable", "is_small", "read_small"]

MOST = 1024 * 1024
"""The maximum size in bytes of a small member, which is read in one piece."""

_STORED, _DEFLATED, _BZIP2, _LZMA = 0, 8, 12, 14
_METHODS = frozenset({_STORED, _DEFLATED, _BZIP2, _LZMA})
_HEADER = struct.Struct("<4s22xHH")  # signature, length of name, length of extra field
_SIGNATURE = b"PK\x03\x04"
_UTF8 = 0x800
_UNREADABLE = 0x1 | 0x20 | 0x40 | 0x2000  # encrypted, patched, or with masked headers
_CHUNK = 1024 * 1024
_LARGEST_DICTIONARY = 1 << 28


class _Decompressor(Protocol):
    """The decompressor interface that bz2 and lzma share."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def is_readable(info: ZipInfo) -> bool:
    """Return True if a member is packed in one of the ways that are known here."""
    return info.compress_type in _METHODS and not info.flag_bits & _UNREADABLE


def is_small(info: ZipInfo) -> bool:
    """Return True if ``read_small`` can read a member."""
    return (
        info.file_size <= MOST
        and info.compress_size <= MOST
        and not info.flag_bits & _UNREADABLE
        and info.compress_type in {_STORED, _DEFLATED}
    )


def read_small(file: Readable, info: ZipInfo) -> bytes:
    """Return the content of a small member of the archive in ``file``.

    Raises RefusedArchive if the member does not match the archive's central directory
    or is damaged.
    """
    _skip_header(file, info)
    packed = file.read(info.compress_size)
    if info.compress_type == _STORED:
        content = packed
    else:
        # One byte more than the stated size shows that there is more.
        try:
            content = zlib.decompressobj(-15).decompress(packed, info.file_size + 1)
        except zlib.error as error:
            raise _damaged(info, str(error)) from error
    if len(content) != info.file_size:
        raise _other_size(info)
    if zlib.crc32(content) != info.CRC:
        raise _damaged(info, "bad CRC-32")
    return content


def content_chunks(file: Readable, info: ZipInfo) -> Iterator[bytes]:
    """Yield the content of any member, about a mebibyte at a time.

    The size and the CRC are known, and compared, at the end. Raises RefusedArchive.
    """
    if not is_readable(info):
        raise RefusedArchive(
            f"member {info.orig_filename!a} is packed in an unknown way"
        )
    _skip_header(file, info)
    left, crc = info.file_size, 0
    for chunk in _unpacked(file, info):
        left -= len(chunk)
        if left < 0:
            raise _other_size(info)
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if left:
        raise _other_size(info)
    if crc != info.CRC:
        raise _damaged(info, "bad CRC-32")


def _skip_header(file: Readable, info: ZipInfo) -> None:
    """Go to the packed content of a member."""
    file.seek(info.header_offset)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise _damaged(info, "it is truncated")
    signature, name_length, extra_length = _HEADER.unpack(header)
    name = file.read(name_length + extra_length)[:name_length]
    encoding = "utf-8" if info.flag_bits & _UTF8 else "cp437"
    if signature != _SIGNATURE or name != info.orig_filename.encode(encoding):
        raise RefusedArchive(
            f"the local header of member {info.orig_filename!a} names another file"
        )


def _unpacked(file: Readable, info: ZipInfo) -> Iterator[bytes]:
    packed = _packed(file, info.compress_size)
    match info.compress_type:
        case 8:  # _DEFLATED
            yield from _inflated(packed, info)
        case 12:  # _BZIP2
            try:
                import bz2  # noqa: PLC0415 - few wheels, and not every Python has it
            except ImportError as error:
                raise _damaged(info, "this Python has no bz2") from error
            yield from _decompressed(bz2.BZ2Decompressor(), packed, info)
        case 14:  # _LZMA
            yield from _from_lzma(packed, info)
        case _:
            yield from packed


def _packed(file: Readable, size: int) -> Iterator[bytes]:
    """Yield the next bytes of a file, as many as there are up to the size."""
    while size > 0 and (chunk := file.read(min(size, _CHUNK))):
        size -= len(chunk)
        yield chunk


def _inflated(packed: Iterator[bytes], info: ZipInfo) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-15)
    try:
        for data in packed:
            if inflater.eof:
                return
            yield inflater.decompress(data, _CHUNK)
            while inflater.unconsumed_tail:
                yield inflater.decompress(inflater.unconsumed_tail, _CHUNK)
        # What is left comes from a few bytes that the decompressor holds.
        yield inflater.flush()
    except zlib.error as error:
        raise _damaged(info, str(error)) from error


def _from_lzma(packed: Iterator[bytes], info: ZipInfo) -> Iterator[bytes]:
    """Yield the unpacked content of an LZMA member (APPNOTE 5.8.8).

    Before the stream stand the version of the packer, the length of the properties (2
    bytes each) and the properties: a byte for the three parameters, and the size of
    the dictionary, which is no larger here than the content.
    """
    try:
        import lzma  # noqa: PLC0415 - few wheels, and not every Python has it
    except ImportError as error:
        raise _damaged(info, "this Python has no lzma") from error
    first = next(packed, b"")
    if len(first) < 9 or first[2:4] != b"\x05\x00" or first[4] >= 9 * 5 * 5:
        raise _damaged(info, "its LZMA header is invalid")
    rest, literal_context = divmod(first[4], 9)
    position, literal_position = divmod(rest, 5)
    size = min(int.from_bytes(first[5:9], "little"), max(info.file_size, 4096))
    if size > _LARGEST_DICTIONARY:
        raise _damaged(info, f"its LZMA dictionary has {size} bytes")
    chain = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(size, 4096),
        "lc": literal_context,
        "lp": literal_position,
        "pb": position,
    }
    try:
        made = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain])
    except lzma.LZMAError as error:
        raise _damaged(info, str(error)) from error

    def stream() -> Iterator[bytes]:
        yield first[9:]
        yield from packed

    try:
        yield from _decompressed(made, stream(), info)
    except lzma.LZMAError as error:
        raise _damaged(info, str(error)) from error


def _decompressed(
    made: _Decompressor, packed: Iterator[bytes], info: ZipInfo
) -> Iterator[bytes]:
    """Yield the unpacked bytes; nothing after the end of the packed stream."""
    try:
        for data in packed:
            if made.eof:
                return
            yield made.decompress(data, _CHUNK)
            while not _is_done(made):
                yield made.decompress(b"", _CHUNK)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(info, str(error)) from error


def _is_done(made: _Decompressor) -> bool:
    """Return True if more data is needed, or none will help."""
    return made.eof or made.needs_input


def _damaged(info: ZipInfo, problem: str) -> RefusedArchive:
    return RefusedArchive(f"member {info.orig_filename!a} is damaged: {problem}")


def _other_size(info: ZipInfo) -> RefusedArchive:
    return RefusedArchive(
        f"member {info.orig_filename!a} does not have its stated size"
    )
