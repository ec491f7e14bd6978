"""The Python of a sync: that of the target, wherever polylock may see to it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from fakes.installations import make_interpreter
from fakes.pythons import fake_python, real_python, this_python
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, Spy
from polylock.cache.store import Store
from polylock.environment.discovery import environment_python
from polylock.environment.interpreter import probe
from polylock.environment.venv import read_state, write_state
from polylock.errors import EnvironmentBroken, IndexRequestError, UsageError
from polylock.operations.chosen import Chosen
from polylock.operations.edit.target_table import table_text, target_table
from polylock.operations.machine import python_release, this_machine
from polylock.operations.sync.choose_target import Chooser, UnmetPin
from polylock.operations.sync.run import existing_environment
from polylock.operations.sync.sync import SyncOptions, sync

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
        base = python_release(this_python())
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


def options(**changes: Any) -> SyncOptions:  # noqa: ANN401 - those of SyncOptions
    """Return options of a sync that finds both Pythons, and none of the system."""
    paths = [str(real_python(version).parent) for version in ("this", OTHER)]
    return SyncOptions(search_path=os.pathsep.join(paths), **changes)


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


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts as Pythons")
@pytest.mark.parametrize(
    ("pinned", "chosen", "unmet"),
    [
        ("3.12.98", "3.12.98", None),
        ("3.12.97", "3.12.99", UnmetPin(version="3.12.97", target="cpu")),
        (
            "3.11",
            "3.12.99",
            UnmetPin(version="3.11", target="cpu", allowed=("3.12",)),
        ),
        ("3.12", "3.12.99", None),
        ("nonsense", "3.12.99", None),
        (None, "3.12.99", None),
    ],
)
def test_a_version_file_chooses_where_the_target_leaves_it_open(
    world: World,
    tmp_path: Path,
    pinned: str | None,
    chosen: str,
    unmet: UnmetPin | None,
) -> None:
    """The target says 3.12: a patch release of it counts if there is such a Python."""
    world.lock("3.12")
    for directory, version in (("first", "3.12.99"), ("second", "3.12.98")):
        interpreter = msgspec.structs.replace(
            make_interpreter(tmp_path / directory), version=version
        )
        fake_python(tmp_path / directory / "python3.12", interpreter)
    version_file = world.project.directory / ".python-version"
    if pinned is not None:
        version_file.write_text(pinned)
    chooser = Chooser(
        pylock=world.project.pylock,
        place=world.place,
        chosen=Chosen(),
        python=None,
        search_path=os.pathsep.join(
            [str(tmp_path / "first"), str(tmp_path / "second")]
        ),
        store=Store(tmp_path / "probes"),
        version_file=version_file,
    )
    choice = chooser.choose("cpu", remembered=None, forced=True)
    assert choice.interpreter.version == chosen
    assert chooser.unmet_pin(choice) == unmet


@pytest.mark.parametrize(
    ("pinned", "why"),
    [
        (f"{HERE}.99", "which was not found"),
        ("3.2", f"and target cpu is for Python {HERE}"),
    ],
)
def test_a_version_that_a_new_environment_lacks_is_told_once(
    world: World, pinned: str, why: str
) -> None:
    """An environment that exists is not compared with it."""
    world.lock(HERE)
    (world.project.directory / ".python-version").write_text(f"{pinned}\n")
    spy = Spy()
    for _ in range(2):
        sync(world.project.with_settings(), options(), spy)
    told = [note for note in spy.notes if ".python-version" in note]
    assert len(told) == 1
    assert told[0].startswith(f".python-version asks for Python {pinned}, {why}: using")


def moved(world: World, how: str) -> World:
    """Move or copy the project with its environment; return the world of the result."""
    old = world.project.directory
    new = old.with_name("elsewhere")
    if how == "moved":
        old.rename(new)
    else:
        shutil.copytree(old, new, symlinks=True)
    world.project.directory = new
    return world


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_an_environment_that_was_moved_or_copied_is_recreated(
    world: World, how: str
) -> None:
    """Its scripts would run those of the original, or nothing at all."""
    script = build_wheel(
        world.project.directory.parent / "files",
        "gamma",
        "1.0",
        files={"gamma.py": "def main():\n    import sys\n    print(sys.prefix)\n"},
        entry_points="[console_scripts]\ngamma = gamma:main\n",
    )
    world.index.add("gamma", [script])
    world.lock(HERE, "gamma")
    world.project.sync(options())
    old = world.place
    moved(world, how)
    with pytest.raises(EnvironmentBroken, match=f"moved or copied from {old}"):
        existing_environment(world.project.with_settings())
    done = world.project.sync(options())
    assert done.replaced is not None
    assert existing_environment(world.project.with_settings()) == world.place
    command = environment_python(world.place).with_name("gamma")
    ran = subprocess.run([command], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(world.place)
    assert world.project.sync(options()).up_to_date


def test_one_environment_under_two_names_is_not_moved(world: World) -> None:
    """A link to the directory of the project leads to the same environment."""
    world.lock(HERE)
    world.project.sync(options())
    link = world.project.directory.with_name("link")
    link.symlink_to(world.project.directory, target_is_directory=True)
    world.project.directory = link
    assert world.project.sync(options()).up_to_date


def test_packages_of_somebody_elses_environment_are_reinstalled(world: World) -> None:
    """Polylock did not create it, so it stays, and its scripts are written again."""
    subprocess.run(
        [real_python("this"), "-m", "venv", "--without-pip", world.place], check=True
    )
    world.lock(HERE)
    world.project.sync(options())
    moved(world, "moved")
    done = world.project.sync(options())
    assert done.replaced is None
    assert [entry.name for entry in done.plan.reinstall] == ["alpha"]
    assert world.project.sync(options()).up_to_date


def test_an_environment_whose_python_is_gone_is_recreated(world: World) -> None:
    """As in an image after an update of its Python."""
    world.lock(HERE)
    world.project.sync(options())
    python = environment_python(world.place)
    python.unlink()
    python.symlink_to(world.place / "python-of-before")
    with pytest.raises(EnvironmentBroken, match="is gone") as caught:
        existing_environment(world.project.with_settings())
    assert caught.value.hint() == "run `polylock sync`"
    planned = world.project.sync(options(dry_run=True))
    done = world.project.sync(options())
    assert done.replaced == planned.replaced
    assert "alpha" in world.project.installed()
    assert world.project.sync(options()).up_to_date


def test_somebody_elses_environment_whose_python_is_gone_stays(world: World) -> None:
    """The error says what to do with it; it is not recreated."""
    subprocess.run(
        [real_python("this"), "-m", "venv", "--without-pip", world.place], check=True
    )
    world.lock(HERE)
    world.project.sync(options())
    environment_python(world.place).unlink()
    with pytest.raises(EnvironmentBroken, match="its Python does not work") as caught:
        world.project.sync(options())
    assert "polylock did not create this environment" in str(caught.value.hint())


@pytest.mark.parametrize(
    "text", ["../shared/env\n", "{}/shared/env", "\ufeff../shared/env"]
)
def test_a_file_may_name_the_environment(world: World, text: str) -> None:
    """Relative to the file, or absolute; the environment is created there."""
    world.lock(HERE)
    root = world.project.directory.parent
    world.place.write_text(text.format(root), "utf-8")
    done = world.project.sync(options())
    assert done.environment.samefile(root / "shared" / "env")
    assert existing_environment(world.project.with_settings()).samefile(
        root / "shared" / "env"
    )
    assert world.place.is_file()
    assert world.project.sync(options()).up_to_date


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"KEY=value\n",
        b"export KEY=value\n",
        b"\xff\xfe\x00",
        b"a\nb\n",
        b"a\x1b[0m",
        b"pyproject.toml",
        b"a/" * 2100,
        b"a" * 400,
    ],
)
def test_any_other_file_is_named_as_what_it_is(world: World, content: bytes) -> None:
    """Nothing is written."""
    world.lock(HERE)
    world.place.write_bytes(content)
    with pytest.raises(EnvironmentBroken, match="does not name a virtual environment"):
        world.project.sync(options())
    assert world.place.read_bytes() == content


def test_a_link_that_leads_nowhere_is_told_by_both(world: World) -> None:
    """By a sync and by one that only looks; the link stays, and nothing is made."""
    world.lock(HERE)
    target = world.project.directory / "gone"
    world.place.symlink_to(target, target_is_directory=True)
    words = f"is a link to {re.escape(str(target))}, which does not exist"
    for asked in (options(), options(dry_run=True)):
        with pytest.raises(EnvironmentBroken, match=words):
            world.project.sync(asked)
    assert world.place.is_symlink()
    assert not target.exists()


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
