"""What the cache holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polylock.cache.store import Bucket
from polylock.errors import CacheUnusable
from polylock.operations.cache import cache_size, clear_cache, prune_cache
from polylock.project.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.workspace import Project


def test_cleared_cache_is_filled_again(demo: Project) -> None:
    """What was freed is what was there, and the next lock needs no help."""
    demo.lock()
    settings = demo.with_settings()
    before = cache_size(settings)
    held = before.total
    # A lock asks no Python: these were there before it.
    interpreters = before.buckets[Bucket.INTERPRETERS.directory]
    assert held.files > 0
    assert prune_cache(settings).usage.files == 0
    assert clear_cache(settings).usage == held
    assert cache_size(settings).total.files == 0
    demo.lock_path.unlink()
    demo.lock()
    again = cache_size(settings)
    assert again.total.files == held.files - interpreters.files


def test_file_in_place_of_the_cache_is_told(tmp_path: Path) -> None:
    """It is an error with its path, not a traceback."""
    path = tmp_path / "cache"
    path.write_text("")
    with pytest.raises(CacheUnusable, match="cache"):
        cache_size(Settings(cache_dir=path))
