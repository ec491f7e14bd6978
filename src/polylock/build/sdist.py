"""Unpacks a source distribution (PEP 625), or refuses it.

What may be in one is decided by ``model/sdist_members.py``. Only files and directories
are created: a link to a file in the archive becomes a copy.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zipfile
import zlib
from typing import IO, TYPE_CHECKING

from polylock.cache.regular_files import WholeFile
from polylock.errors import CacheUnusable, FileCorrupt
from polylock.model.archive_checks import BoundedStream, RefusedArchive
from polylock.model.sdist_members import (
    SDIST_LIMITS,
    SdistLimits,
    SdistMember,
    SdistMembers,
    member_of_tar,
    member_of_zip,
    tar_headers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["unpack_sdist"]

_CHUNK = 1 << 20
_EARLIEST = 315619200
"""1980-01-02 in seconds since 1970 UTC: a wheel is a zip file, which has no earlier
times, and some backends fail on one."""
_LATEST = 2**32 - 1


def unpack_sdist(
    path: Path, directory: Path, *, filename: str, limits: SdistLimits = SDIST_LIMITS
) -> Path:
    """Unpack a ``.tar.gz`` or ``.zip`` and return its one top directory.

    ``directory`` must be empty or missing; ``filename`` is the archive's own name,
    which ``path`` need not have. Times and executable bits are kept. Raises FileCorrupt
    for content that a source distribution must not have, CacheUnusable if the directory
    cannot be written; then the caller removes the directory.
    """
    try:
        size = path.stat().st_size
        directory.mkdir(parents=True, exist_ok=True)
        members = SdistMembers(archive_size=size, limits=limits)
        read = _zip_members if filename.endswith(".zip") else _tar_members
        for member, stream in read(path, limits):
            members.add(member)
            _write(directory, member, stream)
        top, links = members.finish()
        for link, source in links.items():
            (directory / link).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(directory / source, directory / link)
        return directory / top
    except RefusedArchive as error:
        raise FileCorrupt(filename, str(error)) from error
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        gzip.BadGzipFile,
        zlib.error,
        EOFError,
        RuntimeError,  # tarfile recurses into header after header
        ValueError,  # a number or a name that cannot be decoded
        OverflowError,  # a number that is too large for a file
    ) as error:
        raise FileCorrupt(filename, f"the archive is damaged: {error}") from error
    except OSError as error:
        raise CacheUnusable(str(directory), error.strerror or str(error)) from error


def _write(directory: Path, member: SdistMember, stream: IO[bytes] | None) -> None:
    """Write a member; links are copied once all files are there."""
    target = directory / member.path
    if member.is_directory:
        target.mkdir(parents=True, exist_ok=True)
    if stream is None:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o777 if member.is_executable else 0o666
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    written = 0
    with open(os.open(target, flags, mode), "wb") as file:  # noqa: PTH123 - a descriptor
        while chunk := stream.read(_CHUNK):
            written += len(chunk)
            if written > member.size:
                break
            file.write(chunk)
    if written != member.size:
        raise RefusedArchive(f"member {member.path!a} has not the size in its header")
    if member.time is not None:
        time = min(max(member.time, _EARLIEST), _LATEST)
        os.utime(target, (time, time))


def _tar_members(
    path: Path, limits: SdistLimits
) -> Iterator[tuple[SdistMember, IO[bytes] | None]]:
    """Yield the members of a tar, with a stream of those that are files."""
    largest = limits.stream_size(path.stat().st_size)
    with (
        gzip.open(path, "rb") as stream,
        tarfile.open(
            fileobj=BoundedStream(stream, at_once=limits.read_size, in_all=largest),  # type: ignore[call-overload]  # has all that reading needs
            mode="r:",
        ) as archive,
    ):
        for info in tar_headers(archive, limits):
            member = member_of_tar(info)
            if member is not None:
                yield member, archive.extractfile(info) if info.isreg() else None


def _zip_members(
    path: Path, limits: SdistLimits
) -> Iterator[tuple[SdistMember, IO[bytes] | None]]:
    """Yield the members of a zip, with a stream of those that are files."""
    with WholeFile(path) as file, zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        if len(infos) > limits.members:
            raise RefusedArchive(f"it has more than {limits.members} members")
        for info in infos:
            member = member_of_zip(info)
            if member.is_directory:
                yield member, None
                continue
            with archive.open(info) as stream:
                yield member, stream
