"""An unpacked wheel in the cache: a tree and what is to be known of it.

``content`` in the archive's directory is the wheel's tree; ``archive.msgpack`` says
what goes where, so that installing neither walks the tree nor reads RECORD again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from polylock.errors import ArchiveDamaged

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "MANIFEST",
    "TREE",
    "ArchiveManifest",
    "DataFile",
    "EntryPoint",
    "read_manifest",
]

MANIFEST = "archive.msgpack"
TREE = "tree"

_LAYOUT = 1


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
    is_executable: bool


class ArchiveManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What installing needs to know of a wheel.

    ``stem`` is ``name-version`` as the wheel spells it. ``directories`` (parents
    first) and ``files`` go to site-packages as they are; ``record`` holds their rows
    as text. ``size`` is the sum of all files in bytes.
    """

    stem: str
    version: str
    root_is_purelib: bool
    directories: list[str]
    files: list[str]
    record: str
    data: list[DataFile]
    entry_points: list[EntryPoint]
    size: int
    layout: int = _LAYOUT

    @property
    def dist_info(self) -> str:
        """Return the name of the ``.dist-info`` directory."""
        return f"{self.stem}.dist-info"


def read_manifest(directory: Path, *, filename: str, sha256: str) -> ArchiveManifest:
    """Return the manifest of an unpacked wheel.

    Raises ArchiveDamaged where it is missing, cannot be read, or is of another
    layout; ``filename`` and ``sha256`` name the wheel in that case.
    """
    try:
        content = (directory / MANIFEST).read_bytes()
        manifest = msgspec.msgpack.decode(content, type=ArchiveManifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise ArchiveDamaged(filename, "its manifest cannot be read", sha256) from error
    if manifest.layout != _LAYOUT:
        raise ArchiveDamaged(filename, "its manifest has another layout", sha256)
    return manifest
