"""A sync that is killed at any moment is mended by the next, exactly.

The processes are real, the moments random (seeded): from the first request to the
server to the end of an undisturbed sync. The imports before it change nothing.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from fakes.synced import SETS, SyncedProject

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.server import Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX"),
]

_KILLS = int(os.environ.get("POLYLOCK_KILLS", "40")) // 4  # in each of four parts
_DELAY = 0.03  # seconds before each answer, so that there is a time of downloads


def begin_and_duration(world: SyncedProject, origin: str | None) -> tuple[float, float]:
    """Return when a sync first changes something, and when it ends, in seconds."""
    begins: list[float] = []
    durations: list[float] = []
    for _ in range(2):
        world.come_back(origin)
        began = time.monotonic()
        process = world.start("new")
        while process.poll() is None:
            if len(begins) == len(durations) and changed(world, origin):
                begins.append(time.monotonic() - began)
            time.sleep(0.001)
        process.communicate()
        durations.append(time.monotonic() - began)
        assert process.returncode == 0
    return min(begins) * 0.9, max(durations)


def changed(world: SyncedProject, origin: str | None) -> bool:
    """Return True if a sync has begun to write."""
    if origin is None:
        return world.environment.exists()
    return any((world.cache / "files-v1").glob(".tmp-*"))


def phase(world: SyncedProject) -> str:
    """Return what a killed sync was doing, by what it left."""
    if (world.environment / ".polylock-unfinished").exists():
        return "create"
    if any(world.environment.rglob("RECORD.partial")):
        return "change"
    archives = [p for p in world.cache.glob("archives-v*/*/*") if len(p.name) == 64]
    if any((world.cache / "files-v1").glob(".tmp-*")) or not archives:
        return "download"
    return "change" if len(archives) >= len(SETS["new"]) else "unpack"


@pytest.mark.parametrize("part", range(4))
def test_a_sync_that_is_killed_is_mended(
    server: Server, tmp_path: Path, part: int
) -> None:
    """The next sync gives the exact environment and downloads no file anew.

    Half of them begin with nothing, half with another set of packages installed.
    """
    world = SyncedProject(server, tmp_path, delay=_DELAY)
    origin = "old" if part % 2 else None
    world.sync("new")
    expected = world.installed()
    if origin:
        world.come_back(None)
        world.sync(origin)
        world.keep(origin)
    outside = world.outside()
    first, last = begin_and_duration(world, origin)
    moments = random.Random(part)
    phases: dict[str, int] = {}
    for _ in range(8 * _KILLS):
        if sum(phases.values()) == _KILLS:
            break
        world.come_back(origin)
        process = world.start("new")
        try:
            process.wait(moments.uniform(first, last))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        if process.returncode == 0:
            last = max(first, last * 0.9)  # it ended before: the machine is faster now
            continue
        found = phase(world)
        phases[found] = phases.get(found, 0) + 1
        verified = world.verified()
        asked = len(server.log)
        world.sync("new")
        assert world.installed() == expected, found
        assert not verified & set(world.downloaded(asked)), found
        assert world.outside() == outside, found
    assert sum(phases.values()) == _KILLS, phases
    print(f"killed while: {phases}, in {first:.2f} to {last:.2f} s")  # noqa: T201 - evidence
