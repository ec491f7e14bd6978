"""Syncs at once, on one cache and on one environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.synced import SETS, SyncedProject, tree

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.server import Server


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 8])
def test_syncs_of_one_environment(server: Server, tmp_path: Path, count: int) -> None:
    """The result is exact, each file is downloaded once, one process installs."""
    world = SyncedProject(server, tmp_path, delay=0.02)
    world.sync("new")
    expected = world.installed()
    world.come_back(None)
    asked = len(server.log)
    running = [world.start("new") for _ in range(count)]
    ended = [(process.communicate(timeout=120), process) for process in running]
    errors = [err for (_, err), _ in ended]
    assert [process.returncode for _, process in ended] == [0] * count, errors
    assert world.installed() == expected
    downloaded = world.downloaded(asked)
    assert len(downloaded) == len(set(downloaded)) == len(SETS["new"])
    installed = [err for err in errors if "+ alpha 2.0" in err]
    assert len(installed) == 1, errors


@pytest.mark.slow
def test_syncs_of_one_environment_to_two_sets(server: Server, tmp_path: Path) -> None:
    """One after the other: the environment is one set or the other, never a mixture."""
    world = SyncedProject(server, tmp_path)
    wanted = []
    for name in SETS:
        world.come_back(None)
        world.sync(name)
        wanted.append(world.installed())
    running = [world.start(name) for name in (*SETS, *SETS)]
    for process in running:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    assert world.installed() in wanted


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 8])
def test_syncs_of_several_environments(
    server: Server, tmp_path: Path, count: int
) -> None:
    """They share one cache: each file is downloaded once, each environment exact."""
    world = SyncedProject(server, tmp_path, delay=0.02)
    asked = len(server.log)
    places = [tmp_path / f"env{number}" for number in range(count)]
    running = []
    for place in places:
        world.environment = place
        running.append(world.start("new"))
    for process in running:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    downloaded = world.downloaded(asked)
    assert len(downloaded) == len(SETS["new"]) == len(set(downloaded))
    names = {frozenset(tree(place)) for place in places}
    assert len(names) == 1
