"""Verify a lock file against a loopback index that changes its mind."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from fakes.sdists import in_tree
from fakes.server import Answer, Index, Server
from fakes.wheels import build_sdist, build_wheel
from fakes.workspace import Project, Spy, this_target
from polylock.errors import IndexRequestError, UsageError
from polylock.operations.inspect.check import check
from polylock.operations.inspect.verify import DisagreementKind as Kind
from polylock.operations.inspect.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.operations.inspect.verify import VerifyOutcome


class World:
    """A project that locks demo 1.0 and helper 2.0 from an index on loopback."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.server = server
        self.index = Index(server)
        self.project = Project(
            directory=tmp_path / "project",
            index_url=f"{self.index.url}/",
            settings={"python": sys.executable},
        )
        files = tmp_path / "files"
        self.demo = build_wheel(files, "demo", "1.0", requires=["helper"])
        self.helper = build_wheel(files, "helper", "2.0")
        self.index.add("demo", [self.demo])
        self.index.add("helper", [self.helper])
        self.write("demo")
        self.project.lock()

    def write(self, *requirements: str) -> None:
        """Write the project file."""
        self.project.write(
            '[project]\nname = "a"\nversion = "1"\n'
            f"dependencies = {list(requirements)!r}\n{this_target()}"
        )

    def edit(self, old: str, new: str) -> None:
        """Change the lock file as somebody with access to it could."""
        text = self.project.lock_path.read_text("utf-8")
        assert old in text
        self.project.lock_path.write_text(text.replace(old, new), "utf-8")

    def verify(self, *, download: bool = False, **changes: object) -> VerifyOutcome:
        """Verify the lock file."""
        settings = self.project.with_settings(**changes)
        return verify(settings, Spy(), download=download)

    def kinds(self, *, download: bool = False) -> list[tuple[str, Kind]]:
        """Return the project and kind of each disagreement."""
        outcome = self.verify(download=download)
        return [(found.name, found.kind) for found in outcome.disagreements]


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return a locked project."""
    return World(server, tmp_path)


def test_an_unchanged_index_agrees(world: World) -> None:
    """All files are compared, and nothing is found."""
    outcome = world.verify(download=True)
    assert outcome.agrees
    assert (outcome.packages, outcome.files) == (2, 2)
    assert outcome.unverified == ()


def test_a_changed_hash(world: World) -> None:
    """The index gives another hash for the same file name."""
    world.index.add("helper", [world.helper], row={"hashes": {"sha256": "0" * 64}})
    assert world.kinds() == [("helper", Kind.HASH)]
    (found,) = world.verify().disagreements
    assert "helper 2.0: helper-2.0-py3-none-any.whl is locked with sha256:" in str(
        found
    )
    assert found.targets == ("here",)


def test_a_changed_size(world: World) -> None:
    """The hash alone would do, but a size that differs says that something is odd."""
    world.index.add("helper", [world.helper], row={"size": 7})
    assert world.kinds() == [("helper", Kind.SIZE)]


def test_a_removed_file_and_a_removed_release(world: World) -> None:
    """The project is there, but not the file that is locked."""
    other = build_wheel(world.helper.parent, "helper", "2.1")
    world.index.add("helper", [other])
    assert world.kinds() == [("helper", Kind.REMOVED)]
    (found,) = world.verify().disagreements
    assert "helper-2.0-py3-none-any.whl is not on http" in str(found)
    same = build_wheel(world.helper.parent, "helper", "2.0", tag="py2.py3-none-any")
    world.index.add("helper", [same])
    assert world.kinds() == [("helper", Kind.REMOVED)]


def test_a_removed_project(world: World) -> None:
    """No index has the project any more."""
    del world.server.routes[world.index.page("helper")]
    assert world.kinds() == [("helper", Kind.NO_PROJECT)]


def test_a_yanked_file(world: World) -> None:
    """The reason of the yank is told."""
    world.index.add("helper", [world.helper], row={"yanked": "leaks memory"})
    (found,) = world.verify().disagreements
    assert (found.kind, found.found) == (Kind.YANKED, "leaks memory")
    assert not world.verify().agrees


def test_a_yanked_file_that_the_project_pins_is_no_failure(world: World) -> None:
    """PEP 592 lets ``==`` take a yanked file, so the project knows."""
    world.write("demo", "helper==2.0")
    world.project.lock()
    world.index.add("helper", [world.helper], row={"yanked": True})
    outcome = world.verify()
    assert [found.expected for found in outcome.disagreements] == [True]
    assert outcome.agrees


def test_another_host(world: World) -> None:
    """A lock file that names a mirror is told from one that names an imitation."""
    world.edit(world.server.url, "http://mirror.example.org")
    outcome = world.verify()
    assert {found.kind for found in outcome.disagreements} == {Kind.HOST, Kind.INDEX}
    assert outcome.disagreements[0].locked.startswith("http://mirror.example.org")


def test_a_host_that_looks_like_the_index(world: World) -> None:
    """One file of the lock file comes from a host that imitates the index's."""
    page = world.index.page("helper")
    answer = world.server.routes[page]
    real, fake = b"https://files.example.com", "https://files.exarnple.com"
    there = world.server.url.encode() + b"/files"
    world.server.routes[page] = Answer(
        body=answer.body.replace(there, real + b"/files"),
        content_type=answer.content_type,
    )
    world.edit(
        f"{world.server.url}{world.index.file(world.helper.name)}",
        f"{fake}{world.index.file(world.helper.name)}",
    )
    found, unread = world.verify().disagreements
    assert unread.kind is Kind.METADATA  # that of the index is not reached from here
    assert (found.kind, found.locked, found.found) == (
        Kind.LOOK_ALIKE,
        fake,
        "files.example.com",
    )
    assert "do not install it" in str(found)


