"""Compare files with the hashes in RECORD.

This reads every byte, so it runs only on request. Otherwise an archive's file is
checked by size and modification time, and an installed distribution by ``.dist-info``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.installation.archive import TREE, ArchiveManifest
from polylock.installation.record import has_hash, parse_rows
from polylock.installation.uninstall import listed_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.environment.installed import InstalledDistribution

__all__ = ["changed_in_archive", "changed_in_environment"]


def changed_in_archive(directory: Path, manifest: ArchiveManifest) -> str | None:
    """Return the first file of an archive that differs from RECORD, or None."""
    tree = directory / TREE
    rows = [(row.path, row.hash) for row in parse_rows(manifest.record)]
    rows += [(file.source, file.hash) for file in manifest.data]
    return next(
        (path for path, hash_ in rows if not _matches(tree / path, hash_)), None
    )


def changed_in_environment(distribution: InstalledDistribution) -> Iterator[str]:
    """Yield the files of an installed distribution that differ from RECORD.

    Rows without a hash are skipped: RECORD itself and compiled modules.
    Raises EnvironmentBroken if RECORD cannot be read.
    """
    for path, row in listed_rows(distribution):
        if row.hash and not _matches(Path(path), row.hash):
            yield path


def _matches(path: Path, hash_: str) -> bool:
    """Return True if a file exists and has a hash, if its algorithm is known."""
    algorithm = hash_.partition("=")[0]
    if algorithm not in hashlib.algorithms_available:
        return path.is_file()
    try:
        return has_hash(path.read_bytes(), hash_)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
