"""``polylock cache`` measures and empties the cache."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


def _cache() -> Path:
    return Path(os.environ["POLYLOCK_CACHE_DIR"])


def test_directory_is_printed(polylock: CommandLine) -> None:
    """A script can use it; an option wins over the environment."""
    assert polylock.succeed("cache", "dir").out == f"{_cache()}\n"
    elsewhere = polylock.directory / "elsewhere"
    told = polylock.succeed("cache", "dir", "--cache-dir", str(elsewhere)).out
    assert told == f"{elsewhere}\n"


def test_size_adds_up_the_parts(demo: CommandLine) -> None:
    """After a lock there are pages in the cache; the last row is the sum."""
    demo.succeed("lock", "--upgrade")
    found = demo.succeed("cache", "size", "--json").json
    assert found["directory"] == str(_cache())
    assert "pages-v1" in {bucket["name"] for bucket in found["buckets"]}
    assert found["size"] == sum(bucket["size"] for bucket in found["buckets"]) > 0
    told = demo.succeed("cache", "size").out.splitlines()
    assert told[-1].split()[:2] == ["all", str(found["files"])]


def test_empty_cache_has_no_parts(polylock: CommandLine) -> None:
    """A cache that was never written is measured without being made."""
    place = ("--cache-dir", "never-used")
    assert polylock.succeed("cache", "size", "--json", *place).json["files"] == 0
    assert not (polylock.directory / "never-used").exists()


def test_clear_removes_everything(demo: CommandLine) -> None:
    """What was freed is told, and a second time there is nothing."""
    demo.succeed("lock", "--upgrade")
    held = demo.succeed("cache", "size", "--json").json
    ran = demo.succeed("cache", "clear")
    assert f"removed {held['files']} files" in ran.err
    assert not ran.out
    freed = demo.succeed("cache", "clear", "--json").json
    assert (freed["files"], freed["size"]) == (0, 0)


def test_prune_keeps_what_is_of_use(demo: CommandLine) -> None:
    """Directories of older layouts go, those in use stay."""
    demo.succeed("lock", "--upgrade")
    held = demo.succeed("cache", "size", "--json").json["files"]
    outdated = _cache() / "pages-v0" / "entry"
    outdated.parent.mkdir()
    outdated.write_bytes(b"12345")
    freed = demo.succeed("cache", "prune", "--json").json
    assert (freed["files"], freed["size"]) == (1, 5)
    assert demo.succeed("cache", "size", "--json").json["files"] == held


def test_quiet_says_nothing(polylock: CommandLine) -> None:
    """With -q neither stream is written to."""
    ran = polylock.succeed("cache", "clear", "-q")
    assert (ran.out, ran.err) == ("", "")