def test_the_index_of_the_lock_file_is_not_believed(world: World) -> None:
    """Whoever changes a hash could name an index that agrees with it."""
    liar = Index(world.server, "/liar")
    liar.add("helper", [world.helper], row={"hashes": {"sha256": "0" * 64}})
    text = world.project.lock_path.read_text("utf-8")
    (entry,) = [
        p for p in text.split("[[packages]]") if p.startswith('\nname = "helper"')
    ]
    true = entry.partition("sha256 = ")[2][1:65]
    changed = entry.replace(true, "0" * 64).replace("/simple", "/liar")
    world.project.lock_path.write_text(text.replace(entry, changed), "utf-8")
    kinds = {kind for _, kind in world.kinds()}
    assert kinds == {Kind.HASH, Kind.INDEX}


def test_other_content_under_an_honest_page(world: World) -> None:
    """Only a download tells: the page repeats the locked hash."""
    world.server.change(world.index.file(world.helper.name), body=b"another file")
    assert world.kinds() == []
    assert world.kinds(download=True) == [("helper", Kind.CONTENT)]


@pytest.mark.parametrize("algorithm", ["md5", "sha512", "blake2b"])
def test_a_further_hash_in_the_lock_file_that_is_wrong(
    world: World, algorithm: str
) -> None:
    """A download is compared by every hash beside the one that sync trusts."""
    wrong = "0" * (2 * hashlib.new(algorithm).digest_size)
    locked = f'sha256 = "{hashlib.sha256(world.helper.read_bytes()).hexdigest()}"'
    world.edit(locked, f'{algorithm} = "{wrong}", {locked}')
    (found,) = world.verify(download=True).disagreements
    right = hashlib.new(algorithm, world.helper.read_bytes()).hexdigest()
    assert (found.name, found.kind) == ("helper", Kind.CONTENT)
    assert (found.locked, found.found) == (
        f"{algorithm}:{wrong}",
        f"{algorithm}:{right}",
    )
    world.edit(wrong, right)
    assert world.kinds(download=True) == []


