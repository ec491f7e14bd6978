"""The members of a source distribution by their headers: which may be unpacked.

Both who locks a source distribution and who unpacks it ask here, so that what is locked
can be built. ``tarfile``'s data filter (PEP 706) checks each member by itself and is
missing in the first patch releases of Python 3.11; the rules here consider all members,
and are the same on every Python.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from polylock.model.archive_checks import MemberNames, RefusedArchive
from polylock.values import Mutable, Value, field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from tarfile import TarFile, TarInfo
    from zipfile import ZipInfo

__all__ = [
    "SDIST_LIMITS",
    "SdistLimits",
    "SdistMember",
    "SdistMembers",
    "member_of_tar",
    "member_of_zip",
    "tar_headers",
]

_ENCRYPTED = 0x1
_READ_METHODS = frozenset({0, 8})  # stored and deflated
_BLOCK = 512


class SdistLimits(Value, frozen=True, kw_only=True):
    """Limits on the content of a source distribution (sizes in bytes).

    The largest ones on public indexes unpack to about a gibibyte. ``ratio`` applies
    only above ``free_size``. ``read_size`` limits a single read: a tar header may
    announce a name of any length. ``headers`` are the pax headers that apply to one
    member: ``tarfile`` copies those that apply to all for each member.
    """

    members: int = 200_000
    total_size: int = 8 * 1024**3
    ratio: int = 100
    free_size: int = 256 * 1024**2
    read_size: int = 4 * 1024**2
    headers: int = 1_000

    def content_size(self, archive_size: int) -> int:
        """Return the maximum size of all members together."""
        by_ratio = max(self.free_size, self.ratio * archive_size)
        return min(self.total_size, by_ratio)

    def stream_size(self, archive_size: int) -> int:
        """Return the maximum size of a tar: its members, headers and padding."""
        return self.content_size(archive_size) + 4 * _BLOCK * self.members


SDIST_LIMITS = SdistLimits()


class SdistMember(Value, frozen=True, kw_only=True):
    """What the header of a member says.

    ``link`` is the target of a link, as a path in the archive. ``size`` is that of a
    file. ``time`` is in seconds since 1970 UTC, None if unknown.
    """

    path: str
    is_directory: bool = False
    link: str | None = None
    size: int = 0
    is_executable: bool = False
    time: float | None = None


class SdistMembers(Mutable, kw_only=True):
    """The members of one source distribution so far.

    ``archive_size`` is None if only a part of the archive is known; then the ratio is
    not checked.
    """

    archive_size: int | None
    limits: SdistLimits = SDIST_LIMITS
    names: MemberNames = field(default_factory=MemberNames)
    _files: dict[str, int] = field(default_factory=dict)
    _links: dict[str, str] = field(default_factory=dict)
    _tops: set[str] = field(default_factory=set)
    _count: int = 0
    _size: int = 0

    def add(self, member: SdistMember) -> None:
        """Add a member; raises RefusedArchive."""
        self._count += 1
        if self._count > self.limits.members:
            raise RefusedArchive(f"it has more than {self.limits.members} members")
        path = member.path
        self.names.add(path, is_directory=member.is_directory)
        top, slash, _ = path.partition("/")
        self._tops.add(top)
        if not (slash or member.is_directory):
            raise RefusedArchive(f"member {top!a} is outside of a top directory")
        if member.link is not None:
            self._links[path] = member.link
        elif not member.is_directory:
            self._add_size(member.size)
            self._files[path] = member.size

    def finish(self) -> tuple[str, dict[str, str]]:
        """Return the one top directory, and the file that each link leads to.

        Raises RefusedArchive for a link that leads to no file.
        """
        found: dict[str, str] = {}
        for path in self._links:
            chain = [path]
            # A link that was followed is not followed again, or a chain of them would
            # take time by the square of its length.
            while (last := chain[-1]) not in found and last in self._links:
                if len(chain) > len(self._links):
                    break
                chain.append(self._links[last])
            source = found.get(chain[-1], chain[-1])
            if source not in self._files:
                raise RefusedArchive(f"member {path!a} is a link to a missing file")
            for each in chain:
                if each in self._links:
                    found[each] = source
            self._add_size(self._files[source])
        if len(self._tops) != 1:
            raise RefusedArchive("it does not have exactly one top directory")
        (top,) = self._tops
        return top, found

    def _add_size(self, size: int) -> None:
        """Add to the size; raises RefusedArchive above a limit."""
        self._size += size
        limits, packed = self.limits, self.archive_size
        if self._size > limits.total_size:
            raise RefusedArchive(f"it unpacks to more than {limits.total_size} bytes")
        if packed is not None and self._size > (most := limits.content_size(packed)):
            raise RefusedArchive(f"it unpacks to more than {most} bytes from {packed}")


def tar_headers(archive: TarFile, limits: SdistLimits) -> Iterator[TarInfo]:
    """Yield the header of each member; ``archive`` forgets it afterwards.

    Raises RefusedArchive for too many pax headers, and what ``tarfile`` raises.
    """
    while (info := archive.next()) is not None:
        if len(info.pax_headers) > limits.headers:
            raise RefusedArchive(
                f"member {info.name[:255]!a} has more than {limits.headers} headers"
            )
        yield info
        archive.members.clear()  # type: ignore[attr-defined]  # not in typeshed


def member_of_tar(info: TarInfo) -> SdistMember | None:
    """Return a member of a tar, None for the directory ``.``; raises RefusedArchive."""
    name = info.name.removeprefix("./")
    if name == "." and info.isdir():
        return None
    is_link = info.issym() or info.islnk()
    if info.issparse() or not (info.isreg() or info.isdir() or is_link):
        raise RefusedArchive(f"member {name!a} is neither a file nor a directory")
    if info.size < 0:  # ``tarfile`` would seek back and repeat members
        raise RefusedArchive(f"member {name!a} has a negative size")
    return SdistMember(
        path=name,
        is_directory=info.isdir(),
        link=_link_target(info, name) if is_link else None,
        size=info.size if info.isreg() else 0,
        is_executable=bool(info.mode & 0o111),
        time=float(info.mtime),
    )


def member_of_zip(info: ZipInfo) -> SdistMember:
    """Return a member of a zip; raises RefusedArchive, also for any link."""
    # zipfile changes some names in ``filename``.
    name = info.orig_filename
    is_directory = name.endswith("/")
    kind = stat.S_IFMT(info.external_attr >> 16)
    allowed = {0, stat.S_IFDIR if is_directory else stat.S_IFREG}
    if kind not in allowed or info.flag_bits & _ENCRYPTED:
        raise RefusedArchive(f"member {name!a} is neither a plain file nor a directory")
    if info.compress_type not in _READ_METHODS:
        raise RefusedArchive(
            f"member {name!a} uses a compression method that is not supported"
        )
    return SdistMember(
        path=name.removesuffix("/"),
        is_directory=is_directory,
        size=0 if is_directory else info.file_size,
        is_executable=bool((info.external_attr >> 16) & 0o111),
    )


def _link_target(info: TarInfo, name: str) -> str:
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
