"""``polylock cache``: measure, prune, verify and clear the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.cache.archives import Archives
from polylock.cache.regular_files import file_digest
from polylock.cache.store import Bucket, Store, Usage
from polylock.errors import ArchiveDamaged, CacheUnusable
from polylock.installation.archive import read_manifest
from polylock.installation.hash_check import changed_in_archive
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from polylock.project.settings import Settings

__all__ = [
    "CacheSize",
    "Freed",
    "Verified",
    "cache_size",
    "clear_cache",
    "prune_cache",
    "verify_cache",
]


class CacheSize(Value, frozen=True, kw_only=True):
    """The size of each part of the cache."""

    directory: Path
    buckets: Mapping[str, Usage]

    @property
    def total(self) -> Usage:
        """Return the sum of all parts."""
        return sum(self.buckets.values(), Usage())

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``cache size --json``."""
        return {
            "directory": str(self.directory),
            "files": self.total.files,
            "size": self.total.size,
            "buckets": [
                {"name": name, "files": usage.files, "size": usage.size}
                for name, usage in self.buckets.items()
            ],
        }


class Freed(Value, frozen=True, kw_only=True):
    """The size of what was removed from the cache."""

    directory: Path
    usage: Usage

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``cache prune --json`` and ``cache clear --json``."""
        return {
            "directory": str(self.directory),
            "files": self.usage.files,
            "size": self.usage.size,
        }


class Verified(Value, frozen=True, kw_only=True):
    """The number of files and archives verified, and the damaged ones, now removed.

    ``damaged`` has the path inside the cache and the problem of each.
    """

    directory: Path
    files: int
    archives: int
    damaged: Sequence[tuple[str, str]]

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``cache verify --json``."""
        return {
            "directory": str(self.directory),
            "files": self.files,
            "archives": self.archives,
            "damaged": [
                {"path": path, "problem": problem} for path, problem in self.damaged
            ],
        }


def cache_size(settings: Settings) -> CacheSize:
    """Measure the cache; raises CacheUnusable."""
    store = Store(settings.cache_dir)
    return CacheSize(directory=store.root, buckets=store.size())


def prune_cache(settings: Settings) -> Freed:
    """Remove outdated layouts and leftovers; raises CacheUnusable."""
    store = Store(settings.cache_dir)
    return Freed(directory=store.root, usage=store.prune())


def clear_cache(settings: Settings) -> Freed:
    """Remove everything in the cache; raises CacheUnusable."""
    store = Store(settings.cache_dir)
    return Freed(directory=store.root, usage=store.clear())


def verify_cache(settings: Settings) -> Verified:
    """Compare every file and every unpacked wheel with its hash; remove damaged ones.

    The next run fetches removed files again. Raises CacheUnusable.
    """
    store = Store(settings.cache_dir)
    damaged: list[tuple[str, str]] = []
    files = archives = 0
    try:
        with store.in_use():
            for path in _files(store):
                files += 1
                if store.path(Bucket.FILES, file_digest(path)) != path:
                    damaged.append((_inside(store, path), "has another hash"))
                    path.unlink(missing_ok=True)
            unpacked = Archives(store)
            for sha256 in unpacked.all():
                archives += 1
                place = unpacked.get(sha256)
                problem = None if place is None else _damage(place, sha256)
                if place is not None and problem is not None:
                    damaged.append((_inside(store, place), problem))
                    unpacked.remove(sha256)
    except OSError as error:
        problem = error.strerror or str(error)
        raise CacheUnusable(str(error.filename or store.root), problem) from error
    return Verified(
        directory=store.root, files=files, archives=archives, damaged=damaged
    )


def _files(store: Store) -> Iterator[Path]:
    """Yield the downloaded and built files, except those still being written."""
    directory = store.root / Bucket.FILES.directory
    for path in sorted(directory.glob("??/*")):
        if path.is_file() and not path.name.startswith("."):
            yield path


def _inside(store: Store, path: Path) -> str:
    return path.relative_to(store.root).as_posix()


def _damage(place: Path, sha256: str) -> str | None:
    """Return the problem of an unpacked wheel, or None if it is undamaged."""
    try:
        manifest = read_manifest(place, filename=sha256, sha256=sha256)
    except ArchiveDamaged as error:
        return error.problem
    changed = changed_in_archive(place, manifest)
    return None if changed is None else f"{changed} was changed"
