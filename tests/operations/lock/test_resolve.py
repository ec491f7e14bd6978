"""Lock from directories and pages of links, and what the lock file says of them."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from fakes.server import Answer, Index
from fakes.wheels import build_sdist, build_wheel
from fakes.workspace import Project, Spy
from polylock.cli.lock import command
from polylock.errors import (
    HashMismatch,
    IndexRequestError,
    NoSuchTarget,
    ProjectNotFound,
)
from polylock.explain.words import note
from polylock.index_server.static_build import build_index
from polylock.operations.lock.lock import lock
from polylock.operations.lock.request import LockRequest
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.server import Server

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
LINUX = sys.platform == "linux" and os.uname().machine == "x86_64"

TEXT = """
[project]
name = "demo"
version = "1"
dependencies = ["app"]
[[tool.polylock.index]]
name = "vendored"
url = "{url}"
{more}
[tool.polylock.targets.linux]
platform = "linux-x86_64"
python = "{python}"
"""
LEVELS = {"x86_64": {"level": ["v1"]}}


@pytest.fixture
def vendored(tmp_path: Path) -> Project:
    """Return a project, and wheels in a directory beside its project file."""
    project = Project(directory=tmp_path / "project")
    wheels = project.directory / "wheels"
    build_wheel(wheels, "app", "1.0", requires=["lib>=1"])
    build_wheel(wheels, "lib", "1.0", label="v1", variant=LEVELS)
    build_wheel(wheels, "lib", "0.9")
    build_sdist(wheels, "lib", "0.8")
    return project


def use(project: Project, url: str, more: str = "") -> None:
    """Write a project that uses this index alone."""
    project.write(TEXT.format(url=url, more=more, python=HERE))
    project.settings["python"] = sys.executable


def test_files_on_disk_are_locked_by_relative_paths(vendored: Project) -> None:
    """The lock file names neither the directory of the project nor an index."""
    use(vendored, "./wheels")
    outcome = vendored.lock()
    text = vendored.lock_path.read_text("utf-8")
    assert str(vendored.directory) not in text
    assert "file:" not in text
    app, lib = vendored.pylock.packages
    assert app.wheels[0].path == "wheels/app-1.0-py3-none-any.whl"
    assert lib.wheels[0].path == "wheels/lib-1.0-py3-none-any-v1.whl"
    assert app.index is None
    assert app.wheels[0].url is None
    assert app.wheels[0].size
    assert outcome.traffic is not None
    assert outcome.traffic.requests == 0
    assert not vendored.lock().changed


def test_a_disk_is_read_offline(vendored: Project) -> None:
    """Offline means without the network, and a disk needs none."""
    use(vendored, "./wheels")
    assert vendored.lock(offline=True).changed


def test_the_same_bytes_elsewhere(vendored: Project, tmp_path: Path) -> None:
    """A project that is moved with its wheels locks to the same bytes."""
    use(vendored, "./wheels")
    vendored.lock()
    other = Project(directory=tmp_path / "some where" / "else")
    shutil.copytree(vendored.directory, other.directory)
    other.settings.update(vendored.settings)
    other.lock_path.unlink()
    other.lock()
    assert other.lock_path.read_bytes() == vendored.lock_path.read_bytes()


def test_a_static_index_beside_the_project(vendored: Project, tmp_path: Path) -> None:
    """A path may lead out of the project, and the pages of an index are read."""
    build_index(vendored.directory / "wheels", tmp_path / "static")
    use(vendored, "../static/simple")
    vendored.lock()
    app, lib = vendored.pylock.packages
    assert app.wheels[0].path == "../static/files/app/app-1.0-py3-none-any.whl"
    assert lib.variants_json is not None


def test_a_lock_file_in_another_directory(vendored: Project, tmp_path: Path) -> None:
    """Paths count from the lock file, wherever it is."""
    use(vendored, (vendored.directory / "wheels").as_uri())
    place = tmp_path / "locks" / "pylock.toml"
    place.parent.mkdir()
    vendored.lock(lock_file=place)
    assert 'path = "../project/wheels/app-1.0-py3-none-any.whl"' in place.read_text(
        "utf-8"
    )


def test_an_index_that_is_not_there(vendored: Project) -> None:
    """A directory that is missing is an error that names it."""
    use(vendored, "./wheelz")
    with pytest.raises(IndexRequestError, match="no such directory"):
        vendored.lock()


def test_a_project_that_no_file_is_of(vendored: Project) -> None:
    """A directory that lacks a project is like an index that does."""
    use(vendored, "./wheels", "explicit = false")
    for wheel in (vendored.directory / "wheels").glob("app*"):
        wheel.unlink()
    with pytest.raises(ProjectNotFound, match="project app was not found"):
        vendored.lock()


def test_a_page_of_links(vendored: Project, server: Server) -> None:
    """The links of one page are locked as the files of any index."""
    wheels = sorted((vendored.directory / "wheels").iterdir())
    for path in wheels:
        server.routes[f"/files/{path.name}"] = Answer(body=path.read_bytes())
    links = "".join(f'<a href="files/{p.name}">{p.name}</a>\n' for p in wheels)
    server.routes["/"] = Answer(body=links.encode(), content_type="text/html")
    use(vendored, f"{server.url}/", 'format = "flat"')
    vendored.lock()
    app = vendored.pylock.packages[0]
    assert app.wheels[0].url == f"{server.url}/files/app-1.0-py3-none-any.whl"
    assert app.wheels[0].hashes["sha256"]


@pytest.mark.skipif(not LINUX, reason="the target is x86-64 Linux")
def test_sync_from_a_directory(vendored: Project) -> None:
    """Files on disk are installed without a request, verified."""
    use(vendored, "./wheels")
    vendored.lock()
    wheel = vendored.directory / "wheels" / "app-1.0-py3-none-any.whl"
    good = wheel.read_bytes()
    wheel.write_bytes(good[:-1] + b"?")
    options = SyncOptions(search_path=os.environ.get("PATH", ""))
    with pytest.raises(HashMismatch):
        vendored.sync(options, offline=True)
    wheel.write_bytes(good)
    vendored.sync(options, offline=True)
    assert list((vendored.directory / ".venv").rglob("app-1.0.dist-info"))


def test_a_directory_tells_no_times(vendored: Project) -> None:
    """With exclude-newer files on disk count all the same, and it is said once each."""
    use(vendored, "./wheels")
    text = (vendored.directory / "pyproject.toml").read_text("utf-8")
    vendored.write(f"{text}[tool.polylock]\nexclude-newer = 2020-01-01\n")
    outcome = lock(vendored.with_settings(), LockRequest(), Spy())
    assert [note(found).split(":")[0] for found in outcome.notes] == [
        "exclude-newer has no effect on app",
        "exclude-newer has no effect on lib",
    ]


def test_credentials_stay_out_of_the_lock(vendored: Project, server: Server) -> None:
    """Neither user nor password of an index is in the lock file."""
    index = Index(server, template=Answer(credentials="me:secret"))
    for name in ("app", "lib"):
        index.add(name, sorted((vendored.directory / "wheels").glob(f"{name}-*")))
    use(vendored, f"http://me:secret@127.0.0.1:{server.port}/simple")
    vendored.lock()
    text = vendored.lock_path.read_text("utf-8")
    assert "secret" not in text
    assert "me:" not in text
    assert "@" not in text


def test_a_target_from_the_flag_alone(
    vendored: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """POLYLOCK_TARGET chooses what is installed here, not what is locked."""
    use(vendored, "./wheels")
    monkeypatch.setenv("POLYLOCK_TARGET", "elsewhere")
    arguments = ["--project", str(vendored.directory)]
    runner = CliRunner()
    assert runner.invoke(command, arguments).exit_code == 0
    with pytest.raises(NoSuchTarget):
        runner.invoke(
            command, [*arguments, "--target", "elsewhere"], catch_exceptions=False
        )
