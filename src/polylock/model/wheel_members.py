"""The members of a wheel by its central directory: which are installed, and where.

Both who locks a wheel and who installs it ask here, so that what is locked can be
installed. Refused is what is dangerous: a place outside, two contents for one place, a
second ``.dist-info``, a file of the environment itself, a bomb. What is merely wrong is
a fault, and is repaired.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from polylock.model.archive_checks import WINDOWS, MemberNames, RefusedArchive
from polylock.model.own_names import replaced_by_data
from polylock.model.wheel_faults import Fault, FaultKind
from polylock.model.zip_content import is_readable
from polylock.values import Mutable, Value, field

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from zipfile import ZipInfo

    from polylock.model.filenames import WheelFilename

__all__ = [
    "LIMITS",
    "Limits",
    "WheelMembers",
    "data_place",
    "is_executable",
    "is_release",
    "is_same_release",
    "normal_path",
    "wheel_members",
]

_ENCRYPTED = 0x1
_GIBIBYTE = 1024**3
_HEADER_SIZE = 30  # bytes of the local header without name and extra field
_DATA_KEYS = frozenset({"purelib", "platlib", "scripts", "headers", "data"})
_INFO = ".dist-info"
_SITE_KEYS = frozenset({"purelib", "platlib"})


class Limits(Value, frozen=True, kw_only=True):
    """Limits for the content of an archive (sizes in bytes).

    The largest wheels today, of torch and of compiled CUDA kernels, unpack to a few
    gibibytes at a ratio below 10, and none has 100,000 members. The ratio is checked
    only above ``free_size``: small archives of zeros exist and do no harm.
    """

    members: int = 500_000
    total_size: int = 64 * _GIBIBYTE
    ratio: int = 100
    free_size: int = _GIBIBYTE
    metadata_size: int = 64 * 1024**2
    """For RECORD, METADATA, WHEEL and entry_points.txt, which are read into memory."""


LIMITS = Limits()


class WheelMembers(Mutable, kw_only=True):
    """The members of a wheel that are files, by their normal paths in archive order.

    ``stem`` is ``name-version`` as the one ``.dist-info`` spells it. ``copies`` are
    further members of a path that have the size and the CRC of the one that counts, the
    last. ``clash`` are two paths that are one on macOS or Windows, None without any.
    """

    stem: str = ""
    files: dict[str, ZipInfo] = field(default_factory=dict)
    copies: list[tuple[str, ZipInfo]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    clash: tuple[str, str] | None = None


def wheel_members(
    infos: Sequence[ZipInfo],
    wheel: WheelFilename,
    archive_size: int,
    limits: Limits = LIMITS,
    *,
    windows: bool = WINDOWS,
) -> WheelMembers:
    """Return the files of a wheel; ``wheel`` is its name, ``archive_size`` in bytes.

    With ``windows`` names that Windows reserves are refused as well. Raises
    RefusedArchive.
    """
    if len(infos) > limits.members:
        raise RefusedArchive(f"it has more than {limits.members} members")
    found = WheelMembers()
    names = MemberNames(tells_case=True, windows=windows)
    for info in infos:
        _add(info, names, found)
    _check_sizes(infos, archive_size, limits)
    found.clash = names.clash
    tops = {path.partition("/")[0] for path in found.files if "/" in path}
    found.stem = _find_stem(tops, wheel)
    _check_info(found, limits)
    for path, info in found.files.items():
        if not is_readable(info):
            raise RefusedArchive(f"member {path!a} is packed in an unknown way")
        if path.startswith(f"{found.stem}.data/"):
            data_place(path)
    return found


def normal_path(path: str) -> str:
    """Return a relative path without parts that say nothing: ``a/./b``, ``a//b``."""
    if "//" not in path and "./" not in path and not path.endswith("/."):
        return path
    start = "/" if path.startswith("/") else ""
    parts = (part for part in path.split("/") if part not in {"", "."})
    return start + "/".join(parts)


def is_executable(info: ZipInfo) -> bool:
    """Return True if a member is a file that has the executable bit."""
    mode = info.external_attr >> 16
    return stat.S_IFMT(mode) in {0, stat.S_IFREG} and bool(mode & 0o111)


def is_release(name: str, version: str, wheel: WheelFilename) -> bool:
    """Return True if name and version are those of a wheel's file name."""
    return is_same_release((name, version), (wheel.name, wheel.version))


