"""Unpack a wheel into an archive in the cache (PEP 427).

The members of the wheel decide what is installed, not its RECORD: many a wheel has a
wrong one, and the hash of the whole file is locked. The rows that are installed come
from the members; where RECORD says otherwise, a fault is noted.

Memory does not grow with the wheel: members are hashed as they are written, a chunk at
a time. What is refused is in ``polylock.model.wheel_members`` and ``wheel_info``, for
who locks refuses the same.
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
import zipfile
from typing import TYPE_CHECKING, BinaryIO

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
    UNRECORDED,
    RecordRow,
    format_rows,
    row_faults,
    rows_of_wheel,
    secure_hash,
)
from polylock.model.archive_checks import RefusedArchive, differ_in_case
from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.model.wheel_faults import Fault, FaultKind
from polylock.model.wheel_info import header, parse_entry_points, parse_wheel_file
from polylock.model.wheel_members import (
    LIMITS,
    Limits,
    WheelMembers,
    data_place,
    is_executable,
    is_release,
    wheel_members,
)
from polylock.model.zip_content import content_chunks, is_small, read_small
from polylock.values import Mutable, field

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["unpack"]

_SCRIPTS = "entry_points.txt"
_MOST_FAULTS = 20
"""Faults that a manifest keeps; of the others it has the number."""

_BUFFER = 128 * 1024
_NEW_HASH = {
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}
_OURS = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "polylock.json"})
"""Files that an installer writes; in a wheel they are ignored (PEP 376, 610)."""


def unpack(
    wheel: Path, directory: Path, *, filename: str, limits: Limits = LIMITS
) -> None:
    """Unpack a wheel into an empty directory, for ``read_manifest``.

    ``filename`` is the wheel's own name, whatever ``wheel`` is called in the cache.
    Raises FileCorrupt for a wheel that is dangerous or cannot be read,
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
    except (RefusedArchive, InvalidFilename) as error:
        raise FileCorrupt(filename, str(error)) from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
        raise FileCorrupt(
            filename, f"it is not a readable zip file: {error}"
        ) from error
    except OSError as error:
        raise CacheUnusable(str(directory), error.strerror or str(error)) from error


