"""The static metadata of source distributions, which takes no build (PEP 643)."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from functools import partial
from typing import IO, TYPE_CHECKING

from packaging.version import Version

from polylock.errors import FileCorrupt
from polylock.index.remote_zip import LocalZip
from polylock.model.archive_checks import (
    BoundedStream,
    MemberNames,
    RefusedArchive,
)
from polylock.model.sdist_members import (
    SDIST_LIMITS,
    SdistMembers,
    member_of_tar,
    member_of_zip,
    tar_headers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import RemoteFile

__all__ = ["is_static", "pkg_info_in", "predates_static_metadata", "read_pkg_info"]

_MEMBER_LIMIT = 1 << 24
_CHUNK = 1 << 20
_LARGEST_TAR = 1 << 32
"""The most bytes of a stream that are decompressed to find PKG-INFO."""
_FIRST_UPLOADS = 1_041_379_200_000_000
"""2003 in microseconds: an earlier time is not of an upload, but the file's own."""

_FIRST_STATIC = 1_603_497_600_000_000
"""24 October 2020, when PEP 643 was written."""

_FIRST_WITH_DYNAMIC = Version("2.2")
_NEEDED = frozenset({"version", "requires-python", "requires-dist", "provides-extra"})


def read_pkg_info(path: Path, filename: str) -> bytes:
    """Return PKG-INFO from the top directory.

    Raises FileCorrupt, also for an archive that no build would unpack.
    """
    if filename.endswith(".zip"):
        with LocalZip(path, filename) as archive:
            return _from_zip(archive, filename)
    size = path.stat().st_size
    with path.open("rb") as content:
        return _from_tar(content, filename, archive_size=size)


def pkg_info_in(chunks: Iterator[bytes], filename: str) -> bytes:
    """Return PKG-INFO from the chunks of a tar; takes no chunk after it.

    It is near the front. Raises FileCorrupt, also if the chunks end before it or if a
    member before it is refused, and what the iterator raises.
    """
    return _from_tar(_Chunks(chunks), filename, archive_size=None)


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


def _members(archive_size: int | None) -> SdistMembers:
    """Return the rules; names that Windows reserves are accepted on every host."""
    return SdistMembers(archive_size=archive_size, names=MemberNames(windows=False))


def _from_zip(archive: LocalZip, filename: str) -> bytes:
    members = _members(archive.size)
    wanted = None
    try:
        for entry in archive.entries:
            member = member_of_zip(entry)
            members.add(member)
            if wanted is None and _is_pkg_info(member.path):
                wanted = entry
        members.finish()
    except RefusedArchive as error:
        raise FileCorrupt(filename, str(error)) from error
    if wanted is None:
        raise FileCorrupt(filename, "PKG-INFO is missing")
    return archive.read(wanted)


def _from_tar(
    content: IO[bytes] | io.RawIOBase, filename: str, *, archive_size: int | None
) -> bytes:
    try:
        return _member_of_tar(content, filename, archive_size)
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

    Its download would be useless. False if the index does not give an upload time.
    """
    uploaded = file.upload_time
    return (
        uploaded is not None
        and file.core_metadata is None
        and _FIRST_UPLOADS < uploaded < _FIRST_STATIC
    )


def _member_of_tar(
    content: IO[bytes] | io.RawIOBase, filename: str, archive_size: int | None
) -> bytes:
    """Return PKG-INFO; with a size all members of the archive are checked."""
    limits = SDIST_LIMITS
    largest = _LARGEST_TAR if archive_size is None else limits.stream_size(archive_size)
    found: bytes | None = None
    members = _members(archive_size)
    with (
        gzip.GzipFile(fileobj=content, mode="rb") as stream,
        tarfile.open(
            fileobj=BoundedStream(stream, at_once=limits.read_size, in_all=largest),  # type: ignore[call-overload]  # has all that reading needs
            mode="r:",
        ) as archive,
    ):
        for info in tar_headers(archive, limits):
            member = member_of_tar(info)
            if member is None:
                continue
            members.add(member)
            if found is None and info.isreg() and _is_pkg_info(info.name):
                if member.size > _MEMBER_LIMIT:
                    raise FileCorrupt(filename, "PKG-INFO is too large")
                opened = archive.extractfile(info)
                assert opened is not None  # it is a regular file
                found = b"".join(iter(partial(opened.read, _CHUNK), b""))
                if archive_size is None:
                    return found
    members.finish()
    if found is None:
        raise FileCorrupt(filename, "PKG-INFO is missing")
    return found


def _is_pkg_info(member: str) -> bool:
    directory, _, name = member.removeprefix("./").partition("/")
    return bool(directory) and name == "PKG-INFO"
