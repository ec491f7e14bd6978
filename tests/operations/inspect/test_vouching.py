"""A change of the lock file alone does not change what runs unnoticed."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import TYPE_CHECKING

import pytest

from fakes.repositories import source_tree
from fakes.server import Index, Server
from fakes.wheels import build_sdist, build_wheel
from fakes.workspace import Project, Spy, this_target
from polylock.errors import LockFileOutdated, UsageError
from polylock.lockfile.freshness import DifferenceKind
from polylock.operations.inspect.check import check
from polylock.operations.inspect.verify import DisagreementKind as Kind
from polylock.operations.inspect.verify import verify
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from pathlib import Path

ANY = SyncOptions(search_path=os.environ.get("PATH", ""))
FROZEN = SyncOptions(search_path=os.environ.get("PATH", ""), frozen=True)


class World:
    """A project that locks demo and helper, and what somebody else has on the index."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.root = tmp_path
        self.index = Index(server)
        self.project = Project(
            directory=tmp_path / "project",
            index_url=f"{self.index.url}/",
            settings={"python": sys.executable},
        )
        files = tmp_path / "files"
        self.add(build_wheel(files, "demo", "1.0", requires=["helper>=2"]), "demo")
        self.helper = build_wheel(files, "helper", "2.0")
        self.old_helper = build_wheel(files, "helper", "1.0")
        self.add(self.helper, "helper")
        self.evil = build_wheel(files, "evil", "6.6")
        self.add(self.evil, "evil")
        self.write()
        self.project.lock()

    def add(self, file: Path, name: str, *more: Path) -> None:
        """Put files of a project on the index."""
        self.index.add(name, [file, *more])

    def write(self, *requirements: str, sources: str = "") -> None:
        """Write the project file."""
        wanted = list(requirements or ("demo",))
        self.project.write(
            f'[project]\nname = "a"\nversion = "1"\ndependencies = {wanted!r}\n'
            f"[tool.polylock.sources]\n{sources}\n{this_target()}"
        )

    @property
    def lock(self) -> str:
        """Return the text of the lock file."""
        return self.project.lock_path.read_text("utf-8")

    def edit(self, old: str, new: str) -> None:
        """Change the lock file as the author of a pull request could."""
        assert old in self.lock
        self.project.lock_path.write_text(self.lock.replace(old, new, 1), "utf-8")

    def entry(self, name: str) -> str:
        """Return the text of an entry."""
        rest = self.lock.partition(f'[[packages]]\nname = "{name}"\n')[2]
        ends = [rest.find(mark) for mark in ("[[packages]]", "[tool.")]
        end = min(each for each in ends if each >= 0)
        return f'[[packages]]\nname = "{name}"\n{rest[:end]}'

    def differences(self) -> list[str]:
        """Return what check tells."""
        found = check(self.project.with_settings()).differences
        return [str(each) for each in found]

    def kinds(self) -> list[tuple[str, Kind]]:
        """Return what verify tells."""
        outcome = verify(self.project.with_settings(), Spy(), download=False)
        return [(found.name, found.kind) for found in outcome.disagreements]

    def insert_evil(self) -> None:
        """Add an entry of a file that really is on the index."""
        helper = self.entry("helper")
        sha256 = hashlib.sha256(self.evil.read_bytes()).hexdigest()
        old = hashlib.sha256(self.helper.read_bytes()).hexdigest()
        evil = (
            helper.replace('name = "helper"', 'name = "evil"')
            .replace('version = "2.0"', 'version = "6.6"')
            .replace(self.helper.name, self.evil.name)
            .replace(old, sha256)
            .replace(str(self.helper.stat().st_size), str(self.evil.stat().st_size))
        )
        self.edit(helper, evil + helper)


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return a locked project."""
    return World(server, tmp_path)


def test_what_was_just_locked_is_vouched_for(world: World) -> None:
    """Neither check nor verify nor sync has anything to tell."""
    assert world.differences() == []
    assert world.kinds() == []
    world.project.sync(ANY)
    assert {"demo", "helper"} <= set(world.project.installed())


DIRECT = {
    "absolute directory": 'directory = {{ path = "{root}/tree" }}\n',
    "directory above": 'directory = {{ path = "../tree", editable = true }}\n',
    "archive": (
        'archive = {{ path = "../evil.tar.gz", hashes = {{ sha256 = "{0}" }} }}\n'
    ),
    "archive of a server": (
        'archive = {{ url = "http://127.0.0.1:9/evil-1.tar.gz", '
        'hashes = {{ sha256 = "{0}" }} }}\n'
    ),
    "repository": (
        'vcs = {{ type = "git", url = "https://127.0.0.1:9/evil.git", '
        'commit-id = "{1}" }}\n'
    ),
}


@pytest.mark.parametrize("kind", DIRECT)
def test_a_direct_source_that_the_project_does_not_name(
    world: World, kind: str
) -> None:
    """Check names it, and sync refuses it before anything of it runs."""
    source_tree(world.root / "tree", "helper")
    place = world.root.as_posix()
    text = DIRECT[kind].format("0" * 64, "0" * 40, root=place)
    old = world.entry("helper")
    head = '[[packages]]\nname = "helper"\n'
    world.edit(old, f"{head}{text}\n")
    (line,) = world.differences()
    assert line.startswith("helper is locked from ")
    assert line.endswith(", the project has it from an index")
    with pytest.raises(LockFileOutdated):
        world.project.sync(ANY)
    assert not (world.project.directory / ".venv").exists()


def test_a_source_of_the_project_in_another_place(world: World) -> None:
    """The path, the flag and the subdirectory are those of the project file."""
    source_tree(world.root / "lib", "lib")
    source_tree(world.root / "other", "lib")
    world.write("lib", sources='lib = { path = "../lib" }')
    world.project.lock()
    assert world.differences() == []
    for old, new in (
        ('path = "../lib"', 'path = "../other"'),
        ('path = "../lib"', 'path = "../lib", editable = true'),
    ):
        before = world.lock
        entry = world.entry("lib")
        world.edit(entry, entry.replace(old, new))
        kinds = {each.kind for each in check(world.project.with_settings()).differences}
        assert kinds == {DifferenceKind.DIRECT}
        world.project.lock_path.write_text(before, "utf-8")


def test_an_index_in_place_of_the_source_of_the_project(world: World) -> None:
    """A file of the same name on an index is not what the project names."""
    source_tree(world.root / "lib", "helper", "2.0")
    files = world.entry("helper")
    world.write("demo", sources='helper = { path = "../lib" }')
    world.project.lock()
    assert world.differences() == []
    world.edit(world.entry("helper"), files)
    (line,) = world.differences()
    assert line == "helper is locked from an index, the project has it from ../lib"


def test_a_source_distribution_of_no_index(world: World) -> None:
    """Check names it: no index vouches for what a backend would run."""
    entry = world.entry("helper")
    sha256 = "0" * 64
    world.edit(
        entry,
        '[[packages]]\nname = "helper"\nversion = "2.0"\n'
        'sdist = { path = "helper-2.0.tar.gz", '
        f'hashes = {{ sha256 = "{sha256}" }} }}\n\n',
    )
    (line,) = world.differences()
    assert "helper-2.0.tar.gz, which is on no index of the project" in line


def test_a_source_distribution_in_place_of_a_wheel(world: World) -> None:
    """Verify tells that the index has a wheel, so nothing needs to be built."""
    sdist = build_sdist(world.root / "files", "helper", "2.0")
    world.add(world.helper, "helper", sdist)
    sha256 = hashlib.sha256(sdist.read_bytes()).hexdigest()
    entry = world.entry("helper")
    index = entry.partition('index = "')[2].partition('"')[0]
    url = f"{world.index.url.removesuffix('/simple')}{world.index.file(sdist.name)}"
    world.edit(
        entry,
        f'[[packages]]\nname = "helper"\nversion = "2.0"\nindex = "{index}"\n'
        f'sdist = {{ url = "{url}", hashes = {{ sha256 = "{sha256}" }} }}\n\n',
    )
    assert world.differences() == []
    assert world.kinds() == [("helper", Kind.SDIST)]


def test_a_package_that_nothing_requires(world: World) -> None:
    """Its file is on the index and its hash is right; check tells it, offline."""
    world.insert_evil()
    assert world.differences() == ["evil 6.6 is locked for here, but not required"]
    assert world.kinds() == [("evil", Kind.UNREQUIRED)]
    with pytest.raises(LockFileOutdated):
        world.project.sync(ANY)


def test_a_requirement_that_only_the_lock_file_tells(world: World) -> None:
    """An edge that is written beside it deceives check and not verify."""
    world.insert_evil()
    demo = world.entry("demo")
    edge = next(line for line in demo.splitlines() if 'name = "helper"' in line)
    both = f"{edge}\n{edge.replace('helper', 'evil')}"
    world.edit(demo, demo.replace(edge, both))
    assert world.differences() == []
    assert world.kinds() == [("evil", Kind.UNREQUIRED)]


def test_a_version_that_is_not_required(world: World) -> None:
    """Another version of the index than the metadata of its dependents allows."""
    world.add(world.helper, "helper", world.old_helper)
    entry = world.entry("helper")
    pairs = [
        (hashlib.sha256(path.read_bytes()).hexdigest(), path)
        for path in (world.helper, world.old_helper)
    ]
    world.edit(
        entry,
        entry.replace("2.0", "1.0")
        .replace(pairs[0][0], pairs[1][0])
        .replace(
            str(world.helper.stat().st_size), str(world.old_helper.stat().st_size)
        ),
    )
    assert world.kinds() == [("demo", Kind.REQUIREMENT)]


def test_a_package_that_was_taken_away(world: World) -> None:
    """What is required and not locked is told by verify."""
    world.edit(world.entry("helper"), "")
    assert world.kinds() == [("demo", Kind.REQUIREMENT)]


@pytest.mark.parametrize("recorded", [True, False])
def test_nobody_vouches_without_a_project_file(world: World, *, recorded: bool) -> None:
    """A lone lock file with a tree is taken at its word with --frozen alone."""
    source_tree(world.root / "lib", "lib")
    world.write("lib", sources='lib = { path = "../lib" }')
    world.project.lock()
    if not recorded:
        text = world.lock
        world.project.lock_path.write_text(
            text[: text.index("[tool.polylock")], "utf-8"
        )
    (world.project.directory / "pyproject.toml").unlink()
    with pytest.raises(UsageError, match="no project file beside it") as caught:
        world.project.sync(ANY, project=None, lock_file=world.project.lock_path)
    assert "--frozen" in str(caught.value.hint())
    assert not (world.project.directory / ".venv").exists()
    world.project.sync(FROZEN, project=None, lock_file=world.project.lock_path)
    assert "lib" in world.project.installed()


@pytest.mark.parametrize("kind", ["path", "url"])
def test_a_wheel_on_disk_that_no_index_has(world: World, kind: str) -> None:
    """Its hash is the lock file's own word, so check names it and sync refuses it."""
    mine = build_wheel(world.root / "bad", "helper", "2.0", files={"helper.py": "1\n"})
    place = mine.as_uri() if kind == "url" else f"../bad/{mine.name}"
    sha256 = hashlib.sha256(mine.read_bytes()).hexdigest()
    entry = world.entry("helper")
    wheel = f'{{ {kind} = "{place}", hashes = {{ sha256 = "{sha256}" }} }}'
    world.edit(
        entry,
        '[[packages]]\nname = "helper"\nversion = "2.0"\n'
        f'index = "{world.project.index_url}"\nwheels = [{wheel}]\n\n',
    )
    (line,) = world.differences()
    assert f"{place}, which is on no index of the project" in line
    with pytest.raises(LockFileOutdated):
        world.project.sync(ANY)