class _Unpacking(Mutable, kw_only=True):
    """One wheel being unpacked.

    ``rows`` is its RECORD, which is compared with the members and decides nothing.
    """

    file: BinaryIO
    archive: zipfile.ZipFile
    filename: str
    limits: Limits
    members: WheelMembers = field(default_factory=WheelMembers)
    rows: dict[str, RecordRow] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def run(self, tree: Path) -> ArchiveManifest:
        wheel = WheelFilename.parse(self.filename)
        archive_size = os.fstat(self.file.fileno()).st_size
        infos = self.archive.infolist()
        self.members = wheel_members(infos, wheel, archive_size, self.limits)
        self.faults = list(self.members.faults)
        root_is_purelib = parse_wheel_file(self._text("WHEEL"))
        version = self._check_metadata(self._text("METADATA"), wheel)
        self._read_record()
        entry_points = (
            [EntryPoint(*each) for each in parse_entry_points(self._text(_SCRIPTS))]
            if self._path(_SCRIPTS) in self.members.files
            else []
        )
        files: list[RecordRow] = []
        data: list[DataFile] = []
        executable: set[str] = set()
        mtimes: dict[str, int] = {}
        tree.mkdir()
        root, made = f"{tree}{os.sep}", {""}
        written = _even_second()
        for name, info in self.members.files.items():
            row = self._extract(name, info, root, made)
            if row is None:
                continue
            mtime = _set_time(root + name, written)
            if name.startswith(f"{self.members.stem}.data/"):
                data.append(_data_file(row, info, mtime))
                continue
            files.append(row)
            mtimes[name] = mtime
            if is_executable(info):
                executable.add(name)
        self._compare_copies(files, data)
        files.sort()
        return ArchiveManifest(
            stem=self.members.stem,
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
            size=sum(info.file_size for info in self.members.files.values()),
            faults=self.faults[:_MOST_FAULTS],
            fault_count=len(self.faults),
            clash=self.members.clash,
        )

    def _check_metadata(self, text: str, wheel: WheelFilename) -> str:
        """Return the version in METADATA; name and version must be the file name's."""
        name, version = header(text, "Name"), header(text, "Version")
        if name is None or version is None:
            raise RefusedArchive("METADATA has no Name or no Version")
        if not is_release(name, version, wheel):
            raise RefusedArchive(f"its METADATA is that of {name} {version}")
        return version

    def _path(self, name: str) -> str:
        return f"{self.members.stem}.dist-info/{name}"

    def _text(self, name: str) -> str:
        """Return the text of a file in ``.dist-info``."""
        info = self.members.files.get(self._path(name))
        if info is None:
            raise RefusedArchive(f"{self._path(name)} is missing")
        if info.file_size > self.limits.metadata_size:
            raise RefusedArchive(f"{self._path(name)} is larger than any such file")
        content = b"".join(content_chunks(self.file, info))
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RefusedArchive(f"{self._path(name)} is not UTF-8") from error

    def _read_record(self) -> None:
        """Read RECORD, and note the rows that name no file of the wheel."""
        unrecorded = {self._path(name) for name in UNRECORDED}
        rows, bad = rows_of_wheel(self._text("RECORD"))
        self.faults += [Fault(FaultKind.COLUMNS, line) for line in bad]
        for row in rows:
            path = row.path
            if path in unrecorded or not path or path.endswith("/"):
                continue
            if path not in self.members.files:
                if not self._is_left_out(path):
                    self.faults.append(Fault(FaultKind.ABSENT, path))
            elif self.rows.setdefault(path, row) != row:
                self.faults.append(Fault(FaultKind.LISTED_TWICE, path))

    def _is_left_out(self, path: str) -> bool:
        """Return True if a file is never installed: compiled, or of an installer.

        A file in ``__pycache__`` need not match the source.
        """
        parent, _, base = path.rpartition("/")
        in_info = parent == f"{self.members.stem}.dist-info"
        return (in_info and base in _OURS) or "__pycache__" in parent.split("/")

    def _extract(
        self, name: str, info: zipfile.ZipInfo, root: str, made: set[str]
    ) -> RecordRow | None:
        """Write one member; return its row, or None for one that is not installed."""
        if name == self._path("RECORD"):
            return None
        if self._is_left_out(name):
            self._read(info, None, "sha256")
            return None
        # The kernel applies the umask. Reading it would mean setting it, for all
        # threads.
        mode = 0o777 if is_executable(info) else 0o666
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            parent = name.rpartition("/")[0]
            if parent not in made:
                _make_directory(root, parent, made)
            descriptor = os.open(root + name, flags, mode)
        except FileExistsError as error:
            # No two paths are equal, but some file systems do not tell them apart.
            raise RefusedArchive(
                differ_in_case(*(self.members.clash or (name, name)))
            ) from error
        row = self.rows.get(name)
        algorithm, stated = secure_hash(row)
        try:
            size, hash_ = self._read(info, descriptor, algorithm)
        finally:
            os.close(descriptor)
        found = RecordRow(name, hash_, str(size))
        self._compare(row, stated, found)
        return found

    def _compare(self, row: RecordRow | None, stated: str, found: RecordRow) -> None:
        """Note where RECORD differs from a file of the wheel."""
        if row is not None:
            self.faults += row_faults(row, stated, found)
        elif found.path not in {self._path(name) for name in UNRECORDED}:
            self.faults.append(Fault(FaultKind.UNLISTED, found.path))

    def _compare_copies(self, files: list[RecordRow], data: list[DataFile]) -> None:
        """Refuse a member that is there twice and has the CRC of another content."""
        if not self.members.copies:
            return
        hashes = {row.path: row.hash for row in files}
        hashes |= {file.source: file.hash for file in data}
        for path, info in self.members.copies:
            hash_ = hashes.get(path)
            algorithm = (hash_ or "sha256=").partition("=")[0]
            if self._read(info, None, algorithm)[1] != hash_ and hash_ is not None:
                raise RefusedArchive(f"member {path!a} is there twice, and differs")

    def _read(
        self, info: zipfile.ZipInfo, descriptor: int | None, algorithm: str
    ) -> tuple[int, str]:
        """Read a member, write it to a descriptor; return its size and its hash."""
        digest = _NEW_HASH[algorithm]()
        size = 0
        chunks = (
            (read_small(self.file, info),)
            if is_small(info)
            else content_chunks(self.file, info)
        )
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            if descriptor is not None:
                _write(descriptor, chunk)
        found = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
        return size, f"{algorithm}={found}"


def _data_file(row: RecordRow, info: zipfile.ZipInfo, mtime: int) -> DataFile:
    key, path = data_place(row.path)
    return DataFile(
        key=key,
        source=row.path,
        path=path,
        hash=row.hash,
        size=int(row.size),
        mtime=mtime,
        is_executable=is_executable(info),
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


def _directories(files: list[RecordRow]) -> list[str]:
    """Return every directory of the paths, parents first."""
    found: set[str] = set()
    for row in files:
        parent = row.path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return sorted(found)
