"""The Python of a sync: that of the target, wherever polylock may see to it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fakes.pythons import real_python
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project
from polylock.environment.discovery import environment_python
from polylock.environment.interpreter import probe
from polylock.environment.venv import read_state, write_state
from polylock.errors import EnvironmentBroken, IndexRequestError, UsageError
from polylock.operations.edit.target_table import table_text, target_table
from polylock.operations.machine import python_release, this_machine
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from pathlib import Path

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHER = "3.12" if HERE != "3.12" else "3.11"
DIRECTORY = str(real_python("this").parent)


class World:
    """A project with one requirement, for one Python at a time."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.server = server
        self.index = Index(server)
        wheels = [build_wheel(tmp_path / "files", "alpha", "1.0")]
        self.index.add("alpha", wheels)
        self.project = Project(
            directory=tmp_path / "own", index_url=f"{self.index.url}/"
        )

    def lock(self, python: str, dependency: str = "alpha") -> None:
        """Write the project for a Python and lock it."""
        base = python_release(probe(real_python("this")))
        found = target_table(this_machine().describe(base))
        kept = ("platform", "libc", "macos")
        table = {key: found[key] for key in kept if key in found}
        self.project.write(
            f'[project]\nname = "own"\nversion = "1"\ndependencies = ["{dependency}"]\n'
            + table_text("cpu", {**table, "python": python})
        )
        self.project.lock()

    @property
    def place(self) -> Path:
        """Return the environment's directory."""
        return self.project.directory / ".venv"

    def release(self) -> str:
        """Return the minor version of the environment's Python."""
        return python_release(probe(environment_python(self.place))).minor_version


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return a world whose environment is of the Python that runs the tests."""
    real_python(OTHER)
    return World(server, tmp_path)


def options(**changes: bool) -> SyncOptions:
    """Return options of a sync that finds both Pythons."""
    paths = [str(real_python(version).parent) for version in ("this", OTHER)]
    search_path = os.pathsep.join([*paths, os.environ["PATH"]])
    return SyncOptions(search_path=search_path, **changes)


def test_an_environment_of_another_python_is_made_anew(world: World) -> None:
    """The target asks for another Python now: target, groups and packages are there."""
    world.lock(HERE)
    world.project.sync(options())
    world.lock(OTHER)
    planned = world.project.sync(options(dry_run=True))
    assert planned.replaced is not None
    assert not planned.up_to_date
    assert world.release() == HERE

    done = world.project.sync(options())
    assert (done.target, done.replaced) == ("cpu", planned.replaced)
    assert [entry.name for entry in done.plan.install] == ["alpha"]
    assert world.release() == OTHER
    assert "alpha" in world.project.installed()
    assert read_state(world.place).created
    assert world.project.sync(options()).up_to_date


def test_everything_is_fetched_before_an_environment_goes(
    world: World, tmp_path: Path
) -> None:
    """An index that fails leaves the environment of the other Python as it was."""
    world.lock(HERE)
    world.project.sync(options())
    world.index.add("beta", [build_wheel(tmp_path / "files", "beta", "1.0")])
    world.lock(OTHER, "beta")
    for path in [each for each in world.server.routes if "/files/" in each]:
        del world.server.routes[path]
    with pytest.raises(IndexRequestError):
        world.project.sync(options(), cache_dir=tmp_path / "empty")
    assert world.release() == HERE
    assert "alpha" in world.project.installed()


def test_an_environment_of_somebody_else_is_left_alone(world: World) -> None:
    """The error says which Python it has, which the target wants, and what to do."""
    subprocess.run(
        [real_python("this"), "-m", "venv", "--without-pip", world.place], check=True
    )
    world.lock(OTHER)
    for asked in (options(), options(force_target=True)):
        with pytest.raises(EnvironmentBroken) as caught:
            world.project.sync(asked, target="cpu")
        assert f"target cpu is for Python {OTHER}" in str(caught.value)
        assert "--venv" in (caught.value.hint() or "")
    with pytest.raises(EnvironmentBroken, match="is for Python"):
        world.project.sync(options())
    assert world.release() == HERE


def test_a_python_that_is_not_the_targets_is_refused(world: World) -> None:
    """The hint is to leave --python out, not to add a target; nothing is made."""
    world.lock(HERE)
    for target in ("cpu", None):
        with pytest.raises(UsageError, match="--python") as caught:
            world.project.sync(options(), python=OTHER, target=target)
        assert f"target cpu is for Python {HERE}" in str(caught.value)
        assert "omit --python" in (caught.value.hint() or "")
        assert not world.place.exists()
    world.project.sync(options())
    with pytest.raises(UsageError, match="--python"):
        world.project.sync(options(), python=OTHER)
    assert world.release() == HERE


def test_another_patch_release_will_do_where_there_is_no_better(world: World) -> None:
    """A forced target of a patch release that is not here keeps its environment."""
    world.lock(HERE)
    world.project.sync(options())
    write_state(world.place, read_state(world.place))
    world.lock(f"{HERE}.99")
    done = world.project.sync(options(force_target=True))
    assert done.replaced is None
    assert done.up_to_date
