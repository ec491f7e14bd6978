"""How often an installation asks the file system: that is most of what it takes."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from fakes.installations import LoggingReporter, WheelDirectory, make_interpreter
from fakes.wheels import build_wheel
from polylock.environment.installed import read_installed
from polylock.installation import uninstall
from polylock.installation.execute import execute
from polylock.installation.link import Linker, LinkMode
from polylock.installation.plan import SyncRequest, plan_sync

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from polylock.environment.installed import InstalledDistribution
    from polylock.installation.plan import WantedDistribution

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="counts the calls made on Linux"
)

FILES = 40
WHEELS = 5


class Counted:
    """An environment, and the calls of ``os`` that a sync of it makes."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.interpreter = make_interpreter(root / "env")
        self.wheels = WheelDirectory(root)
        self.calls: Counter[str] = Counter()
        for name in ("stat", "lstat", "link", "mkdir", "open", "fsync"):
            monkeypatch.setattr(os, name, self._counting(name, getattr(os, name)))

    def _counting(
        self, name: str, call: Callable[..., object]
    ) -> Callable[..., object]:
        def counted(*arguments: object, **options: object) -> object:
            self.calls[name] += 1
            return call(*arguments, **options)

        # ``link_files`` looks for calls that take directories.
        for capable in (os.supports_dir_fd, os.supports_follow_symlinks):
            if call in capable:
                capable.add(counted)
        return counted

    def wheel(self, name: str, version: str, files: dict[str, str]) -> Path:
        """Build a wheel."""
        return build_wheel(self.root / "wheels", name, version, files=files)

    def sync(self, wanted: Sequence[WantedDistribution]) -> Counter[str]:
        """Install, and return the number of calls by name."""
        site = self.interpreter.site_directories
        plan = plan_sync(SyncRequest(wanted=tuple(wanted)), read_installed(site))
        self.wheels(wanted)  # unpacked before
        self.calls.clear()
        linker = Linker(LinkMode.HARDLINK)
        execute(
            plan,
            self.interpreter,
            self.wheels,
            linker=linker,
            reporter=LoggingReporter(),
        )
        return Counter(self.calls)


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Return an environment without distributions."""
    return Counted(tmp_path, monkeypatch)


def growth(small: Counter[str], large: Counter[str]) -> dict[str, int]:
    """Return how many calls more the larger of two installations made."""
    return {name: large[name] - small[name] for name in large}


def test_a_file_costs_a_look_and_a_link(counted: Counted) -> None:
    """Twice as many files of a tree are looked at and linked once each, no more."""
    more = {}
    for count in (FILES, 2 * FILES):
        files = {f"pkg{count}/module_{each}.py": "" for each in range(count)}
        wheel = counted.wheel(f"pkg{count}", "1.0", files)
        more[count] = counted.sync([counted.wheels.want(wheel)])
        counted.sync([])
    found = growth(more[FILES], more[2 * FILES])
    assert found.pop("stat") == FILES
    assert found.pop("link") == FILES
    assert not any(found.values()), found


def test_a_data_file_costs_no_more_looks_than_its_directory(counted: Counted) -> None:
    """The path of a directory is resolved once, for however many files and wheels."""
    more = {}
    for count in (1, FILES):
        files = {f"data-1.0.data/data/share/d/{each}.txt": "" for each in range(count)}
        wheel = counted.wheel("data", "1.0", {**files, f"d{count}.py": ""})
        more[count] = counted.sync([counted.wheels.want(wheel)])
        counted.sync([])
    found = growth(more[1], more[FILES])
    # Whether it may be replaced, and whether it is what was unpacked.
    assert found["lstat"] + found["stat"] <= 3 * (FILES - 1)
    assert found["mkdir"] == 0


def test_nothing_is_synced_to_disk_file_by_file(counted: Counted) -> None:
    """The archives are on disk, and an interrupted installation is repaired."""
    files = {f"pkg/module_{each}.py": "" for each in range(FILES)}
    wheel = counted.wheel("pkg", "1.0", files)
    assert counted.sync([counted.wheels.want(wheel)])["fsync"] == 0


def test_a_change_searches_each_record_once(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan, the new files and the files that stay come from one search."""
    kept = [
        counted.wheels.want(counted.wheel(f"kept{each}", "1.0", {f"k{each}.py": ""}))
        for each in range(WHEELS)
    ]
    old, new = (
        counted.wheels.want(counted.wheel("pkg", version, {"pkg.py": version}))
        for version in ("1.0", "2.0")
    )
    counted.sync([*kept, old])
    searched: Counter[str] = Counter()
    search = uninstall._listed_by_name

    def noted(one: InstalledDistribution, names: set[bytes]) -> object:
        searched[one.name] += 1
        return search(one, names)

    monkeypatch.setattr(uninstall, "_listed_by_name", noted)
    counted.sync([*kept, new])
    assert searched == {f"kept{each}": 1 for each in range(WHEELS)}
