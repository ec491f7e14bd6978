"""Sync a project that is locked as a source distribution, from a loopback index."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fakes.pythons import sites_of
from fakes.sdists import FAILING_WHEEL, in_tree
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project
from polylock.environment.installed import read_installed
from polylock.errors import BuildFailed, BuildForbidden, HashMismatch, NoSolution
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from pathlib import Path

IMPORTED = "import demo.helper; print(demo.helper.imported)"
FROZEN = SyncOptions(frozen=True, search_path=os.environ.get("PATH", ""))


class Locked:
    """A project whose lock file holds one source distribution, built with helper."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.server = server
        self.index = Index(server)
        self.files = tmp_path / "files"
        self.project = Project(
            directory=tmp_path / "project",
            index_url=f"{self.index.url}/",
            settings={"python": sys.executable},
        )
        self.project.write('[project]\nname = "a"\nversion = "1"\n')
        helper = build_wheel(self.files, "helper", "1.5")
        self.index.add("helper", [helper])

    def lock(self, *, local: bool = False, **keywords: Any) -> Path:  # noqa: ANN401
        """Write the source distribution and the lock file."""
        path = in_tree(
            self.files,
            "demo",
            "1.0",
            requires=["helper"],
            imports=["helper"],
            **keywords,
        )
        self.index.add("demo", [path])
        place = f"url = '{self.server.url}{self.index.file(path.name)}'"
        if local:
            shutil.copy(path, self.project.directory)
            place = f"path = '{path.name}'"
        content = path.read_bytes()
        self.project.lock_path.write_text(
            'lock-version = "1.0"\ncreated-by = "tests"\n\n[[packages]]\n'
            'name = "demo"\nversion = "1.0"\n'
            f"[packages.sdist]\n{place}\nsize = {len(content)}\n"
            f"hashes = {{ sha256 = '{hashlib.sha256(content).hexdigest()}' }}\n",
            "utf-8",
        )
        return path

    def policy(self, text: str) -> None:
        """Write what the project says of builds."""
        self.project.write(
            f'[project]\nname = "a"\nversion = "1"\n[tool.polylock]\n{text}\n'
            '[tool.polylock.targets.t]\nplatform = "linux-x86_64"\npython = "3.12"\n'
        )

    def sync(self, **changes: Any) -> Any:  # noqa: ANN401 - an outcome
        """Sync without the project file, or with it where there is a policy."""
        return self.project.sync(FROZEN, **changes)


@pytest.fixture
def locked(server: Server, tmp_path: Path) -> Locked:
    """Return a project without policy, not yet locked."""
    made = Locked(server, tmp_path)
    made.policy("")
    return made


@pytest.mark.parametrize("local", [False, True])
def test_a_locked_sdist_is_built_and_installed(locked: Locked, *, local: bool) -> None:
    """From a URL and from a path; the environment holds demo and nothing else."""
    locked.lock(local=local)
    outcome = locked.sync()
    assert [entry.name for entry in outcome.plan.install] == ["demo"]
    assert locked.project.run(IMPORTED) == "1.5"
    (found,) = read_installed(sites_of(locked.project.directory / ".venv"))
    assert found.origin is not None
    assert found.origin.filename == "demo-1.0.tar.gz"


def test_a_second_sync_builds_nothing(locked: Locked, tmp_path: Path) -> None:
    """Nothing is to be done in the environment, and a second one needs no network."""
    locked.lock()
    locked.sync()
    assert locked.sync().plan.is_empty
    locked.server.log.clear()
    second = tmp_path / "second"
    locked.sync(venv=second, offline=True)
    assert (second / "pyvenv.cfg").is_file()
    assert locked.server.log == []


def test_a_damaged_archive_is_mended(locked: Locked, tmp_path: Path) -> None:
    """The unpacked wheel of a build is checked and made anew like any other."""
    locked.lock()
    locked.sync()
    for manifest in (tmp_path / "cache").rglob("archive.msgpack"):
        manifest.write_bytes(b"rotten")
    shutil.rmtree(locked.project.directory / ".venv")
    locked.sync()
    assert locked.project.run("import demo; print(demo.__name__)") == "demo"


