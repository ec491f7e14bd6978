"""Compare files with the hashes that RECORD states, byte for byte.

Slow, for all is read: for those who ask for it. What is linked is otherwise known by
its size and by when it was changed, and what is installed by its ``.dist-info``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.installation.archive import TREE, ArchiveManifest
from polylock.installation.record_format import parse_rows
from polylock.installation.records import has_hash
from polylock.installation.uninstall import listed_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.environment.installed import InstalledDistribution

__all__ = ["changed_in_archive", "changed_in_environment"]


def changed_in_archive(directory: Path, manifest: ArchiveManifest) -> str | None:
    """Return the first file of an archive that is not what RECORD says, or None."""
    tree = directory / TREE
    rows = [(row.path, row.hash) for row in parse_rows(manifest.record)]
    rows += [(file.source, file.hash) for file in manifest.data]
    return next((path for path, hash_ in rows if not _is(tree / path, hash_)), None)


def changed_in_environment(distribution: InstalledDistribution) -> Iterator[str]:
    """Yield the files of an installed distribution that are not what RECORD says.

    Rows without a hash say nothing: RECORD's own, and those of compiled modules.
    Raises EnvironmentBroken where RECORD cannot be read.
    """
    for path, row in listed_rows(distribution):
        if row.hash and not _is(Path(path), row.hash):
            yield path


def _is(path: Path, hash_: str) -> bool:
    algorithm = hash_.partition("=")[0]
    if algorithm not in hashlib.algorithms_available:
        return path.is_file()
    try:
        return has_hash(path.read_bytes(), hash_)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
