"""Which members of a wheel may be unpacked: names that stay in their place.

``zipfile`` quietly repairs hostile names; here they are refused, the same ones on
every operating system. Names that only Windows reserves (``aux.h`` is common in
headers for Linux) are refused on Windows.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zipfile import ZipInfo

__all__ = ["LIMITS", "Limits", "RefusedArchive", "check_members", "check_path"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_RESERVED = re.compile(
    r"(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\..*)?",
    re.IGNORECASE,
)
_ENCRYPTED = 0x1
_GIBIBYTE = 1024**3


class RefusedArchive(ValueError):
    """An archive that must not be unpacked; the text is a clause with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
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


def check_path(path: str, *, windows: bool = os.name == "nt") -> None:
    """Refuse a path that leaves its directory, or may do so on some system.

    Raises RefusedArchive.
    """
    shown = ascii(path)
    if not path:
        raise RefusedArchive("a member has no name")
    if _CONTROL.search(path):
        raise RefusedArchive(f"member {shown} has a control character in its name")
    if "\\" in path:
        raise RefusedArchive(f"member {shown} has a backslash in its name")
    if path.startswith("/"):
        raise RefusedArchive(f"member {shown} has an absolute path")
    for part in path.split("/"):
        if part == "..":
            raise RefusedArchive(f"member {shown} leaves its directory")
        if part in {"", "."}:
            raise RefusedArchive(f"member {shown} has an empty part in its name")
        if _DRIVE.match(part):
            raise RefusedArchive(f"member {shown} names a drive")
        if windows and (_RESERVED.fullmatch(part) or part[-1] in ". " or ":" in part):
            raise RefusedArchive(f"member {shown} has a name that Windows reserves")


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
    spellings: dict[str, str] = {}
    kinds: dict[str, bool] = {}
    for info in infos:
        # ``filename`` is what zipfile made of the name.
        name = info.orig_filename
        is_directory = name.endswith("/")
        path = name[:-1] if is_directory else name
        check_path(path)
        _check_kind(info, is_directory=is_directory)
        if path in kinds and not (is_directory and kinds[path]):
            raise RefusedArchive(f"member {path!a} is there twice")
        _check_spelling(path, spellings)
        _add_kinds(path, kinds, is_directory=is_directory)
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


def _check_spelling(path: str, spellings: dict[str, str]) -> None:
    """Refuse a path whose every-system form is that of another path or directory."""
    while path:
        folded = unicodedata.normalize("NFC", path).casefold()
        other = spellings.get(folded)
        if other == path:
            return  # its parents have been seen as well
        spellings[folded] = path
        if other is not None:
            raise RefusedArchive(f"members {other!a} and {path!a} differ only in case")
        path = path.rpartition("/")[0]


def _add_kinds(path: str, kinds: dict[str, bool], *, is_directory: bool) -> None:
    """Note what is a directory, and refuse a path that is that and a file."""
    kinds[path] = is_directory
    parent = path.rpartition("/")[0]
    while parent:
        known = kinds.setdefault(parent, True)
        if not known:
            raise RefusedArchive(f"member {parent!a} is a file and a directory")
        parent = parent.rpartition("/")[0]


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
