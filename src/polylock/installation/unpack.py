"""A wheel becomes an archive in the cache, every file of it verified (PEP 427).

Memory does not grow with the wheel: members are streamed in chunks, and hashed as
they are written.
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
import zipfile
import zlib
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from polylock.errors import CacheUnusable, FileCorrupt
from polylock.installation.archive import (
    MANIFEST,
    TREE,
    ArchiveManifest,
    DataFile,
    manifest_bytes,
)
from polylock.installation.members import (
    LIMITS,
    Limits,
    check_members,
)
from polylock.installation.record_format import (
    InvalidRecord,
    RecordRow,
    format_rows,
    parse_rows,
)
from polylock.installation.small_members import is_small, read_small
from polylock.installation.wheel_metadata import (
    header,
    parse_entry_points,
    parse_wheel_file,
)
from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.model.member_names import RefusedArchive
from polylock.values import Mutable, field

if TYPE_CHECKING:
    from hashlib import _Hash as Hash
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["unpack"]

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
"""Files that tell of an installation: one in a wheel tells nothing (PEP 376, 610)."""


def unpack(
    wheel: Path, directory: Path, *, filename: str, limits: Limits = LIMITS
) -> None:
    """Unpack a wheel into an empty directory, as ``read_manifest`` wants it.

    ``filename`` is the wheel's own name, whatever ``wheel`` is called in the cache.
    Raises FileCorrupt for anything that is not as PEP 427 says or does not agree
    with RECORD, CacheUnusable where the directory cannot be written. What has been
    written by then is left for the caller to remove.
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
        UnicodeDecodeError,
    ) as error:
        raise FileCorrupt(filename, f"it is no readable zip file: {error}") from error
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
            raise RefusedArchive(f"its {stem}.dist-info is of another name or version")
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
            return stream.read().decode("utf-8")

    def _read_record(
        self, members: dict[str, zipfile.ZipInfo], prefix: str
    ) -> dict[str, RecordRow]:
        """Return RECORD by path; it must name exactly the files that are there."""
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
            # What is in __pycache__ need not come from the source beside it; pip and
            # installer leave it out as well.
            self._verify(name, info, None)
            return None
        if parent not in made:
            _make_directory(root, parent, made)
        # The kernel applies the umask; reading it would take setting it, in all
        # threads.
        mode = 0o777 if _is_executable(info) else 0o666
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        return self._verify(name, info, os.open(root + name, flags, mode))

    def _verify(
        self, name: str, info: zipfile.ZipInfo, descriptor: int | None
    ) -> RecordRow:
        """Write a member to a file, which is closed, and compare it with RECORD."""
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
            raise RefusedArchive(f"{name!a} has another hash than RECORD says")
        if row.size and row.size != str(size):
            raise RefusedArchive(f"{name!a} has another size than RECORD says")
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
                f"{row.path!a} is under no installation scheme of PEP 427"
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
    """Return a time of now in nanoseconds that every copy of the cache can keep.

    FAT and the zip files of some CI services know even seconds alone.
    """
    return int(time.time()) // 2 * 2 * 1_000_000_000


def _set_time(path: str, nanoseconds: int) -> int:
    """Set when a file was changed; return the time that it has then."""
    os.utime(path, ns=(nanoseconds, nanoseconds))
    return os.stat(path).st_mtime_ns  # noqa: PTH116 - a str, thousands of times


def _make_directory(root: str, directory: str, made: set[str]) -> None:
    """Make a directory with its parents, but for those that were made."""
    missing = []
    while directory not in made:
        missing.append(directory)
        directory = directory.rpartition("/")[0]
    for path in reversed(missing):
        os.mkdir(root + path)  # noqa: PTH102 - a str, thousands of times
        made.add(path)


def _write(descriptor: int, content: bytes) -> None:
    """Write all of some bytes; a call may take only a part of them."""
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
