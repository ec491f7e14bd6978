"""Gates on counts: what a lock may ask, open and expand, whatever the clock says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fakes.this_machine import python_path
from polylock.cache.store import Bucket
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer, ServedRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
TRACED = """
import json, sys
opened, cache = [], sys.argv[1]
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        path, mode = arguments[0], arguments[1] or "r"
        if path.startswith(cache) and "r" in mode and ".tmp-" not in path:
            opened.append(path)  # what is being written has such a name
sys.addaudithook(note)
from polylock.cli.main import run
code = run(sys.argv[2:])
names = [name for name in ("httpx", "rich.progress", "tomlkit") if name in sys.modules]
from polylock.model.markers import parse_marker
from polylock.resolution.versions import satisfies
counts = {
    "markers parsed": parse_marker.cache_info().misses,
    "specifiers asked": satisfies.cache_info().misses,
}
trace = {"opened": opened, "imported": names, "counts": counts}
print(json.dumps(trace), file=sys.stderr)
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of polylock: its document, the cache files it read, what it imported."""

    document: dict[str, Any]
    opened: Counter[str]
    imported: list[str]
    counts: dict[str, int]


@dataclass(slots=True)
class Demo:
    """The fixture demo: six targets, served with pages that stay fresh."""

    directory: Path
    index_url: str
    requests: list[ServedRequest] = field(default_factory=list)

    @property
    def lock_file(self) -> Path:
        """Return the path of the lock file."""
        return self.directory / "pylock.toml"

    @property
    def cache(self) -> Path:
        """Return the path of the cache."""
        return self.directory / "cache"

    def forget(self) -> None:
        """Take away the lock file, and what the next lock would remember of this."""
        self.lock_file.unlink()
        for bucket in (Bucket.PACKS, Bucket.MEMORIES):
            shutil.rmtree(self.cache / bucket.directory)

    def lock(self, *flags: str) -> Run:
        """Lock in a process of its own."""
        cache = self.cache
        arguments = [
            *("lock", "--json", "--quiet", "--index-url", self.index_url),
            *("--project", str(self.directory / "pyproject.toml")),
            *("--cache-dir", str(cache), *flags),
        ]
        process = subprocess.run(
            [sys.executable, "-c", TRACED, str(cache), *arguments],
            env={**os.environ, "PYTHONPATH": python_path(ROOT / "src")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        trace = json.loads(process.stderr.splitlines()[-1])
        document = json.loads(process.stdout)
        return Run(
            document, Counter(trace["opened"]), trace["imported"], trace["counts"]
        )


@dataclass(frozen=True, slots=True)
class First:
    """The first lock, its requests, and a copy of the project as it left it."""

    demo: Demo
    run: Run
    requests: tuple[ServedRequest, ...]
    kept: Path


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[First]:
    """Serve the fixture index to a copy of the demo project, and lock that once."""
    root = tmp_path_factory.mktemp("counts")
    build_index(ROOT / "fixtures" / "wheels", root / "index")
    requests: list[ServedRequest] = []
    with IndexServer(
        root / "index", page_lifetime=6000, on_request=requests.append
    ) as server:
        found = Demo(root / "project", server.url, requests)
        found.directory.mkdir()
        shutil.copy(ROOT / "fixtures" / "demo" / "pyproject.toml", found.directory)
        run = found.lock()
        # Links, for a file of the cache is known by its inode.
        shutil.copytree(found.directory, root / "kept", copy_function=os.link)
        yield First(found, run, tuple(requests), root / "kept")


@pytest.fixture
def demo(first: First) -> Demo:
    """Return the project as after the first lock, before any further request."""
    shutil.rmtree(first.demo.directory)
    shutil.copytree(first.kept, first.demo.directory, copy_function=os.link)
    first.demo.requests.clear()
    return first.demo


def test_nothing_is_asked_for_twice(first: First) -> None:
    """Six targets share the answers: a further target costs no request of its own."""
    asked = Counter(request.path for request in first.requests)
    assert len(first.run.document["targets"]) == 6
    assert first.run.document["requests"] == len(first.requests)
    # A wheel without a metadata file is read in ranges, which share its path.
    pages = {path: count for path, count in asked.items() if "/simple/" in path}
    assert set(pages.values()) == {1}


def test_a_warm_lock_makes_no_request(first: First, demo: Demo) -> None:
    """With the cache there and the lock file gone, the index is not asked."""
    written = demo.lock_file.read_bytes()
    demo.lock_file.unlink()
    second = demo.lock()
    assert demo.requests == []
    assert second.document["requests"] == 0
    assert second.imported == []
    assert second.document["packages"] == first.run.document["packages"]
    assert demo.lock_file.read_bytes() == written


def test_a_lock_without_a_pack_opens_no_page_twice(demo: Demo) -> None:
    """A further target reads no page of the cache again."""
    demo.forget()
    run = demo.lock("--offline")
    pages = {path: n for path, n in run.opened.items() if "pages-v" in path}
    assert pages
    assert set(pages.values()) == {1}


@pytest.mark.parametrize("flags", [(), ("--offline",)], ids=["fresh", "offline"])
def test_a_warm_lock_opens_two_files_of_the_cache(
    demo: Demo, flags: tuple[str, ...]
) -> None:
    """What the last lock needed and worked out is read at once, for all targets."""
    demo.lock_file.unlink()
    run = demo.lock(*flags)
    assert sorted(run.opened.values()) == [1, 1]
    buckets = {Path(path).relative_to(demo.cache).parts[0] for path in run.opened}
    assert {bucket.partition("-v")[0] for bucket in buckets} == {"packs", "memories"}


def test_a_warm_lock_parses_nothing_again(first: First, demo: Demo) -> None:
    """Markers and specifiers of the index's files were parsed by an earlier lock.

    Only what depends on the answer is asked again, since it is no fact of the index:
    what an ABI dependency wants of the choice of earlier targets.
    """
    cold = first.run
    demo.lock_file.unlink()
    warm = demo.lock("--offline")
    assert cold.counts["markers parsed"] > warm.counts["markers parsed"]
    assert cold.counts["specifiers asked"] > 0
    assert warm.counts["specifiers asked"] <= 2


def test_further_targets_open_no_metadata_again(demo: Demo) -> None:
    """Six targets open a file no more often than one: to see it is there, to read."""
    demo.forget()
    run = demo.lock("--offline")
    assert max(run.opened.values()) <= 2


def test_a_lock_with_nothing_to_do_expands_nothing(demo: Demo) -> None:
    """A lock file that answers the project ends the run before the solver.

    Of the cache only the answer itself is touched, which is kept for the next time,
    and the values of the lock file, which are as quick to read as it is slow to parse.
    """
    run = demo.lock()
    assert demo.requests == []
    assert run.document["targets"] == []
    assert not run.document["written"]
    buckets = {Path(path).relative_to(demo.cache).parts[0] for path in run.opened}
    assert buckets <= {"answers-v1", "lock-files-v1"}
    assert run.imported == []


def test_versions_expanded_are_bounded_by_packages(first: First) -> None:
    """A target expands few versions besides the ones that it takes."""
    document = first.run.document
    packages = document["packages"]
    for target in document["targets"]:
        assert 0 < target["expanded"] <= 2 * packages
        assert target["rounds"] <= 2 * packages