BESIDE = {
    "another requirement": (
        "Requires-Dist: helper",
        "Requires-Dist: helper\nRequires-Dist: other",
        ("Requires-Dist: other", "no such Requires-Dist"),
    ),
    "another Python": (
        "Requires-Dist: helper",
        "Requires-Dist: helper\nRequires-Python: >=3.8",
        ("Requires-Python: >=3.8", "no such Requires-Python"),
    ),
    "an extra": (
        "Requires-Dist: helper",
        "Requires-Dist: helper\nProvides-Extra: fast",
        ("Provides-Extra: fast", "no such Provides-Extra"),
    ),
}


@pytest.mark.parametrize("kind", BESIDE)
def test_metadata_beside_a_wheel_that_is_not_its_own(world: World, kind: str) -> None:
    """The index gives no hash of it, so only the wheel itself tells (PEP 658)."""
    old, new, wanted = BESIDE[kind]
    with zipfile.ZipFile(world.demo) as archive:
        own = archive.read("demo-1.0.dist-info/METADATA").decode()
    assert old in own
    other = build_wheel(world.demo.parent, "other", "1.0")
    world.index.add("other", [other])
    world.index.add("demo", [world.demo], row={"core-metadata": True})
    beside = f"{world.index.file(world.demo.name)}.metadata"
    world.server.routes[beside] = Answer(body=own.encode())
    world.project.lock_path.unlink()
    world.project.lock()
    assert world.kinds(download=True) == []

    world.server.routes[beside] = Answer(body=own.replace(old, new).encode())
    shutil.rmtree(world.project.with_settings().cache_dir)
    world.project.lock_path.unlink()
    world.project.lock()
    assert world.kinds() == []
    (found,) = world.verify(download=True).disagreements
    assert (found.name, found.kind) == ("demo", Kind.OFFERED)
    assert (found.locked, found.found) == wanted


def test_an_endless_file_is_not_read_to_its_end(world: World) -> None:
    """No more than the locked size is read."""
    path = world.index.file(world.helper.name)
    world.server.change(path, body=world.helper.read_bytes() + b"\0" * 5_000_000)
    (found,) = world.verify(download=True).disagreements
    assert found.found == f"more than {world.helper.stat().st_size} bytes"


def test_an_index_without_hashes_is_asked_for_the_file(world: World) -> None:
    """A page that gives no hash proves nothing, so the bytes are hashed."""
    world.index.add("helper", [world.helper], hashes=False)
    assert world.verify().agrees
    world.server.change(world.index.file(world.helper.name), body=b"another file")
    world.index.add("helper", [], rows=[_bare(world)])
    assert Kind.HASH in {kind for _, kind in world.kinds()}


@pytest.mark.parametrize("algorithm", ["md5", "sha512"])
def test_a_locked_hash_that_the_index_cannot_confirm(
    world: World, algorithm: str
) -> None:
    """A weak one, or one that the page does not give, in place of the SHA-256."""
    content = world.helper.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    other = hashlib.new(algorithm, b"other").hexdigest()
    world.edit(f'sha256 = "{sha256}"', f'{algorithm} = "{other}"')
    (found,) = world.verify().disagreements
    assert (found.name, found.kind) == ("helper", Kind.HASH)
    assert found.found == f"sha256:{sha256}"


def test_a_weak_hash_of_the_page_confirms_nothing(world: World) -> None:
    """Where it is the only one, the file is fetched and its SHA-256 is compared."""
    content = world.helper.read_bytes()
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    world.index.add("helper", [world.helper], row={"hashes": {"md5": md5}})
    sha256 = f'sha256 = "{hashlib.sha256(content).hexdigest()}"'
    assert world.verify().agrees
    world.edit(sha256, f'md5 = "{md5}", sha256 = "{"0" * 64}"')
    assert world.kinds() == [("helper", Kind.HASH)]


def add_other_to_the_lock(world: World) -> None:
    """Let the lock file have a package that only its own dependencies ask for."""
    world.index.add("other", [build_wheel(world.demo.parent, "other", "1.0")])
    world.write("demo", "other")
    world.project.lock()
    world.write("demo")
    world.edit('  "other",\n', "")
    world.edit("dependencies = [\n", 'dependencies = [\n  { name = "other" },\n')
    assert check(world.project.with_settings()).up_to_date


