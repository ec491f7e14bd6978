"""The metadata that a source distribution promises without a build (PEP 643)."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from polylock.errors import FileCorrupt
from polylock.index.remote_zip import LocalZip

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.model.core_metadata import CoreMetadata

__all__ = ["is_static", "read_pkg_info"]

_MEMBER_LIMIT = 1 << 24
_FIRST_WITH_DYNAMIC = Version("2.2")
_NEEDED = frozenset({"version", "requires-python", "requires-dist", "provides-extra"})


def read_pkg_info(path: Path, filename: str) -> bytes:
    """Return PKG-INFO from the top directory; raises FileCorrupt."""
    if filename.endswith(".zip"):
        with LocalZip(path, filename) as archive:
            for member in archive.members:
                if _is_pkg_info(member):
                    return archive.read(member)
        raise FileCorrupt(filename, "PKG-INFO is missing")
    try:
        return _from_tar(path, filename)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileCorrupt(filename, f"the archive is damaged: {error}") from error


def is_static(metadata: CoreMetadata) -> bool:
    """Say whether a build could change nothing of what the solver reads.

    Before version 2.2 of the metadata every field may change; since then those named
    in Dynamic.
    """
    try:
        version = Version(metadata.metadata_version)
    except InvalidVersion:
        return False
    return version >= _FIRST_WITH_DYNAMIC and _NEEDED.isdisjoint(metadata.dynamic)


def _from_tar(path: Path, filename: str) -> bytes:
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            if member.isfile() and _is_pkg_info(member.name):
                if member.size > _MEMBER_LIMIT:
                    raise FileCorrupt(filename, "PKG-INFO is too large")
                content = archive.extractfile(member)
                assert content is not None  # it is a regular file
                return content.read()
    raise FileCorrupt(filename, "PKG-INFO is missing")


def _is_pkg_info(member: str) -> bool:
    directory, _, name = member.removeprefix("./").partition("/")
    return bool(directory) and name == "PKG-INFO"
