"""Lock files, and the values that the cache keeps of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polylock.cache.store import Bucket
from polylock.errors import LockFileInvalid
from polylock.lockfile.pylock import Pylock
from polylock.lockfile.write import pylock_text
from polylock.operations.workspace import cache_lock, read_lock
from polylock.project.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

ONE, OTHER = Pylock(created_by="one"), Pylock(created_by="other")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with a cache of the test's own."""
    return Settings(cache_dir=tmp_path / "cache")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a lock file."""
    place = tmp_path / "pylock.toml"
    place.write_text(pylock_text(ONE), encoding="utf-8", newline="\n")
    return place


def entries(settings: Settings) -> list[Path]:
    """Return what the cache keeps of lock files."""
    bucket = settings.cache_dir / Bucket.LOCK_FILES.directory
    return [found for found in bucket.rglob("*") if found.is_file()]


def test_values_that_were_kept_are_taken(path: Path, settings: Settings) -> None:
    """They are known by the content: nothing of the file itself is understood."""
    cache_lock(OTHER, path.read_bytes(), settings)
    assert read_lock(path, settings) == OTHER
    assert read_lock(path) == ONE


def test_a_lock_file_that_was_read_is_kept(path: Path, settings: Settings) -> None:
    """The second reading finds what the first one left; an edit is another file."""
    assert read_lock(path, settings) == ONE
    assert len(entries(settings)) == 1
    assert read_lock(path, settings) == ONE
    assert len(entries(settings)) == 1
    path.write_text(pylock_text(OTHER), encoding="utf-8", newline="\n")
    assert read_lock(path, settings) == OTHER


@pytest.mark.parametrize("content", [b"", b"no entry", b"\0" * 500])
def test_a_damaged_entry_is_passed_over(
    path: Path, settings: Settings, content: bytes
) -> None:
    """The lock file itself is read, and kept anew."""
    read_lock(path, settings)
    (entry,) = entries(settings)
    whole = entry.read_bytes()
    entry.write_bytes(content)
    assert read_lock(path, settings) == ONE
    assert entry.read_bytes() == whole


def test_a_cache_that_cannot_be_used_is_no_matter(
    path: Path, settings: Settings
) -> None:
    """What only saves time never stops a command."""
    settings.cache_dir.write_text("a file")
    assert read_lock(path, settings) == ONE


def test_a_lock_file_that_cannot_be_read_is_not_kept(
    path: Path, settings: Settings
) -> None:
    """The error is the same each time."""
    path.write_text("packages = 1")
    for _ in range(2):
        with pytest.raises(LockFileInvalid, match="lock-version"):
            read_lock(path, settings)
    assert entries(settings) == []
