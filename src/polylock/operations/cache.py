"""``polylock cache``: what the cache holds, and how to make it smaller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polylock.cache.store import Store, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from polylock.project.settings import Settings

__all__ = ["CacheSize", "Freed", "cache_size", "clear_cache", "prune_cache"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSize:
    """What each part of the cache occupies."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What was removed from the cache."""

    directory: Path
    usage: Usage

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``cache prune --json`` and ``cache clear --json``."""
        return {
            "directory": str(self.directory),
            "files": self.usage.files,
            "size": self.usage.size,
        }


def cache_size(settings: Settings) -> CacheSize:
    """Measure the cache; raises CacheUnusable."""
    store = Store(settings.cache_dir)
    return CacheSize(directory=store.root, buckets=store.size())


def prune_cache(settings: Settings) -> Freed:
    """Remove what nothing will read again; raises CacheUnusable."""
    store = Store(settings.cache_dir)
    return Freed(directory=store.root, usage=store.prune())


def clear_cache(settings: Settings) -> Freed:
    """Remove everything that the cache holds; raises CacheUnusable."""
    store = Store(settings.cache_dir)
    return Freed(directory=store.root, usage=store.clear())
