"""An unpacked wheel in the cache: a tree and what is to be known of it.

``tree`` in the archive's directory is the wheel's tree; ``archive.msgpack`` says what
goes where, so that installing neither walks the tree nor reads RECORD again, and how
long each file is and when it was written, so that what was edited or damaged since is
seen while it is linked. It begins with a checksum of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from polylock.cache.entries import checksum, whole_content
from polylock.errors import ArchiveDamaged

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
    """What a file of an archive was when it was unpacked: bytes, nanoseconds, mode."""

    size: int
    mtime: int
    is_executable: bool


class TreeFiles(NamedTuple):
    """Files of an archive by path, with their stamps in lists of the same order.

    Lists, for a large environment has tens of thousands of files. Those in
    ``executable`` may be run.
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
    """A script to be made: ``name`` calls ``attribute`` of ``module``."""

    name: str
    module: str
    attribute: str
    is_gui: bool


class DataFile(msgspec.Struct, frozen=True, array_like=True):
    """A file under ``.data`` (PEP 427).

    ``source`` is its path in the tree, ``path`` the one relative to the directory of
    the scheme ``key``. ``hash`` is as in RECORD.
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
        """Return its stamp."""
        return Stamp(self.size, self.mtime, self.is_executable)


class ArchiveManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What installing needs to know of a wheel.

    ``stem`` is ``name-version`` as the wheel spells it. ``directories`` (parents
    first) and ``files`` go to site-packages as they are; ``record`` holds their rows
    as text, ``sizes`` and ``mtimes`` (nanoseconds) what they were when they were
    unpacked. ``size`` is the sum of all files in bytes.
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
    """Return what the file ``archive.msgpack`` holds."""
    content = msgspec.msgpack.encode(manifest)
    return checksum(content) + content


def read_manifest(directory: Path, *, filename: str, sha256: str) -> ArchiveManifest:
    """Return the manifest of an unpacked wheel.

    Raises ArchiveDamaged where it is missing, cannot be read, or is of another
    layout; ``filename`` and ``sha256`` name the wheel in that case.
    """
    try:
        content = whole_content((directory / MANIFEST).read_bytes())
        if content is None:
            raise ArchiveDamaged(filename, "its manifest is not whole", sha256)
        manifest = msgspec.msgpack.decode(content, type=ArchiveManifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise ArchiveDamaged(filename, "its manifest cannot be read", sha256) from error
    if manifest.layout != _LAYOUT:
        raise ArchiveDamaged(filename, "its manifest has another layout", sha256)
    return manifest
