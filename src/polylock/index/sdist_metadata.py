"""The static metadata of source distributions, which takes no build (PEP 643)."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from typing import IO, TYPE_CHECKING

from packaging.version import Version

from polylock.errors import FileCorrupt
from polylock.index.remote_zip import LocalZip
from polylock.model.archive_checks import BoundedStream, RefusedArchive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import RemoteFile

__all__ = ["is_static", "pkg_info_in", "predates_static_metadata", "read_pkg_info"]

_MEMBER_LIMIT = 1 << 24
_LARGEST_TAR = 1 << 32
"""The most bytes that are decompressed to find PKG-INFO; it bounds the time."""
_FIRST_UPLOADS = 1_041_379_200_000_000
"""2003 in microseconds: an earlier time is not of an upload, but the file's own."""

_FIRST_STATIC = 1_603_497_600_000_000
"""24 October 2020, when PEP 643 was written."""

_FIRST_WITH_DYNAMIC = Version("2.2")
_NEEDED = frozenset({"version", "requires-python", "requires-dist", "provides-extra"})


def read_pkg_info(path: Path, filename: str) -> bytes:
    """Return PKG-INFO from the top directory; raises FileCorrupt."""
    if filename.endswith(".zip"):
        with LocalZip(path, filename) as archive:
            for entry in archive.entries:
                if _is_pkg_info(entry.filename):
                    return archive.read(entry)
        raise FileCorrupt(filename, "PKG-INFO is missing")
    with path.open("rb") as content:
        return _from_tar(content, filename)


def pkg_info_in(chunks: Iterator[bytes], filename: str) -> bytes:
    """Return PKG-INFO from the chunks of a tar; takes no chunk after it.

    It is near the front. Raises FileCorrupt, also if the chunks end before it, and what
    the iterator raises.
    """
    return _from_tar(_Chunks(chunks), filename)


class _Chunks(io.RawIOBase):
    """A file that is read once, from an iterator of chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _from_tar(content: IO[bytes] | io.RawIOBase, filename: str) -> bytes:
    try:
        return _member_of_tar(content, filename)
    except RefusedArchive as error:
        raise FileCorrupt(filename, str(error)) from error
    except (
        tarfile.TarError,
        EOFError,
        zlib.error,
        gzip.BadGzipFile,
        RuntimeError,  # tarfile recurses into header after header
        ValueError,  # a number or a name that cannot be decoded
        OverflowError,  # a number that is too large for a file
    ) as error:
        raise FileCorrupt(filename, f"the archive is damaged: {error}") from error


def is_static(metadata: CoreMetadata) -> bool:
    """Return True if a build cannot change the fields that the solver reads.

    Before version 2.2 of core metadata a build may change any field; since then only
    those named in ``Dynamic``.
    """
    try:
        version = Version(metadata.metadata_version)
    except ValueError:
        return False
    return version >= _FIRST_WITH_DYNAMIC and _NEEDED.isdisjoint(metadata.dynamic)


def predates_static_metadata(file: RemoteFile) -> bool:
    """Return True if a source distribution is too old to have static metadata.

    Its download would be in vain. False if the index does not give an upload time.
    """
    uploaded = file.upload_time
    return (
        uploaded is not None
        and file.core_metadata is None
        and _FIRST_UPLOADS < uploaded < _FIRST_STATIC
    )


def _member_of_tar(content: IO[bytes] | io.RawIOBase, filename: str) -> bytes:
    with (
        gzip.GzipFile(fileobj=content, mode="rb") as stream,
        tarfile.open(
            fileobj=BoundedStream(stream, at_once=_MEMBER_LIMIT, in_all=_LARGEST_TAR),  # type: ignore[call-overload]  # has all that reading needs
            mode="r:",
        ) as archive,
    ):
        for member in archive:
            if member.isfile() and _is_pkg_info(member.name):
                if member.size > _MEMBER_LIMIT:
                    raise FileCorrupt(filename, "PKG-INFO is too large")
                opened = archive.extractfile(member)
                assert opened is not None  # it is a regular file
                found: bytes = opened.read()
                return found
    raise FileCorrupt(filename, "PKG-INFO is missing")


def _is_pkg_info(member: str) -> bool:
    directory, _, name = member.removeprefix("./").partition("/")
    return bool(directory) and name == "PKG-INFO"
