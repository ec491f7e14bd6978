"""Reads single members of a zip archive on a server, by range requests.

A wheel's central directory and its ``.dist-info`` are at its end, and in most wheels
within the last 64 kB: of 187 wheels 167 needed one request.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, Self

from polylock.cache.regular_files import WholeFile
from polylock.errors import FileCorrupt, IndexRequestError
from polylock.model.archive_checks import RefusedArchive
from polylock.model.zip_content import content_chunks
from polylock.network.limits import whole_body

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from zipfile import ZipInfo

    from _typeshed import WriteableBuffer

    from polylock.model.archive_checks import Readable
    from polylock.network.answers import Streaming
    from polylock.network.client import Client

__all__ = ["Archive", "LocalZip", "RangesUnsupported", "RemoteZip"]

_TAIL = 1 << 16
_READ_AHEAD = 1 << 14
_LOCAL_HEADER = 30 + 512  # the fixed part, and room for the name and extra field
_MEMBER_LIMIT = 1 << 24  # METADATA of 16 MB is an attack or a mistake
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
_DIGITS = 19
_LARGEST_RANGE = 1 << 26
"""The most bytes of one request; the directory of the largest wheels has 2 ** 22."""


class RangesUnsupported(Exception):
    """The server refused a range request; the whole file must be requested.

    Servers refuse with many statuses, some meant for other things (400, 403, 404, 501).
    Only a request without a range shows whether the file is available.
    """


class Archive(Protocol):
    """A zip archive, local or remote; both methods raise FileCorrupt."""

    @property
    def size(self) -> int:
        """Return the size of the archive in bytes."""
        ...

    @property
    def entries(self) -> list[ZipInfo]:
        """Return the central directory."""
        ...

    def is_at_hand(self, entry: ZipInfo) -> bool:
        """Return True if a member can be read without a further request.

        That is so in the last 64 KB, wherever the archive lies: what is locked must
        not depend on what is in the cache.
        """
        ...

    def read(self, entry: ZipInfo) -> bytes:
        """Return the content of a member, checked by its CRC."""
        ...


class LocalZip:
    """An Archive on disk."""

    def __init__(self, path: Path, filename: str) -> None:
        self._filename = filename
        self._file = WholeFile(path)
        try:
            with _reading(filename):
                self._archive = zipfile.ZipFile(self._file)
        except FileCorrupt:
            self._file.close()
            raise
        self.size = path.stat().st_size

    @property
    def entries(self) -> list[ZipInfo]:
        """Return the central directory."""
        return self._archive.infolist()

    def is_at_hand(self, entry: ZipInfo) -> bool:
        """Return True if a member lies in the last 64 KB."""
        return entry.header_offset >= self.size - _TAIL

    def read(self, entry: ZipInfo) -> bytes:
        """Return the content of a member, checked by its CRC."""
        return _read_member(self._file, entry, self._filename)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()
        self._file.close()


class RemoteZip:
    """An Archive on a server.

    Raises RangesUnsupported for any answer but a range, also none, and FileCorrupt.
    """

    def __init__(self, client: Client, url: str, filename: str) -> None:
        self._filename = filename
        self._bytes = _RangedFile(client, url)
        with _reading(filename):
            self._archive = zipfile.ZipFile(self._bytes)

    @property
    def size(self) -> int:
        """Return the size of the archive in bytes."""
        return self._bytes.size

    @property
    def entries(self) -> list[ZipInfo]:
        """Return the central directory."""
        return self._archive.infolist()

    def is_at_hand(self, entry: ZipInfo) -> bool:
        """Return True if a member lies in the last 64 KB, the first request."""
        return entry.header_offset >= self.size - _TAIL

    def read(self, entry: ZipInfo) -> bytes:
        """Return the content of a member, checked by its CRC."""
        start = entry.header_offset
        self._bytes.load(start, start + _LOCAL_HEADER + entry.compress_size)
        return _read_member(self._bytes, entry, self._filename)


def _read_member(file: Readable, entry: ZipInfo, filename: str) -> bytes:
    member = entry.orig_filename
    if entry.file_size > _MEMBER_LIMIT:
        raise FileCorrupt(filename, f"{member} is larger than {_MEMBER_LIMIT} bytes")
    with _reading(filename):
        return b"".join(content_chunks(file, entry))


@contextmanager
def _reading(filename: str) -> Iterator[None]:
    """Turn what zipfile raises for bad archives into FileCorrupt."""
    try:
        yield
    except RefusedArchive as error:
        raise FileCorrupt(filename, str(error)) from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,  # an encrypted member
        ValueError,  # a position before the beginning, a name that is not text
        OverflowError,  # a size that is too large for a file
        struct.error,
    ) as error:
        raise FileCorrupt(filename, f"the archive is damaged: {error}") from error


class _RangedFile(io.RawIOBase):
    """A seekable, read-only file; only the parts that are read are fetched."""

    def __init__(self, client: Client, url: str) -> None:
        super().__init__()
        self._client = client
        self._url = url
        self._position = 0
        self._size = -1
        self._parts: dict[int, bytes] = {}
        self._fetch(f"bytes=-{_TAIL}", _TAIL)

    @property
    def size(self) -> int:
        return self._size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        position = bases[whence] + offset
        if position < 0:
            raise ValueError("a position before the beginning of the archive")
        self._position = position
        return position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; allocates no more than the file has."""
        rest = max(self._size - self._position, 0)
        return super().read(rest if size < 0 else min(size, rest)) or b""

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        wanted = min(len(view), self._size - self._position)
        if wanted <= 0:
            return 0
        end = self._position + wanted
        self.load(self._position, end)
        content = self._slice(self._position, end)
        view[: len(content)] = content
        self._position += len(content)
        return len(content)

    def load(self, start: int, end: int) -> None:
        """Make the bytes from ``start`` to ``end`` available; one request at most."""
        end = min(end, self._size)
        if start >= end or self._holds(start, end):
            return
        end = min(max(end, start + _READ_AHEAD), self._size)
        if end - start > _LARGEST_RANGE:
            raise zipfile.BadZipFile(f"a part of it has {end - start} bytes")
        self._fetch(f"bytes={start}-{end - 1}", end - start)
        if not self._holds(start, end):
            raise RangesUnsupported(self._url)

    def _holds(self, start: int, end: int) -> bool:
        return any(
            offset <= start and end <= offset + len(part)
            for offset, part in self._parts.items()
        )

    def _slice(self, start: int, end: int) -> bytes:
        for offset, part in self._parts.items():
            if offset <= start and end <= offset + len(part):
                return part[start - offset : end - offset]
        raise RangesUnsupported(self._url)

    def _fetch(self, wanted: str, longest: int) -> None:
        """Fetch a range; raises RangesUnsupported if the server sends more."""

        def consume(answer: Streaming) -> tuple[int, bytes]:
            if answer.status == 200:
                return 0, self._whole(answer)
            if answer.status != 206 or "content-encoding" in answer.headers:
                # Refused with some status, or a part of a compressed file.
                raise RangesUnsupported(self._url)
            offset = self._check_range(answer)
            return offset, whole_body(answer, largest=max(longest, _TAIL))

        headers = {"range": wanted, "accept-encoding": "identity"}
        try:
            offset, content = self._client.stream(self._url, consume, headers=headers)
        except IndexRequestError as error:
            # A request without a range shows whether the file is available.
            raise RangesUnsupported(self._url) from error
        self._parts[offset] = content

    def _whole(self, answer: Streaming) -> bytes:
        """Return a file that was sent whole, unless it is too large."""
        length = answer.headers.get("content-length", "")
        is_number = length.isascii() and length.isdigit() and len(length) < _DIGITS
        if "content-encoding" in answer.headers or not is_number:
            raise RangesUnsupported(self._url)
        if int(length) > _TAIL:
            raise RangesUnsupported(self._url)
        self._size = int(length)
        return whole_body(answer, largest=_TAIL)

    def _check_range(self, answer: Streaming) -> int:
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        if match is None:
            raise RangesUnsupported(self._url)
        first, _, size = map(int, match.groups())
        if self._size not in {-1, size}:
            raise RangesUnsupported(self._url)  # replaced while it was read
        self._size = size
        return first
