"""Which members of a wheel may be unpacked.

``zipfile`` quietly repairs hostile names; here they are refused, see
``polylock.model.member_names``.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from polylock.model.member_names import MemberNames, RefusedArchive
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zipfile import ZipInfo

__all__ = ["LIMITS", "Limits", "check_members"]

_ENCRYPTED = 0x1
_GIBIBYTE = 1024**3


class Limits(Value, frozen=True, kw_only=True):
    """What an archive may hold (sizes in bytes).

    The largest wheels today, of torch and of compiled CUDA kernels, unpack to a few
    gibibytes at a ratio below 10, and none has 100,000 members. A ratio counts only
    above ``free_size``: small archives of zeros exist and do no harm.
    """

    members: int = 500_000
    total_size: int = 64 * _GIBIBYTE
    ratio: int = 100
    free_size: int = _GIBIBYTE
    metadata_size: int = 64 * 1024**2
    """Of RECORD, METADATA, WHEEL and entry_points.txt each: these are read whole."""


LIMITS = Limits()


def check_members(
    infos: Sequence[ZipInfo], archive_size: int, limits: Limits = LIMITS
) -> list[ZipInfo]:
    """Return the members that are files, in archive order.

    Refuses what is no plain file or directory, two members of one place, names that
    differ only in case or Unicode form (one file on macOS and Windows), members that
    share bytes, and more than the limits allow. Raises RefusedArchive.
    """
    if len(infos) > limits.members:
        raise RefusedArchive(f"it has more than {limits.members} members")
    files: list[ZipInfo] = []
    names = MemberNames()
    for info in infos:
        # ``filename`` is what zipfile made of the name.
        name = info.orig_filename
        is_directory = name.endswith("/")
        path = name[:-1] if is_directory else name
        names.add(path, is_directory=is_directory)
        _check_kind(info, is_directory=is_directory)
        if not is_directory:
            files.append(info)
    _check_sizes(files, archive_size, limits)
    return files


def _check_kind(info: ZipInfo, *, is_directory: bool) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    allowed = {0, stat.S_IFDIR} if is_directory else {0, stat.S_IFREG}
    shown = ascii(info.orig_filename)
    if kind == stat.S_IFLNK:
        raise RefusedArchive(f"member {shown} is a symbolic link")
    if kind not in allowed:
        raise RefusedArchive(f"member {shown} is neither a file nor a directory")
    if info.flag_bits & _ENCRYPTED:
        raise RefusedArchive(f"member {shown} is encrypted")
    if is_directory and info.file_size:
        raise RefusedArchive(f"member {shown} is a directory with content")


def _check_sizes(files: Sequence[ZipInfo], archive_size: int, limits: Limits) -> None:
    total = sum(info.file_size for info in files)
    if total > limits.total_size:
        raise RefusedArchive(f"it unpacks to more than {limits.total_size} bytes")
    if total > limits.free_size and total > limits.ratio * archive_size:
        raise RefusedArchive(f"it unpacks to {total} bytes from {archive_size}")
    end = 0
    for info in sorted(files, key=lambda info: info.header_offset):
        # Members on top of each other are how a small archive unpacks to terabytes.
        if info.header_offset < end:
            raise RefusedArchive(f"member {info.orig_filename!a} overlaps another")
        end = info.header_offset + _HEADER_SIZE + info.compress_size


_HEADER_SIZE = 30  # of the local header without name and extra field
