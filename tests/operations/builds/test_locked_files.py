"""Locked files whose link at the index holds a token, or which moved."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import TYPE_CHECKING

import pytest

from fakes.server import Answer, Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, this_target
from polylock.errors import FileCorrupt, IndexRequestError, LockedIncomplete
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from pathlib import Path

ANY = SyncOptions(search_path=os.environ.get("PATH", ""))


class World:
    """A project that requires lib, from an index whose links a test decides."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.server = server
        self.index = Index(server)
        self.root = tmp_path
        self.wheel = build_wheel(tmp_path / "files", "lib", "1.0")
        self.project = Project(
            directory=tmp_path / "project",
            index_url=f"{self.index.url}/",
            settings={"python": sys.executable},
        )
        self.require("lib")

    def require(self, requirement: str) -> None:
        """Write the project file."""
        self.project.write(
            f'[project]\nname = "a"\nversion = "1"\ndependencies = ["{requirement}"]\n'
            + this_target()
        )

    def serve(self, link: str) -> None:
        """Serve the wheel at this path alone, any other answers 403."""
        plain = self.index.file(self.wheel.name)
        self.index.add("lib", [self.wheel], row={"url": f"{self.server.url}{link}"})
        del self.server.routes[plain]
        for path in [plain, *self.server.routes]:
            if path.startswith(plain):
                self.server.routes[path] = Answer(status=403)
        self.server.routes[link] = Answer(body=self.wheel.read_bytes())

    def sync(self, cache: str) -> None:
        """Sync with a cache of its own."""
        self.project.settings["cache_dir"] = self.root / cache
        self.project.sync(ANY)


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return a project that is not locked yet."""
    return World(server, tmp_path)


def test_a_token_of_a_link_is_not_locked_and_is_found_again(world: World) -> None:
    """Nor is it in a message; the one of the day is read from the page."""
    path = world.index.file(world.wheel.name)
    world.serve(f"{path}?token=first-secret")
    world.project.lock()
    text = world.project.lock_path.read_text("utf-8")
    assert f'{world.server.url}{path}"' in text
    assert "secret" not in text
    world.serve(f"{path}?token=second-secret")
    world.sync("other-cache")
    assert "lib" in world.project.installed()


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
def test_what_the_cache_has_of_a_token_only_the_user_may_read(world: World) -> None:
    """A link is needed to fetch the file, so pages keep it; others cannot read it."""
    world.serve(f"{world.index.file(world.wheel.name)}?token=first-secret")
    cache = world.project.with_settings().cache_dir
    mask = os.umask(0o002)
    try:
        world.project.lock()
    finally:
        os.umask(mask)
    entries = [path for path in cache.rglob("*") if path.is_file()]
    secret = [path for path in entries if b"first-secret" in path.read_bytes()]
    buckets = {path.relative_to(cache).parts[0] for path in secret}
    assert "pages-v1" in buckets
    assert {oct(path.stat().st_mode & 0o777) for path in secret} == {"0o600"}


@pytest.mark.parametrize("hashes", ['md5 = "{}"', 'sha512 = "{}"'])
def test_a_lock_file_without_sha256_is_to_be_restored(
    world: World, hashes: str
) -> None:
    """The lock file is at fault, not who published the file."""
    world.index.add("lib", [world.wheel])
    world.project.lock()
    content = world.wheel.read_bytes()
    value = hashlib.new(hashes.partition(" ")[0], content).hexdigest()
    text = world.project.lock_path.read_text("utf-8")
    locked = f'sha256 = "{hashlib.sha256(content).hexdigest()}"'
    assert locked in text
    text = text.replace(locked, hashes.format(value))
    world.project.lock_path.write_text(text, "utf-8")
    with pytest.raises(LockedIncomplete) as caught:
        world.sync("other-cache")
    assert str(caught.value) == (
        f"{world.wheel.name}: the lock file has no sha256 for it"
    )
    assert "publisher" not in (caught.value.hint() or "")
    assert "polylock lock" in (caught.value.hint() or "")


def test_a_signature_that_changes_does_not_change_the_lock(world: World) -> None:
    """Signed links are others each time that the page is read."""
    path = world.index.file(world.wheel.name)
    world.serve(f"{path}?Expires=1&Signature=one-secret")
    world.project.lock()
    before = world.project.lock_path.read_bytes()
    world.serve(f"{path}?Expires=2&Signature=two-secret")
    world.project.lock_path.unlink()
    world.project.settings["cache_dir"] = world.root / "other-cache"
    world.project.lock()
    assert world.project.lock_path.read_bytes() == before


def test_a_file_that_moved_is_found_by_its_hash(world: World) -> None:
    """And another file under its name is not taken for it."""
    world.serve(world.index.file(world.wheel.name))
    world.project.lock()
    moved = f"/moved/{world.wheel.name}"
    world.serve(moved)
    world.sync("other-cache")
    assert "lib" in world.project.installed()
    world.server.change(moved, body=b"another file")
    (world.project.directory / ".venv").rename(world.root / "gone")
    with pytest.raises(FileCorrupt):
        world.sync("third-cache")


def test_a_file_that_is_nowhere_is_told_by_its_own_refusal(world: World) -> None:
    """Without the secrets of a link."""
    path = world.index.file(world.wheel.name)
    world.serve(f"{path}?token=a-secret")
    world.project.lock()
    world.server.change(f"{path}?token=a-secret", status=403)
    with pytest.raises(IndexRequestError, match="answered 403") as caught:
        world.sync("other-cache")
    assert "secret" not in str(caught.value)


def test_a_token_of_a_direct_url_comes_from_the_project(world: World) -> None:
    """The lock has none; the project file has it."""
    path = world.index.file(world.wheel.name)
    world.serve(f"{path}?token=a-secret")
    world.require(f"lib @ {world.server.url}{path}?token=a-secret")
    world.project.lock()
    assert "secret" not in world.project.lock_path.read_text("utf-8")
    world.sync("other-cache")
    assert "lib" in world.project.installed()
