"""Unpack a wheel into an archive in the cache and verify every file (PEP 427).

Memory does not grow with the wheel: large members are streamed in chunks and hashed as
they are written. Most wheels are thousands of small files, which ``zipfile`` takes
longer to open as a stream than zlib to unpack. So small members are read in one piece,
with the checks of ``zipfile``: the name in the local header, the size and the CRC.
``zipfile`` reads all unusual members.

``zipfile`` silently repairs hostile names; here they are refused, see
``polylock.model.member_names``.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
import struct
import time
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from polylock.errors import CacheUnusable, FileCorrupt
from polylock.installation.archive import (
    MANIFEST,
    TREE,
    ArchiveManifest,
    DataFile,
    EntryPoint,
    manifest_bytes,
)
from polylock.installation.record import (
    InvalidRecord,
    RecordRow,
    format_rows,
    parse_rows,
)
from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.model.member_names import MemberNames, RefusedArchive, check_path
from polylock.values import Mutable, Value, field

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from hashlib import _Hash as Hash
    from pathlib import Path
    from zipfile import ZipInfo

__all__ = [
    "MOST",
    "Limits",
    "check_members",
    "header",
    "is_small",
    "parse_entry_points",
    "parse_wheel_file",
    "read_small",
    "unpack",
]

_WHEEL_MAJOR = "1"
_OBJECT = re.compile(
    r"(?P<module>[^\s:\[]+)\s*:\s*(?P<attribute>[^\s\[]+)\s*(?:\[.*\])?\s*"
)
_SECTIONS = {"console_scripts": False, "gui_scripts": True}


def header(text: str, name: str) -> str | None:
    """Return the first mail header of a name in a text, or None.

    The mail parser of the standard library takes 20 times as long, for folding and
    charsets that METADATA and WHEEL do not use in the headers read here.
    """
    wanted = name.lower()
    for line in text.splitlines():
        if not line.strip():
            break
        key, colon, value = line.partition(":")
        if colon and key.strip().lower() == wanted:
            return value.strip()
    return None


def parse_wheel_file(text: str) -> bool:
    """Return whether the root goes to purelib, and check the version of the format.

    Raises RefusedArchive for a major version other than 1 (PEP 427, "a wheel
    installer should … abort if the major version is greater").
    """
    version = header(text, "Wheel-Version")
    if version is None:
        raise RefusedArchive("WHEEL names no Wheel-Version")
    if version.partition(".")[0] != _WHEEL_MAJOR:
        raise RefusedArchive(f"its Wheel-Version is {version}, not 1.x")
    return (header(text, "Root-Is-Purelib") or "").lower() == "true"


def parse_entry_points(text: str) -> Iterator[EntryPoint]:
    """Yield the console and GUI scripts of entry_points.txt.

    Names become file names and objects become Python code, so both are checked.
    Raises RefusedArchive.
    """
    from configparser import Error, RawConfigParser  # noqa: PLC0415 - only to unpack

    parser = RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # its documented use
    try:
        parser.read_string(text)
    except Error as error:
        problem = str(error).partition("\n")[0]
        raise RefusedArchive(f"entry_points.txt cannot be read: {problem}") from error
    for section, is_gui in _SECTIONS.items():
        if parser.has_section(section):
            for name, value in parser.items(section):
                yield _entry_point(name, value, is_gui=is_gui)


def _entry_point(name: str, value: str, *, is_gui: bool) -> EntryPoint:
    check_path(name)
    if "/" in name:
        raise RefusedArchive(f"entry point {name!a} is not a file name")
    match = _OBJECT.fullmatch(value)
    if match is None or not all(
        part.isidentifier()
        for group in match.groupdict().values()
        for part in group.split(".")
    ):
        raise RefusedArchive(
            f"entry point {name!a} calls {value!a}, which is not module:object"
        )
    return EntryPoint(name, match["module"], match["attribute"], is_gui)


_ENCRYPTED = 0x1
_GIBIBYTE = 1024**3


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


def check_members(
    infos: Sequence[ZipInfo], archive_size: int, limits: Limits = LIMITS
) -> list[ZipInfo]:
    """Return the members that are files, in archive order.

    Raises RefusedArchive for a member that is not a plain file or directory, two
    members of the same path, names that differ only in case or Unicode form (one file
    on macOS and Windows), members that share bytes, and archives beyond the limits.
    """
    if len(infos) > limits.members:
        raise RefusedArchive(f"it has more than {limits.members} members")
    files: list[ZipInfo] = []
    names = MemberNames()
    for info in infos:
        # ``filename`` is the name as repaired by zipfile.
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
        # With overlapping members a small archive can unpack to terabytes.
        if info.header_offset < end:
            raise RefusedArchive(f"member {info.orig_filename!a} overlaps another")
        end = info.header_offset + _HEADER_SIZE + info.compress_size


_HEADER_SIZE = 30  # bytes of the local header without name and extra field


MOST = 1024 * 1024
"""The maximum size in bytes of a small member, which is read in one piece."""

_HEADER = struct.Struct("<4s22xHH")  # signature, length of name, length of extra field
_SIGNATURE = b"PK\x03\x04"
_UTF8 = 0x800
_ORDINARY = _UTF8 | 0x8 | 0x6  # sizes after the data, and the level of compression


def is_small(info: zipfile.ZipInfo) -> bool:
    """Return whether ``read_small`` can read a member."""
    return (
        info.file_size <= MOST
        and info.compress_size <= MOST
        and not info.flag_bits & ~_ORDINARY
        and info.compress_type in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
    )


def read_small(file: BinaryIO, info: zipfile.ZipInfo) -> bytes:
    """Return the content of a small member of the archive in ``file``.

    Raises RefusedArchive if the member does not match the archive's central directory,
    zipfile.BadZipFile and zlib.error if it is damaged.
    """
    file.seek(info.header_offset)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise zipfile.BadZipFile("it is truncated")
    signature, name_length, extra_length = _HEADER.unpack(header)
    name = file.read(name_length + extra_length)[:name_length]
    encoding = "utf-8" if info.flag_bits & _UTF8 else "cp437"
    if signature != _SIGNATURE or name != info.orig_filename.encode(encoding):
        raise RefusedArchive(
            f"the local header of member {info.orig_filename!a} names another file"
        )
    packed = file.read(info.compress_size)
    if info.compress_type == zipfile.ZIP_STORED:
        content = packed
    else:
        # One byte more than the stated size shows that there is more.
        content = zlib.decompressobj(-15).decompress(packed, info.file_size + 1)
    if len(content) != info.file_size:
        raise RefusedArchive(
            f"member {info.orig_filename!a} does not have its stated size"
        )
    if zlib.crc32(content) != info.CRC:
        raise zipfile.BadZipFile(f"bad CRC-32 of {info.orig_filename!a}")
    return content


_CHUNK = 1024 * 1024
_BUFFER = 128 * 1024
_NEW_HASH = {
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}
"""PEP 427: "sha256 or better"; MD5, SHA-1 and SHA-224 are ruled out by name."""

_DATA_KEYS = frozenset({"purelib", "platlib", "scripts", "headers", "data"})
_SITE_KEYS = frozenset({"purelib", "platlib"})
_UNRECORDED = frozenset({"RECORD", "RECORD.jws", "RECORD.p7s"})
_OURS = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "polylock.json"})
"""Files that an installer writes; in a wheel they are ignored (PEP 376, 610)."""


def unpack(
    wheel: Path, directory: Path, *, filename: str, limits: Limits = LIMITS
) -> None:
    """Unpack a wheel into an empty directory, for ``read_manifest``.

    ``filename`` is the wheel's own name, whatever ``wheel`` is called in the cache.
    Raises FileCorrupt for a wheel that violates PEP 427 or does not match its RECORD,
    CacheUnusable if the directory cannot be written. The caller removes what was
    written before an error.
    """
    try:
        with (
            wheel.open("rb", buffering=_BUFFER) as file,
            zipfile.ZipFile(wheel) as archive,
        ):
            unpacking = _Unpacking(
                file=file, archive=archive, filename=filename, limits=limits
            )
            manifest = unpacking.run(directory / TREE)
        (directory / MANIFEST).write_bytes(manifest_bytes(manifest))
    except (RefusedArchive, InvalidRecord, InvalidFilename) as error:
        raise FileCorrupt(filename, str(error)) from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,  # a compression method that zipfile lacks
        UnicodeDecodeError,  # a name of a member that is not in its stated encoding
    ) as error:
        raise FileCorrupt(
            filename, f"it is not a readable zip file: {error}"
        ) from error
    except OSError as error:
        raise CacheUnusable(str(directory), error.strerror or str(error)) from error


class _Unpacking(Mutable, kw_only=True):
    """One wheel being unpacked."""

    file: BinaryIO
    archive: zipfile.ZipFile
    filename: str
    limits: Limits
    stem: str = ""
    rows: dict[str, RecordRow] = field(default_factory=dict)

    def run(self, tree: Path) -> ArchiveManifest:
        archive_size = os.fstat(self.file.fileno()).st_size
        infos = check_members(self.archive.infolist(), archive_size, self.limits)
        members = {info.orig_filename: info for info in infos}
        self.stem = self._find_stem(members)
        prefix = f"{self.stem}.dist-info/"
        root_is_purelib = parse_wheel_file(self._text(members, prefix + "WHEEL"))
        version = self._check_metadata(self._text(members, prefix + "METADATA"))
        self.rows = self._read_record(members, prefix)
        entry_points = (
            list(parse_entry_points(self._text(members, prefix + "entry_points.txt")))
            if prefix + "entry_points.txt" in members
            else []
        )
        files: list[RecordRow] = []
        data: list[DataFile] = []
        executable: set[str] = set()
        mtimes: dict[str, int] = {}
        tree.mkdir()
        root, made = f"{tree}{os.sep}", {""}
        written = _even_second()
        for name, info in members.items():
            row = self._extract(name, info, root, made)
            if row is None:
                continue
            mtime = _set_time(root + name, written)
            if name.startswith(f"{self.stem}.data/"):
                data.append(self._data_file(row, info, mtime))
                continue
            files.append(row)
            mtimes[name] = mtime
            if _is_executable(info):
                executable.add(name)
        files.sort()
        return ArchiveManifest(
            stem=self.stem,
            version=version,
            root_is_purelib=root_is_purelib,
            directories=_directories(files),
            files=[row.path for row in files],
            sizes=[int(row.size) for row in files],
            mtimes=[mtimes[row.path] for row in files],
            executable=frozenset(executable),
            record=format_rows(files),
            data=sorted(data, key=lambda file: file.source),
            entry_points=entry_points,
            size=sum(info.file_size for info in infos),
        )

    def _find_stem(self, members: dict[str, zipfile.ZipInfo]) -> str:
        """Return the stem of the one ``.dist-info``; it must be the file name's."""
        tops = sorted({name.partition("/")[0] for name in members if "/" in name})
        stems = [
            top[: -len(".dist-info")] for top in tops if top.endswith(".dist-info")
        ]
        if len(stems) != 1:
            raise RefusedArchive(f"it has {len(stems)} .dist-info directories, not one")
        (stem,) = stems
        wanted = WheelFilename.parse(self.filename)
        name, _, version = stem.rpartition("-")
        if canonicalize_name(name) != wanted.name or not _same(version, wanted.version):
            raise RefusedArchive(f"its {stem}.dist-info has another name or version")
        for top in tops:
            if top.endswith(".data") and top != f"{stem}.data":
                other = canonicalize_name(top[: -len(".data")].rpartition("-")[0])
                if other == wanted.name:
                    raise RefusedArchive(f"its {top} is not {stem}.data")
        return stem

    def _check_metadata(self, text: str) -> str:
        """Return the version in METADATA; name and version must be the file name's."""
        wanted = WheelFilename.parse(self.filename)
        name, version = header(text, "Name"), header(text, "Version")
        if name is None or version is None:
            raise RefusedArchive("METADATA has no Name or no Version")
        if canonicalize_name(name) != wanted.name or not _same(version, wanted.version):
            raise RefusedArchive(f"its METADATA is that of {name} {version}")
        return version

    def _text(self, members: dict[str, zipfile.ZipInfo], name: str) -> str:
        info = members.get(name)
        if info is None:
            raise RefusedArchive(f"{name} is missing")
        if info.file_size > self.limits.metadata_size:
            raise RefusedArchive(f"{name} is larger than any such file")
        with self.archive.open(info) as stream:
            content = stream.read()
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RefusedArchive(f"{name} is not UTF-8") from error

    def _read_record(
        self, members: dict[str, zipfile.ZipInfo], prefix: str
    ) -> dict[str, RecordRow]:
        """Return the rows of RECORD by path; it must list exactly the wheel's files."""
        unrecorded = {prefix + name for name in _UNRECORDED}
        rows: dict[str, RecordRow] = {}
        for row in parse_rows(self._text(members, prefix + "RECORD")):
            if row.path in unrecorded or row.path.endswith("/"):
                continue
            if row.path not in members:
                raise RefusedArchive(f"RECORD names {row.path!a}, which is missing")
            if rows.setdefault(row.path, row) != row:
                raise RefusedArchive(f"RECORD names {row.path!a} twice")
        missing = members.keys() - rows.keys() - unrecorded
        if missing:
            raise RefusedArchive(f"RECORD does not name {min(missing)!a}")
        return rows

    def _extract(
        self, name: str, info: zipfile.ZipInfo, root: str, made: set[str]
    ) -> RecordRow | None:
        """Write one member; return its row, or None for one that is not installed."""
        parent, _, base = name.rpartition("/")
        in_dist_info = parent == f"{self.stem}.dist-info"
        if in_dist_info and base == "RECORD":
            return None
        if (in_dist_info and base in _OURS) or "__pycache__" in parent.split("/"):
            # A file in __pycache__ need not match the source; pip and installer skip
            # it as well.
            self._verify(name, info, None)
            return None
        if parent not in made:
            _make_directory(root, parent, made)
        # The kernel applies the umask. Reading it would mean setting it, for all
        # threads.
        mode = 0o777 if _is_executable(info) else 0o666
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        return self._verify(name, info, os.open(root + name, flags, mode))

    def _verify(
        self, name: str, info: zipfile.ZipInfo, descriptor: int | None
    ) -> RecordRow:
        """Write a member to a descriptor, close it, and compare it with RECORD."""
        row = self.rows.get(name)
        try:
            algorithm, wanted = _hash_of(name, row)
            if is_small(info):
                content = read_small(self.file, info)
                if descriptor is not None:
                    _write(descriptor, content)
                size, digest = len(content), _NEW_HASH[algorithm](content)
            else:
                size, digest = self._stream(info, descriptor, _NEW_HASH[algorithm]())
        finally:
            if descriptor is not None:
                os.close(descriptor)
        found = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
        if row is None:
            return RecordRow(name, f"{algorithm}={found}", str(size))
        if found != wanted.rstrip("="):
            raise RefusedArchive(f"the hash of {name!a} differs from RECORD")
        if row.size and row.size != str(size):
            raise RefusedArchive(f"the size of {name!a} differs from RECORD")
        return RecordRow(name, f"{algorithm}={found}", str(size))

    def _stream(
        self, info: zipfile.ZipInfo, descriptor: int | None, digest: Hash
    ) -> tuple[int, Hash]:
        """Write a member piece by piece; return its size and its digest."""
        size = 0
        with self.archive.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if descriptor is not None:
                    _write(descriptor, chunk)
        return size, digest

    def _data_file(self, row: RecordRow, info: zipfile.ZipInfo, mtime: int) -> DataFile:
        _, key, *rest = row.path.split("/", 2)
        if key not in _DATA_KEYS or not rest:
            raise RefusedArchive(
                f"{row.path!a} is in no installation scheme of PEP 427"
            )
        top = rest[0].partition("/")[0]
        if key in _SITE_KEYS and top.casefold().endswith(".dist-info"):
            raise RefusedArchive(f"{row.path!a} would be part of a .dist-info")
        return DataFile(
            key=key,
            source=row.path,
            path=rest[0],
            hash=row.hash,
            size=int(row.size),
            mtime=mtime,
            is_executable=_is_executable(info),
        )


def _even_second() -> int:
    """Return the current time in nanoseconds, rounded down to even seconds.

    FAT and the zip files of some CI services store only even seconds.
    """
    return int(time.time()) // 2 * 2 * 1_000_000_000


def _set_time(path: str, nanoseconds: int) -> int:
    """Set the modification time of a file; return it as the file system stores it."""
    os.utime(path, ns=(nanoseconds, nanoseconds))
    return os.stat(path).st_mtime_ns  # noqa: PTH116 - a str, thousands of times


def _make_directory(root: str, directory: str, made: set[str]) -> None:
    """Make a directory and those of its parents that are not in ``made``."""
    missing = []
    while directory not in made:
        missing.append(directory)
        directory = directory.rpartition("/")[0]
    for path in reversed(missing):
        os.mkdir(root + path)  # noqa: PTH102 - a str, thousands of times
        made.add(path)


def _write(descriptor: int, content: bytes) -> None:
    """Write all bytes; one system call may write only a part."""
    written = os.write(descriptor, content)
    while written < len(content):
        written += os.write(descriptor, memoryview(content)[written:])


def _hash_of(name: str, row: RecordRow | None) -> tuple[str, str]:
    if row is None:
        return "sha256", ""
    algorithm, _, value = row.hash.partition("=")
    if algorithm not in _NEW_HASH or not value:
        raise RefusedArchive(f"RECORD gives no secure hash for {name!a}")
    return algorithm, value


def _is_executable(info: zipfile.ZipInfo) -> bool:
    return bool((info.external_attr >> 16) & 0o111)


def _directories(files: list[RecordRow]) -> list[str]:
    """Return every directory of the paths, parents first."""
    found: set[str] = set()
    for row in files:
        parent = row.path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return sorted(found)


def _same(left: str, right: str) -> bool:
    try:
        return Version(left.replace("_", "-")) == Version(right.replace("_", "-"))
    except InvalidVersion:
        return left == right
