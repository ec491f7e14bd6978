"""An unpacked wheel in the cache: its files and a manifest.

``tree`` in the archive's directory holds the files of the wheel. ``archive.msgpack`` is
the manifest: where each file goes, so that installing neither walks the tree nor reads
RECORD again; and its size and time, so that a file which was edited or damaged since is
detected when it is linked. The manifest begins with its own checksum.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from polylock.cache.entries import checksum, whole_content
from polylock.errors import ArchiveDamaged
from polylock.model.wheel_faults import Fault

__all__ = [
    "MANIFEST",
    "TREE",
    "ArchiveManifest",
    "DataFile",
    "EntryPoint",
    "Stamp",
    "TreeFiles",
    "manifest_bytes",
    "read_manifest",
]

MANIFEST = "archive.msgpack"
TREE = "tree"

_LAYOUT = 2


class Stamp(NamedTuple):
    """The size (bytes), time (nanoseconds) and mode of a file when it was unpacked."""

    size: int
    mtime: int
    is_executable: bool


class TreeFiles(NamedTuple):
    """Files of an archive by path, with their stamps in lists of the same order.

    Lists are used because a large environment has tens of thousands of files.
    ``executable`` holds the files that have the executable bit.
    """

    files: Sequence[str]
    sizes: Sequence[int]
    mtimes: Sequence[int]
    executable: Collection[str]

    def stamp(self, position: int) -> Stamp:
        """Return the stamp of one file."""
        return Stamp(
            self.sizes[position],
            self.mtimes[position],
            self.files[position] in self.executable,
        )


class EntryPoint(msgspec.Struct, frozen=True, array_like=True):
    """An entry point: the script ``name`` calls ``attribute`` of ``module``."""

    name: str
    module: str
    attribute: str
    is_gui: bool


class DataFile(msgspec.Struct, frozen=True, array_like=True):
    """A file under ``.data`` (PEP 427).

    ``source`` is its path in the tree, ``path`` its path relative to the directory of
    the scheme key ``key``. ``hash`` is in the format of RECORD.
    """

    key: str
    source: str
    path: str
    hash: str
    size: int
    mtime: int
    is_executable: bool

    @property
    def stamp(self) -> Stamp:
        """Return the stamp of the file."""
        return Stamp(self.size, self.mtime, self.is_executable)


class ArchiveManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest of an unpacked wheel: all that installing it needs.

    ``stem`` is ``name-version`` as the wheel spells it. ``directories`` (parents
    first) and ``files`` go to site-packages unchanged. ``record`` holds their rows
    as text; ``sizes`` (bytes) and ``mtimes`` (nanoseconds) are those at the time of
    unpacking. ``size`` is the total size of all files in bytes. ``faults`` is what is
    wrong in the wheel and right here, the first of ``fault_count``; ``clash`` are two
    paths that differ only in case or Unicode form.
    """

    stem: str
    version: str
    root_is_purelib: bool
    directories: list[str]
    files: list[str]
    sizes: list[int]
    mtimes: list[int]
    executable: frozenset[str]
    record: str
    data: list[DataFile]
    entry_points: list[EntryPoint]
    size: int
    faults: list[Fault] = msgspec.field(default_factory=list)
    fault_count: int = 0
    clash: tuple[str, str] | None = None
    layout: int = _LAYOUT

    @property
    def dist_info(self) -> str:
        """Return the name of the ``.dist-info`` directory."""
        return f"{self.stem}.dist-info"

    @property
    def tree_files(self) -> TreeFiles:
        """Return the files that go to site-packages, with their stamps."""
        return TreeFiles(self.files, self.sizes, self.mtimes, self.executable)


def manifest_bytes(manifest: ArchiveManifest) -> bytes:
    """Return the content of ``archive.msgpack``."""
    content = msgspec.msgpack.encode(manifest)
    return checksum(content) + content


def read_manifest(directory: Path, *, filename: str, sha256: str) -> ArchiveManifest:
    """Return the manifest of an unpacked wheel.

    ``filename`` and ``sha256`` name the wheel in errors. Raises ArchiveDamaged if the
    manifest is missing, cannot be read, or has another layout version.
    """
    try:
        content = whole_content((directory / MANIFEST).read_bytes())
        if content is None:
            raise ArchiveDamaged(filename, "its manifest is damaged", sha256)
        manifest = msgspec.msgpack.decode(content, type=ArchiveManifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise ArchiveDamaged(filename, "its manifest cannot be read", sha256) from error
    if manifest.layout != _LAYOUT:
        raise ArchiveDamaged(
            filename, "its manifest has another layout version", sha256
        )
    return manifest
