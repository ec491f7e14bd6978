"""What was edited or damaged in the cache or in an environment is not passed on."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from fakes.server import Index
from fakes.wheels import build_wheel
from fakes.workspace import Project, Spy, this_target
from polylock.installation.plan import Reason
from polylock.operations.cache import verify_cache
from polylock.operations.sync.sync import SyncOptions, sync

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.server import Server

MODULE = "demo/__init__.py"
TOOL = "demo-1.0.data/scripts/demo-tool"
SHARED = "demo-1.0.data/data/share/demo.txt"
GOOD = {MODULE: "VALUE = 'good'\n", TOOL: "#!python\n# good\n", SHARED: "good\n"}


class World:
    """A project that requires one wheel, synced to two environments."""

    def __init__(self, server: Server, root: Path) -> None:
        self.root = root
        self.server = server
        index = Index(server)
        index.add("demo", [build_wheel(root, "demo", "1.0", files=GOOD)])
        self.project = Project(directory=root / "project", index_url=f"{index.url}/")
        self.project.write(
            '[project]\nname = "app"\nversion = "1"\ndependencies = ["demo"]\n'
            + this_target()
        )
        self.project.lock()
        self.project.sync()

    @property
    def archive(self) -> Path:
        """Return the tree of the one unpacked wheel."""
        (found,) = (self.root / "cache").glob("archives-v*/*/*/content/tree")
        return found

    def installed(self, name: str, venv: str = ".venv") -> Path:
        """Return where a file of the wheel is in an environment."""
        root = self.project.directory / venv
        if name == MODULE:
            (found,) = root.glob("lib/*/site-packages/demo/__init__.py")
            return found
        return root / {TOOL: "bin/demo-tool", SHARED: "share/demo.txt"}[name]

    def fresh(self) -> None:
        """Make a second environment, without a network."""
        shutil.rmtree(self.project.directory / "second", ignore_errors=True)
        venv = self.project.directory / "second"
        self.project.sync(venv=venv, offline=True)

    def is_good(self, venv: str) -> bool:
        """Return True if each file of an environment is as in the wheel."""
        return all("good" in self.installed(each, venv).read_text() for each in GOOD)


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return a project that was synced once."""
    return World(server, tmp_path)


def truncate(path: Path) -> None:
    """Leave nothing of a file."""
    path.write_text("")


def edit(path: Path) -> None:
    """Replace the content in place, by one of the same length."""
    path.write_text(path.read_text().replace("good", "evil"))


def edit_quietly(path: Path) -> None:
    """Do so, and let the times be what they were."""
    before = path.stat()
    edit(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def remove(path: Path) -> None:
    """Remove a file."""
    path.unlink()


DAMAGES = [truncate, edit, remove]


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX environments")
@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_damaged_archive_is_unpacked_again(world: World, name: str) -> None:
    """A further environment gets what was locked, without a download."""
    for damage in DAMAGES:
        damage(world.archive / name)
        world.fresh()
        assert world.is_good("second"), damage


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX environments")
def test_an_edit_through_a_hard_link_stays_where_it_was_made(world: World) -> None:
    """The file in the cache is the same one, and is not given to anybody else."""
    edit(world.installed(MODULE))
    world.fresh()
    assert world.is_good("second")
    assert not world.is_good(".venv")
    world.project.sync(SyncOptions(reinstall=True))
    assert world.is_good(".venv")


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX environments")
@pytest.mark.parametrize(
    "options", [SyncOptions(reinstall=True), SyncOptions(hashes=True)]
)
def test_what_times_do_not_tell_hashes_do(world: World, options: SyncOptions) -> None:
    """``--reinstall`` and ``--hashes`` read what is linked, and what is installed."""
    settings = world.project.with_settings(offline=True)
    for name in sorted(GOOD):
        edit_quietly(world.archive / name)
        if name == TOOL:  # written anew, not linked: nothing of it has changed
            edit_quietly(world.installed(name))
        spy = Spy()
        sync(settings, options, spy)
        assert world.is_good(".venv"), name
        assert any("is unpacked again" in told for told in spy.warnings), name
        assert sync(settings, SyncOptions(hashes=True), spy).up_to_date


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX environments")
def test_check_with_hashes_sees_every_edit(world: World) -> None:
    """Without a change ``sync --check --hashes`` says what it would mend."""
    looked = SyncOptions(hashes=True, dry_run=True)
    assert world.project.sync(looked).up_to_date
    for name in sorted(GOOD):
        for damage in (*DAMAGES, edit_quietly):
            damage(world.installed(name))
            (entry,) = world.project.sync(looked).plan.reinstall
            assert (entry.name, entry.reason) == ("demo", Reason.CHANGED)
            world.project.sync(SyncOptions(hashes=True), offline=True)
            assert world.is_good(".venv"), (name, damage)


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX environments")
def test_the_cache_is_compared_with_hashes(world: World) -> None:
    """What is damaged is named and removed; the rest stays."""
    settings = world.project.with_settings()
    for name in sorted(GOOD):
        for damage in (*DAMAGES, edit_quietly):
            found = verify_cache(settings)
            assert (found.files, found.archives, found.damaged) == (1, 1, [])
            damage(world.archive / name)
            ((path, problem),) = verify_cache(settings).damaged
            assert path.startswith("archives-v")
            assert name in problem
            assert verify_cache(settings).archives == 0
            world.fresh()
            assert world.is_good("second")


def test_a_damaged_file_of_the_cache_is_removed(world: World) -> None:
    """A downloaded wheel is known by its SHA-256."""
    (wheel,) = (world.root / "cache").glob("files-v*/*/*")
    wheel.write_bytes(wheel.read_bytes() + b"x")
    settings = world.project.with_settings()
    ((path, problem),) = verify_cache(settings).damaged
    assert path.startswith("files-v")
    assert problem == "has another hash"
    assert not wheel.exists()


@pytest.mark.skipif(os.name == "nt", reason="modes are of POSIX")
def test_the_umask_of_the_first_unpacking_decides_nothing(world: World) -> None:
    """Files have the mode that the umask of their own sync gives, as with pip."""
    for umask, ordinary, executable in ((0o077, 0o600, 0o700), (0o022, 0o644, 0o755)):
        before = os.umask(umask)
        try:
            world.fresh()
        finally:
            os.umask(before)
        modes = [
            world.installed(each, "second").stat().st_mode & 0o777
            for each in (MODULE, SHARED, TOOL)
        ]
        assert modes == [ordinary, ordinary, executable]
