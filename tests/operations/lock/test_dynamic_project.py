"""A project whose dependencies only its build backend knows (PEP 621, ``dynamic``)."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from fakes.repositories import EDITABLE, source_tree
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, this_target
from polylock.errors import LockFileOutdated, PolylockError, ProjectError
from polylock.operations.inspect.check import check
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = SyncOptions(search_path=os.environ.get("PATH", ""))
READS_A_FILE = """
BUILT_REQUIRES = open("base.txt").read().split()
"""
SETUPTOOLS = '[tool.setuptools.dynamic]\ndependencies = { file = ["base.txt"] }\n'


class Own:
    """A project whose backend takes its dependencies from base.txt."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.index = Index(server)
        for name in ("alpha", "beta", "pytest"):
            self.index.add(name, [build_wheel(tmp_path / "files", name, "1.0")])
        self.directory = tmp_path / "own"
        self.project = Project(
            directory=self.directory,
            index_url=f"{self.index.url}/",
            settings={"python": sys.executable},
        )
        tree = source_tree(self.directory, "own", backend=EDITABLE + READS_A_FILE)
        self.path = tree / "pyproject.toml"
        self.base("alpha")
        self.write()

    def base(self, *dependencies: str) -> None:
        """Write base.txt."""
        (self.directory / "base.txt").write_text("\n".join(dependencies), "utf-8")

    def write(self, *, project: str = "", options: str = "") -> None:
        """Write the project file."""
        self.path.write_text(
            '[project]\nname = "own"\nversion = "1.0"\ndynamic = ["dependencies"]\n'
            f"{project}"
            '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
            'backend-path = ["tools"]\n[dependency-groups]\ntest = ["pytest"]\n'
            f"{SETUPTOOLS}[tool.polylock]\n{options}\n{this_target()}",
            "utf-8",
        )

    @property
    def locked(self) -> set[str]:
        """Return the names of what is locked."""
        return {package.name for package in self.project.pylock.packages}

    def outdated(self) -> list[str]:
        """Return the differences of the lock file, as text."""
        return list(map(str, check(self.project.with_settings()).differences))


@pytest.fixture
def own(server: Server, tmp_path: Path) -> Own:
    """Return the project, not yet locked."""
    return Own(server, tmp_path)


def test_the_backend_says_what_is_required(own: Own) -> None:
    """The project is locked as a source tree, for its requirements, and installed."""
    own.project.lock()
    assert own.locked == {"own", "alpha", "pytest"}
    assert own.outdated() == []
    own.project.sync(OPTIONS)
    assert set(own.project.installed()) == {"own", "alpha"}
    assert own.project.sync(OPTIONS).up_to_date


def test_another_requirement_is_noticed(own: Own) -> None:
    """By the file that the settings of the backend name."""
    own.project.lock()
    own.base("alpha", "beta")
    (gone, new) = own.outdated()
    assert gone.startswith("source tree .: base.txt sha256:")
    assert gone.endswith(" is gone")
    assert new.startswith("source tree .: base.txt sha256:")
    with pytest.raises(LockFileOutdated):
        own.project.sync(OPTIONS)
    own.project.lock()
    assert own.locked == {"own", "alpha", "beta", "pytest"}
    assert own.outdated() == []


def test_comments_and_our_own_keys_say_nothing_of_it(own: Own) -> None:
    """A build does not read them."""
    own.project.lock()
    own.write(options="# a comment\nbuild = 'local'")
    assert own.outdated() == []
    own.write(project='description = "other"\n')
    assert own.outdated() != []


def test_the_requirements_are_installed_without_the_project(own: Own) -> None:
    """As for a project with static dependencies."""
    own.project.lock()
    own.project.sync(OPTIONS, no_install_project=True)
    assert set(own.project.installed()) == {"alpha"}


def test_a_build_may_be_forbidden(own: Own) -> None:
    """By the same keys as any other."""
    for options in ('build = "none"', 'no-build-package = ["own"]'):
        own.write(options=options)
        with pytest.raises(PolylockError, match="own"):
            own.project.lock()


def test_what_contradicts_is_refused(own: Own) -> None:
    """PEP 621: a field may not be static and dynamic."""
    own.write(project='dependencies = ["beta"]\n')
    with pytest.raises(ProjectError, match="dependencies: is dynamic too"):
        own.project.lock()