def test_a_marker_that_no_machine_meets(world: World) -> None:
    """Check tells that what the project requires is not installed everywhere."""
    head = '[[packages]]\nname = "demo"\n'
    entry = world.entry("demo")
    marker = "marker = \"platform_release == 'never'\"\n"
    lines = [
        line
        for line in entry.splitlines(keepends=True)
        if not line.startswith("marker")
    ]
    edited = "".join(lines).replace("version = ", f"{marker}version = ", 1)
    assert edited.startswith(head)
    world.edit(entry, edited)
    (line,) = world.differences()
    assert line.endswith("demo is required, the lock has none")


def test_such_a_marker_on_what_another_package_requires(world: World) -> None:
    """Verify tells it from the metadata of the file that requires it."""
    entry = world.entry("helper")
    marker = "marker = \"platform_release == 'never'\"\n"
    lines = [
        line
        for line in entry.splitlines(keepends=True)
        if not line.startswith("marker")
    ]
    world.edit(entry, "".join(lines).replace("version = ", f"{marker}version = ", 1))
    assert ("demo", Kind.REQUIREMENT) in world.kinds()


CHANGES = (
    *DIRECT,
    "a wheel on disk",
    "a wheel of a file URL",
    "a marker that no machine meets",
    "such a marker on what another package requires",
    "another path than the project's",
    "another flag than the project's",
    "an index in place of a source",
    "a source distribution of no index",
    "a source distribution in place of a wheel",
    "a package that nothing requires",
    "a requirement that only the lock file tells",
    "a version that is not required",
    "a package taken away",
    "a lone lock file with a tree",
)
"""What the page on safety counts."""


