"""What a sync refuses or tells beforehand."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from fakes.pythons import real_python, sites_of
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, Spy, this_target
from polylock.environment.venv import EnvironmentState, read_state, write_state
from polylock.errors import TargetMismatch, UsageError
from polylock.operations.sync.sync import SyncOptions, SyncOutcome, sync

if TYPE_CHECKING:
    from pathlib import Path

OTHER_SYSTEM = "macos-arm64" if sys.platform != "darwin" else "linux-x86_64"
NOT_LOCKED = ("polylock", "solver", "unrelated")


class World:
    """A project that requires alpha, and an environment that nobody has made yet."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.files = tmp_path / "files"
        index = Index(server)
        index.add("alpha", [build_wheel(self.files, "alpha", "1.0")])
        self.project = Project(
            directory=tmp_path / "own",
            index_url=f"{index.url}/",
            settings={"python": sys.executable},
        )
        self.place = self.project.directory / ".venv"
        self.spy = Spy()

    def lock(self, more: str = "") -> None:
        """Write the project and lock it."""
        self.project.write(
            '[project]\nname = "own-project"\nversion = "1"\n'
            f'dependencies = ["alpha"]\n{more}{this_target()}'
        )
        self.project.lock()

    def sync(self, target: str | None = None, **options: Any) -> SyncOutcome:  # noqa: ANN401 - those of SyncOptions
        """Sync with a new reporter."""
        self.spy = Spy()
        asked = SyncOptions(search_path=os.environ["PATH"], **options)
        return sync(self.project.with_settings(target=target), asked, self.spy)

    def install(self, name: str, *requires: str) -> None:
        """Put a distribution into the environment, as another installer does."""
        wheel = build_wheel(self.files, name, "2.0", requires=list(requires))
        (site, *_) = sites_of(self.place)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)

    def make_foreign(self) -> None:
        """Make an environment without polylock, with polylock and more in it."""
        python = real_python("this")
        subprocess.run([python, "-m", "venv", "--without-pip", self.place], check=True)
        self.install("polylock", "solver>=1", 'wand; extra == "magic"')
        self.install("solver")
        self.install("unrelated")


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return a world with a locked project."""
    world = World(server, tmp_path)
    world.lock()
    return world


@pytest.mark.parametrize("dry_run", [True, False])
def test_polylock_does_not_remove_itself(
    world: World, monkeypatch: pytest.MonkeyPatch, *, dry_run: bool
) -> None:
    """Where it runs from the environment, what it needs must stay, or the sync not."""
    world.make_foreign()
    monkeypatch.setattr(sys, "prefix", str(world.place))
    with pytest.raises(UsageError, match="runs from") as caught:
        world.sync(dry_run=dry_run)
    assert "where polylock, solver would be removed" in str(caught.value)
    assert "--venv" in (caught.value.hint() or "")
    assert set(world.project.installed()) == set(NOT_LOCKED)


def test_polylock_changes_what_it_does_not_need(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may run from the environment as long as it takes nothing of its own away."""
    world.make_foreign()
    world.sync()
    world.install("unrelated")
    monkeypatch.setattr(sys, "prefix", str(world.place))
    world.sync()
    assert set(world.project.installed()) == {"alpha"}


def test_first_sync_tells_what_it_removes(world: World) -> None:
    """An environment that somebody else made is exact as well; it is told before."""
    world.make_foreign()
    for dry_run in (True, False):
        world.sync(dry_run=dry_run)
        (warning,) = world.spy.warnings
        assert "not created by polylock" in warning
        assert "polylock 2.0, solver 2.0, unrelated 2.0" in warning
    world.install("unrelated")
    assert world.sync().plan.remove
    assert world.spy.warnings == []


def test_forced_target_is_told_each_time(world: World) -> None:
    """The set of another machine is remembered, and never taken for this one's."""
    world.lock(
        f'[tool.polylock.targets.far]\nplatform = "{OTHER_SYSTEM}"\n'
        f'python = "{sys.version_info.major}.{sys.version_info.minor}"\n'
    )
    world.sync("far", force_target=True)
    assert world.spy.warnings == []
    for _ in range(2):
        assert world.sync().target == "far"
        (warning,) = world.spy.warnings
        assert "target far was chosen with --force-target" in warning
        assert "operating system" in warning
    with pytest.raises(TargetMismatch):
        world.sync(reinstall=True)
    assert world.sync("auto").target == "here"
    assert world.spy.warnings == []
    assert not read_state(world.place).forced


def test_forced_target_that_this_machine_is_needs_no_warning(world: World) -> None:
    """To force what fits anyhow is to choose it."""
    world.sync("here", force_target=True)
    assert not read_state(world.place).forced
    world.sync()
    assert world.spy.warnings == []


@pytest.mark.parametrize(
    "file", ["src/own_project/__init__.py", "own_project/__init__.py", "own_project.py"]
)
def test_project_without_build_system_is_told_once(world: World, file: str) -> None:
    """Where there is code to import, the first sync says that it is not installed."""
    path = world.project.directory / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    world.sync()
    (note,) = world.spy.notes
    assert "the project itself is not installed" in note
    assert "[build-system]" in note
    world.sync()
    assert world.spy.notes == []


def test_project_without_code_is_told_nothing(world: World) -> None:
    """A list of requirements is not expected to be installed."""
    (world.project.directory / "notes.py").touch()
    world.sync()
    assert world.spy.notes == []


def test_remembered_group_that_is_gone_is_forgotten(world: World) -> None:
    """The project had the group once; an environment does not insist on it."""
    world.sync()
    state = EnvironmentState(
        created=True, target="here", groups=("gone",), extras=("none",)
    )
    write_state(world.place, state)
    outcome = world.sync()
    assert (outcome.groups, outcome.extras) == ((), ())