def is_same_release(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Return True if two names and versions mean one release, however spelled."""
    return canonicalize_name(one[0]) == canonicalize_name(other[0]) and _same(
        one[1], other[1]
    )


def data_place(path: str) -> tuple[str, str]:
    """Return the scheme key of a path under ``.data``, and the path relative to it.

    Raises RefusedArchive.
    """
    _, key, *rest = path.split("/", 2)
    if key not in _DATA_KEYS or not rest:
        raise RefusedArchive(f"{path!a} is in no installation scheme of PEP 427")
    top = rest[0].partition("/")[0]
    if key in _SITE_KEYS and top.casefold().endswith(".dist-info"):
        raise RefusedArchive(f"{path!a} would be part of a .dist-info")
    replaced = replaced_by_data(key, rest[0])
    if replaced is not None:
        raise RefusedArchive(f"{path!a} would replace {replaced} of the environment")
    return key, rest[0]


def _add(info: ZipInfo, names: MemberNames, found: WheelMembers) -> None:
    """Take in one member."""
    # ``filename`` is the name as repaired by zipfile.
    name = info.orig_filename
    if info.flag_bits & _ENCRYPTED:
        raise RefusedArchive(f"member {name!a} is encrypted")
    if name.endswith("/"):
        path = normal_path(name.rstrip("/"))
        if path not in {"", "."}:
            names.add(path, is_directory=True)
        if info.file_size:
            found.faults.append(Fault(FaultKind.CONTENT, name))
        return
    path = normal_path(name)
    if path != name:
        found.faults.append(Fault(FaultKind.SPELLING, name))
    if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:
        found.faults.append(Fault(FaultKind.SPECIAL, name))
    other = found.files.pop(path, None)
    if other is None:
        names.add(path, is_directory=False)
    else:
        if (other.file_size, other.CRC) != (info.file_size, info.CRC):
            raise RefusedArchive(f"member {path!a} is there twice, and differs")
        found.faults.append(Fault(FaultKind.TWICE, path))
        found.copies.append((path, other))
    found.files[path] = info


def _check_sizes(infos: Iterable[ZipInfo], archive_size: int, limits: Limits) -> None:
    infos = sorted(infos, key=lambda info: info.header_offset)
    total = sum(info.file_size for info in infos)
    if total > limits.total_size:
        raise RefusedArchive(f"it unpacks to more than {limits.total_size} bytes")
    if total > limits.free_size and total > limits.ratio * archive_size:
        raise RefusedArchive(f"it unpacks to {total} bytes from {archive_size}")
    end = 0
    for info in infos:
        # With overlapping members a small archive can unpack to terabytes.
        if info.header_offset < end:
            raise RefusedArchive(f"member {info.orig_filename!a} overlaps another")
        end = info.header_offset + _HEADER_SIZE + info.compress_size


def _find_stem(tops: Collection[str], wheel: WheelFilename) -> str:
    """Return the stem of the one ``.dist-info``; it must be the file name's."""
    stems = [top[: -len(_INFO)] for top in tops if top.casefold().endswith(_INFO)]
    if len(stems) != 1:
        raise RefusedArchive(f"it has {len(stems)} .dist-info directories, not one")
    (stem,) = stems
    name, _, version = stem.rpartition("-")
    if not is_release(name, version, wheel):
        raise RefusedArchive(f"its {stem}.dist-info has another name or version")
    for top in sorted(tops):
        if top.endswith(".data") and top != f"{stem}.data":
            other = canonicalize_name(top[: -len(".data")].rpartition("-")[0])
            if other == wheel.name:
                raise RefusedArchive(f"its {top} is not {stem}.data")
    return stem


def _check_info(found: WheelMembers, limits: Limits) -> None:
    """Refuse a wheel without one of the files that make it one."""
    for name in ("WHEEL", "METADATA", "RECORD", "entry_points.txt"):
        info = found.files.get(f"{found.stem}.dist-info/{name}")
        if info is None and name != "entry_points.txt":
            raise RefusedArchive(f"{found.stem}.dist-info/{name} is missing")
        if info is not None and info.file_size > limits.metadata_size:
            path = f"{found.stem}.dist-info/{name}"
            raise RefusedArchive(f"{path} is larger than any such file")


def _same(left: str, right: str) -> bool:
    try:
        return Version(left.replace("_", "-")) == Version(right.replace("_", "-"))
    except InvalidVersion:
        return left == right