def test_other_bytes_are_never_built(locked: Locked) -> None:
    """The hash of the lock file is checked before any code of the file runs."""
    path = locked.lock()
    url = locked.index.file(path.name)
    body = locked.server.routes[url].body
    locked.server.change(url, body=body[:-1] + b"x")
    with pytest.raises(HashMismatch):
        locked.sync()
    assert locked.server.requests(locked.index.page("helper")) == []


def test_a_failed_build_leaves_the_environment_alone(locked: Locked) -> None:
    """Everything is built before the first change."""
    locked.lock()
    locked.sync()
    locked.lock(backend=FAILING_WHEEL)
    with pytest.raises(BuildFailed, match=r"demo 1\.0"):
        locked.sync()
    assert locked.project.run(IMPORTED) == "1.5"


@pytest.mark.parametrize("text", ['build = "none"', 'no-build-package = ["demo"]'])
def test_a_project_can_forbid_builds(locked: Locked, text: str) -> None:
    """Nothing is made and no request is sent; the message has the key."""
    locked.policy(text)
    locked.lock()
    with pytest.raises(BuildForbidden) as caught:
        locked.sync()
    assert text in str(caught.value)
    assert not (locked.project.directory / ".venv").exists()
    assert locked.server.log == []


def test_the_lock_file_alone_is_enough(locked: Locked) -> None:
    """Build requirements come from the index that the settings name."""
    locked.lock()
    (locked.project.directory / "pyproject.toml").unlink()
    locked.sync(project=None, lock_file=locked.project.lock_path)
    assert locked.project.run(IMPORTED) == "1.5"


def test_pip_takes_it_for_installed(locked: Locked) -> None:
    """What was built is recorded as any wheel is."""
    locked.lock()
    locked.sync()
    program = (
        "import json; from importlib.metadata import distribution as d;"
        "print(json.dumps([d('demo').version, d('demo').read_text('INSTALLER')]))"
    )
    assert json.loads(locked.project.run(program)) == ["1.0", "polylock\n"]


HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
LINUX = sys.platform == "linux" and os.uname().machine == "x86_64"
STATIC = "Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n\n"


def wants_demo(locked: Locked, text: str = "") -> None:
    """Write a project that requires demo, for x86-64 Linux."""
    locked.project.write(
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["demo"]\n'
        f"[tool.polylock]\n{text}\n[tool.polylock.targets.t]\n"
        f'platform = "linux-x86_64"\npython = "{HERE}"\n'
    )


@pytest.mark.skipif(not LINUX, reason="the target is x86-64 Linux")
def test_lock_and_sync_a_project_that_has_no_wheel(locked: Locked) -> None:
    """Static metadata is enough to lock; nothing is built before the sync."""
    locked.lock(pkg_info=STATIC)
    locked.project.lock_path.unlink()
    wants_demo(locked)
    locked.project.lock()
    assert locked.server.requests(locked.index.page("helper")) == []
    locked.project.sync()
    assert locked.project.run(IMPORTED) == "1.5"
    assert locked.project.sync().plan.is_empty


@pytest.mark.skipif(not LINUX, reason="the target is x86-64 Linux")
def test_lock_builds_metadata_only_where_allowed(locked: Locked) -> None:
    """The error names the key; with it the lock has what the backend says."""
    locked.lock(built_requires=["helper>=1"])
    locked.project.lock_path.unlink()
    wants_demo(locked)
    with pytest.raises(NoSolution) as caught:
        locked.project.lock()
    told = [*caught.value.details(), str(caught.value.hint())]
    assert any("build-package does not name it" in line for line in told)
    wants_demo(locked, 'build-package = ["demo"]')
    locked.project.lock()
    names = [package.name for package in locked.project.pylock.packages]
    assert names == ["demo", "helper"]
    locked.project.sync()
    assert locked.project.run("import demo, helper; print(helper.__version__)") == "1.5"