def _choose(world: World) -> None:
    """Require evil in group test and extra fast alone, which is honest."""
    world.project.write(
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["demo"]\n'
        '[project.optional-dependencies]\nfast = ["evil"]\n'
        f'[dependency-groups]\ntest = ["evil"]\n{this_target()}'
    )
    world.project.lock()
    assert world.differences() == []
    assert world.kinds() == []


@pytest.mark.parametrize(
    "marker",
    [
        "",
        "marker = \"python_version >= '3'\"",
        "marker = \"'here' in dependency_groups\"",
    ],
)
def test_a_package_of_a_group_is_not_installed_without_it(
    world: World, marker: str
) -> None:
    """A marker that admits more choices than require the package is told by both."""
    _choose(world)
    entry = world.entry("evil")
    old = next(line for line in entry.splitlines() if line.startswith("marker"))
    world.edit(entry, entry.replace(old, marker))
    assert world.differences() == ["evil 6.6 is locked for here, but not required"]
    assert world.kinds() == [("evil", Kind.UNREQUIRED)]
    with pytest.raises(LockFileOutdated):
        world.project.sync(ANY)


def test_a_group_is_not_installed_with_another(world: World) -> None:
    """Nor is a package of an extra with a group."""
    _choose(world)
    world.project.write(
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["demo"]\n'
        '[project.optional-dependencies]\nfast = ["evil"]\n'
        f'[dependency-groups]\ntest = ["helper"]\n{this_target()}'
    )
    world.project.lock()
    assert world.differences() == []
    world.edit("'fast' in extras", "'fast' in extras or 'test' in dependency_groups")
    assert world.differences() == ["evil 6.6 is locked for here, but not required"]
    assert world.kinds() == [("evil", Kind.UNREQUIRED)]


@pytest.mark.parametrize(
    "file",
    ["helper-2.0-cp399-cp399-win_amd64.whl", "helper-2.0.tar.gz"],
)
def test_a_file_that_no_target_installs(world: World, file: str) -> None:
    """Polylock would not take it, and other installers may."""
    entry = world.entry("helper")
    hashes = f'hashes = {{ sha256 = "{"1" * 64}" }}'
    table = f'url = "https://evil.example.com/{file}", size = 5, {hashes}'
    if file.endswith(".whl"):
        edited = entry.replace("wheels = [", f"wheels = [\n    {{ {table} }},", 1)
    else:
        edited = entry.replace("wheels = [", f"sdist = {{ {table} }}\nwheels = [", 1)
    world.edit(entry, edited)
    assert world.kinds() == [("helper", Kind.UNSELECTED)]
