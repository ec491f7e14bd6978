"""An answer is remembered with everything that it depends on, or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fakes.this_machine import python_path
from polylock.answer_cache import remember as remembering
from polylock.answer_cache.recall import recall

if TYPE_CHECKING:
    from fakes.command_line import CommandLine

SOURCE = Path(__file__).parents[2] / "src"

pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="nothing is remembered on Windows"
)

AUDITED = """
import json, os, sys
seen = set()
def note(event, arguments):
    if event in {"open", "os.listdir", "os.scandir"} and arguments:
        path = arguments[0]
        if isinstance(path, (str, bytes, os.PathLike)):
            seen.add(os.path.abspath(os.fsdecode(path)))
from polylock.answer_cache import recall, remember
from polylock.cli.main import run
remember.SETTLED = 0
entries_of, entries = recall.entries_of, []
def kept(contents, states, said):
    entries.append([*contents, *states])
    return entries_of(contents, states, said)
remember.entries_of = kept
sys.addaudithook(note)
code = run(sys.argv[1:])
print(json.dumps([code, sorted(seen), entries]))
"""


@pytest.mark.parametrize(
    "arguments", [("check", "-q"), ("lock", "-q"), ("sync", "-q")], ids=" ".join
)
def test_all_that_is_read_is_looked_at_again(
    demo: CommandLine, arguments: tuple[str, ...]
) -> None:
    """Every file that is opened, every directory that is listed is in the entry.

    Code is there by its directory, and the cache holds what has an entry's own key.
    """
    demo.succeed("sync", "--target", "here")
    done = subprocess.run(
        [sys.executable, "-B", "-c", AUDITED, *arguments],
        cwd=demo.directory,
        env={**os.environ, "PYTHONPATH": python_path(SOURCE)},
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    code, seen, (entry,) = json.loads(done.stdout)
    assert code == 0
    looked_at = set(entry)
    cache = str(demo.directory.parent / "cache")
    environment = str(demo.directory / ".venv")
    unseen = [
        path
        for path in seen
        if path not in looked_at
        and not path.startswith((cache, str(SOURCE)))
        and not (_is_imported(path, looked_at) and not path.startswith(environment))
    ]
    assert unseen == []
    assert len(looked_at.intersection(seen)) > 1


def _is_imported(path: str, looked_at: set[str]) -> bool:
    """Say whether a path is in a directory of imports, the standard library's too."""
    imports = [each for each in sys.path if each and each in looked_at]
    return path.startswith(tuple(imports))


def test_what_has_just_changed_is_not_remembered(
    demo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change during the command could be taken for one before it."""
    monkeypatch.setattr(remembering, "SETTLED", 3600 * 10**9)
    for _ in range(2):
        demo.succeed("check")
    assert recall(("check",)) is None


def test_a_file_changed_in_whole_seconds_is_given_longer(
    demo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems round the time of a change."""
    monkeypatch.setattr(remembering, "SETTLED", 0)
    path = demo.directory / "pyproject.toml"
    later = (int(time.time()) + 60) * 10**9
    os.utime(path, ns=(later, later))
    demo.succeed("check")
    assert recall(("check",)) is None
    earlier = later - 3600 * 10**9
    os.utime(path, ns=(earlier, earlier))
    demo.succeed("check")
    assert recall(("check",)) == 0


def test_a_cache_that_cannot_be_written_is_no_matter(
    demo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command has done what it was asked."""
    monkeypatch.setattr(remembering, "SETTLED", 0)
    blocked = demo.directory.parent / "blocked"
    blocked.write_text("a file", "utf-8")
    ran = demo.succeed("check", "--cache-dir", str(blocked))
    assert ran.err == "pylock.toml is up to date\n"


def test_a_cache_of_the_users_file_is_not_guessed(
    demo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written to another cache directory than the one that is set."""
    monkeypatch.setattr(remembering, "SETTLED", 0)
    monkeypatch.delenv("POLYLOCK_CACHE_DIR")
    home = demo.directory.parent / "home"
    path = home / "config" / "polylock" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('cache-dir = "/nonexistent/cache"\n', "utf-8")
    demo.succeed("check")
    assert recall(("check",)) is None
    assert not (home / "cache").exists()
