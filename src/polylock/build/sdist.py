"""Unpacks a source distribution (PEP 625) and checks every member.

``tarfile``'s data filter (PEP 706) checks each member by itself and is missing in the
first patch releases of Python 3.11; the checks here consider all members, and are the
same on every Python. Only files and directories are created: a link to a file in the
archive becomes a copy, any other link is refused.
"""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from typing import IO, TYPE_CHECKING

from polylock.cache.regular_files import WholeFile
from polylock.errors import CacheUnusable, FileCorrupt
from polylock.model.archive_checks import BoundedStream, MemberNames, RefusedArchive
from polylock.values import Mutable, Value, field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["SDIST_LIMITS", "SdistLimits", "unpack_sdist"]

_CHUNK = 1 << 20
_ENCRYPTED = 0x1
_EARLIEST = 315619200
"""1980-01-02 in seconds since 1970 UTC: a wheel is a zip file, which has no earlier
times, and some backends fail on one."""
_LATEST = 2**32 - 1


class SdistLimits(Value, frozen=True, kw_only=True):
    """Limits on the content of a source distribution (sizes in bytes).

    The largest ones on public indexes unpack to about a gibibyte. ``ratio`` applies
    only above ``free_size``. ``read_size`` bounds a single read: a tar header may
    announce a name of any length.
    """

    members: int = 200_000
    total_size: int = 8 * 1024**3
    ratio: int = 100
    free_size: int = 256 * 1024**2
    read_size: int = 4 * 1024**2


SDIST_LIMITS = SdistLimits()


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
        unpacking = _Unpacking(directory, limits, archive_size=size)
        read = _zip_members if filename.endswith(".zip") else _tar_members
        for member in read(path, limits):
            unpacking.add(member)
        return unpacking.finish()
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


class _Member(Value, frozen=True, kw_only=True):
    """A member of an archive.

    ``stream`` is None for a directory or a link; ``link`` is the target of a link, as a
    path in the archive. ``time`` is in seconds since 1970 UTC, None if unknown.
    """

    path: str
    stream: IO[bytes] | None = None
    link: str | None = None
    is_executable: bool = False
    time: float | None = None


class _Unpacking(Mutable):
    """One archive being unpacked under ``directory``."""

    directory: Path
    limits: SdistLimits
    archive_size: int
    names: MemberNames = field(default_factory=MemberNames)
    links: dict[str, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    tops: set[str] = field(default_factory=set)
    count: int = 0
    size: int = 0

    def add(self, member: _Member) -> None:
        """Write a member; links are kept for ``finish``."""
        self.count += 1
        if self.count > self.limits.members:
            raise RefusedArchive(f"it has more than {self.limits.members} members")
        is_directory = member.stream is None and member.link is None
        self.names.add(member.path, is_directory=is_directory)
        top, slash, _ = member.path.partition("/")
        self.tops.add(top)
        if not (slash or is_directory):
            raise RefusedArchive(f"member {top!a} is outside of a top directory")
        target = self.directory / member.path
        if is_directory:
            target.mkdir(parents=True, exist_ok=True)
        elif member.link is not None:
            self.links[member.path] = member.link
        else:
            assert member.stream is not None  # neither a directory nor a link
            self._write(target, member, member.stream)
            self.files.add(member.path)

    def finish(self) -> Path:
        """Copy the targets of links; return the top directory."""
        for path in self.links:
            source = path
            for _ in range(len(self.links)):
                if source not in self.links:
                    break
                source = self.links[source]
            if source not in self.files:
                raise RefusedArchive(f"member {path!a} is a link to a missing file")
            self._account((self.directory / source).stat().st_size)
            (self.directory / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.directory / source, self.directory / path)
        if len(self.tops) != 1:
            raise RefusedArchive("it does not have exactly one top directory")
        (top,) = self.tops
        return self.directory / top

    def _write(self, target: Path, member: _Member, stream: IO[bytes]) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = 0o777 if member.is_executable else 0o666
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(target, flags, mode), "wb") as file:  # noqa: PTH123 - a descriptor
            while chunk := stream.read(_CHUNK):
                self._account(len(chunk))
                file.write(chunk)
        if member.time is not None:
            time = min(max(member.time, _EARLIEST), _LATEST)
            os.utime(target, (time, time))

    def _account(self, count: int) -> None:
        """Add to the size; raises RefusedArchive above a limit."""
        self.size += count
        limits = self.limits
        if self.size > limits.total_size:
            raise RefusedArchive(f"it unpacks to more than {limits.total_size} bytes")
        allowed = max(limits.free_size, limits.ratio * self.archive_size)
        if self.size > allowed:
            raise RefusedArchive(
                f"it unpacks to more than {allowed} bytes from {self.archive_size}"
            )


def _tar_members(path: Path, limits: SdistLimits) -> Iterator[_Member]:
    with (
        gzip.open(path, "rb") as stream,
        tarfile.open(
            fileobj=BoundedStream(
                stream, at_once=limits.read_size, in_all=limits.total_size
            ),  # type: ignore[call-overload]  # has all that reading needs
            mode="r:",
        ) as archive,
    ):
        for info in archive:
            name = info.name.removeprefix("./")
            if name == "." and info.isdir():
                continue
            if info.issparse() or not (info.isreg() or info.isdir() or _is_link(info)):
                raise RefusedArchive(
                    f"member {name!a} is neither a file nor a directory"
                )
            if info.size < 0:  # ``tarfile`` would seek back and repeat members
                raise RefusedArchive(f"member {name!a} has a negative size")
            yield _Member(
                path=name,
                stream=archive.extractfile(info) if info.isreg() else None,
                link=_link_target(info, name) if _is_link(info) else None,
                is_executable=bool(info.mode & 0o111),
                time=float(info.mtime),
            )


def _is_link(info: tarfile.TarInfo) -> bool:
    return info.issym() or info.islnk()


def _link_target(info: tarfile.TarInfo, name: str) -> str:
    """Return the target of a link as a path in the archive.

    That of a hard link is such a path; that of a symbolic link is relative to its own
    directory.
    """
    if info.islnk():
        return info.linkname.removeprefix("./")
    parts = name.split("/")[:-1]
    for part in info.linkname.split("/"):
        if part == "..":
            if not parts:
                raise RefusedArchive(f"member {name!a} is a link out of the archive")
            parts.pop()
        elif part != ".":
            parts.append(part)  # an absolute path has an empty part, so no file matches
    return "/".join(parts)


def _zip_members(path: Path, limits: SdistLimits) -> Iterator[_Member]:
    with WholeFile(path) as file, zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        if len(infos) > limits.members:
            raise RefusedArchive(f"it has more than {limits.members} members")
        for info in infos:
            # zipfile changes some names in ``filename``.
            name = info.orig_filename
            is_directory = name.endswith("/")
            kind = stat.S_IFMT(info.external_attr >> 16)
            allowed = {0, stat.S_IFDIR if is_directory else stat.S_IFREG}
            if kind not in allowed or info.flag_bits & _ENCRYPTED:
                raise RefusedArchive(
                    f"member {name!a} is neither a plain file nor a directory"
                )
            if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise RefusedArchive(
                    f"member {name!a} uses a compression method that is not supported"
                )
            executable = bool((info.external_attr >> 16) & 0o111)
            if is_directory:
                yield _Member(path=name.removesuffix("/"))
                continue
            with archive.open(info) as stream:
                yield _Member(path=name, stream=stream, is_executable=executable)