@pytest.mark.parametrize("download", [False, True])
def test_requirements_are_compared_without_a_hash_on_the_page(
    world: World, *, download: bool
) -> None:
    """The dependencies in the lock file vouch for nothing, whatever the page gives."""
    world.index.add("demo", [world.demo], hashes=False)
    add_other_to_the_lock(world)
    assert world.kinds(download=download) == [("other", Kind.UNREQUIRED)]


def test_metadata_is_compared_without_a_hash_on_the_page(world: World) -> None:
    """With a download, the wheel tells what the index made of it."""
    with zipfile.ZipFile(world.demo) as archive:
        own = archive.read("demo-1.0.dist-info/METADATA")
    world.index.add("demo", [world.demo], hashes=False, row={"core-metadata": True})
    beside = f"{world.index.file(world.demo.name)}.metadata"
    changed = own.replace(b"\nName", b"\nRequires-Python: >=3.8\nName")
    assert changed != own
    world.server.routes[beside] = Answer(body=changed)
    assert world.kinds() == []
    assert world.kinds(download=True) == [("demo", Kind.OFFERED)]


def test_requirements_of_a_source_distribution_are_compared(world: World) -> None:
    """Where its metadata is static, as for a wheel."""
    sdist = build_sdist(world.demo.parent, "demo", "1.0", requires=["helper>=2"])
    world.index.add("demo", [sdist])
    world.project.lock_path.unlink()
    world.project.lock(refresh=True)
    assert world.verify(download=True).agrees
    add_other_to_the_lock(world)
    assert world.kinds() == [("other", Kind.UNREQUIRED)]


def test_what_needs_a_build_is_told_and_not_built(world: World, tmp_path: Path) -> None:
    """Not even where the project allows to: whoever verifies runs no code."""
    log = tmp_path / "built"
    backend = f"open({str(log)!r}, 'a').write('x')\n"
    world.index.add(
        "helper", [in_tree(tmp_path / "files", "helper", "2.0", backend=backend)]
    )
    world.write("demo")
    text = (world.project.directory / "pyproject.toml").read_text("utf-8")
    world.project.write(f'{text}[tool.polylock]\nbuild-package = ["helper"]\n')
    world.project.lock_path.unlink()
    world.project.lock(refresh=True)
    assert log.exists()
    log.unlink()
    outcome = world.verify(download=True, cache_dir=tmp_path / "fresh")
    assert outcome.agrees
    ((name, reason),) = outcome.unverified
    assert (name, "build" in reason) == ("helper", True)
    assert not log.exists()


def test_an_index_that_cannot_be_asked_is_no_agreement(world: World) -> None:
    """An error ends the run: what was not compared is not verified."""
    world.server.change(world.index.page("helper"), status=403)
    with pytest.raises(IndexRequestError):
        world.verify()


def test_offline_is_refused(world: World) -> None:
    """The cache has no say in what an index says now."""
    with pytest.raises(UsageError, match="asks the indexes"):
        world.verify(offline=True)


def test_variant_properties_that_changed(locked_demo: Project) -> None:
    """The fixture index agrees; a lock file with other properties does not."""
    settings = locked_demo.with_settings()
    assert verify(settings, Spy(), download=False).agrees
    text = locked_demo.lock_path.read_text("utf-8")
    changed = text.replace('level = ["v4"]', 'level = ["v3"]')
    assert changed != text
    locked_demo.lock_path.write_text(changed, "utf-8")
    found = verify(settings, Spy(), download=False).disagreements
    assert {one.kind for one in found} == {Kind.VARIANTS}


def _bare(world: World) -> dict[str, object]:
    url = f"{world.server.url}{world.index.file(world.helper.name)}"
    return {"filename": world.helper.name, "url": url, "hashes": {}}
