"""Sync a project that is a distribution itself, offline."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from fakes.repositories import source_tree
from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, this_target
from polylock.errors import BuildFailed, UsageError
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from pathlib import Path


OPTIONS = SyncOptions(search_path=os.environ.get("PATH", ""))


class Own:
    """A project with a build backend in its own tree, and an index on loopback."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.index = Index(server)
        self.files = tmp_path / "files"
        self.project = Project(
            directory=tmp_path / "own",
            index_url=f"{self.index.url}/",
            settings={"python": sys.executable},
        )

    def write(self, *dependencies: str, options: str = "", backend: str = "") -> None:
        """Write the project: ``backend`` is added to the text of its backend."""
        tree = source_tree(self.project.directory, "own", dependencies=dependencies)
        if backend:
            with (tree / "tools" / "backend.py").open("a", encoding="utf-8") as file:
                file.write(backend)
        with (tree / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n[tool.polylock]\n{options}\n{this_target()}")


@pytest.fixture
def own(server: Server, tmp_path: Path) -> Own:
    """Return a world with one project."""
    return Own(server, tmp_path)


def test_the_project_itself_is_installed_editable(own: Own) -> None:
    """Its code runs where it lies, and it is not in the lock file."""
    own.write()
    own.project.lock()
    assert "name = 'own'" not in own.project.lock_path.read_text("utf-8")
    outcome = own.project.sync(OPTIONS)
    assert [entry.name for entry in outcome.plan.install] == ["own"]
    module = own.project.directory / "src" / "own" / "__init__.py"
    module.write_text("built = 'anew'\n", "utf-8")
    assert own.project.run("import own; print(own.built)") == "anew"
    direct = own.project.installed()["own"].direct_url
    assert direct is not None
    assert direct.url == own.project.directory.as_uri()
    assert direct.dir_info is not None
    assert direct.dir_info.editable


def test_a_second_sync_has_nothing_to_do(own: Own) -> None:
    """Only a change of what the build reads installs the project anew."""
    own.write()
    own.project.lock()
    own.project.sync(OPTIONS)
    assert own.project.sync(OPTIONS, offline=True).plan.is_empty
    (own.project.directory / "setup.cfg").write_text("# new\n", "utf-8")
    outcome = own.project.sync(OPTIONS, offline=True)
    assert [entry.name for entry in outcome.plan.reinstall] == ["own"]


def test_it_can_be_left_out(own: Own) -> None:
    """An environment without the project is exact without it."""
    own.write()
    own.project.lock()
    own.project.sync(OPTIONS)
    outcome = own.project.sync(OPTIONS, no_install_project=True)
    assert [entry.name for entry in outcome.plan.remove] == ["own"]
    assert own.project.sync(OPTIONS, no_install_project=True).plan.is_empty


def test_it_can_be_installed_as_a_wheel(own: Own) -> None:
    """For an image that has no source tree; a change of its code installs it anew."""
    own.write()
    own.project.lock()
    own.project.sync(OPTIONS)
    outcome = own.project.sync(OPTIONS, no_editable=True)
    assert [entry.name for entry in outcome.plan.reinstall] == ["own"]
    assert outcome.basis is None
    direct = own.project.installed()["own"].direct_url
    assert direct is not None
    assert direct.dir_info is not None
    assert not direct.dir_info.editable
    module = own.project.directory / "src" / "own" / "__init__.py"
    module.write_text("built = 'anew'\n", "utf-8")
    outcome = own.project.sync(OPTIONS, no_editable=True)
    assert [entry.name for entry in outcome.plan.reinstall] == ["own"]


def test_a_group_alone_is_without_the_project(own: Own) -> None:
    """No group requires the project itself."""
    own.write(options="[dependency-groups]\nnothing = []\n")
    own.project.lock()
    own.project.sync(OPTIONS)
    outcome = own.project.sync(OPTIONS, only_groups=("nothing",))
    assert [entry.name for entry in outcome.plan.remove] == ["own"]


def test_a_project_without_build_system_is_not_installed(own: Own) -> None:
    """It is a list of requirements."""
    own.project.write(
        f'[project]\nname = "own"\nversion = "1"\n[tool.polylock]\n{this_target()}'
    )
    own.project.lock()
    assert own.project.sync(OPTIONS).plan.install == ()
    assert own.project.installed() == {}


def test_a_lock_file_alone_installs_no_project(own: Own) -> None:
    """An image gets the dependencies first, the code in a later layer."""
    own.write()
    own.project.lock()
    (own.project.directory / "pyproject.toml").unlink()
    changes = {"project": None, "lock_file": own.project.lock_path}
    assert own.project.sync(OPTIONS, **changes).plan.install == ()


def test_it_takes_the_place_of_a_locked_package_of_its_name(own: Own) -> None:
    """Something it depends on depends on it: the code at hand is what is meant."""
    own.index.add("own", [build_wheel(own.files, "own", "0.1")])
    plugin = build_wheel(own.files, "plugin", "1.0", requires=["own"])
    own.index.add("plugin", [plugin])
    own.write("plugin")
    own.project.lock()
    own.project.sync(OPTIONS)
    assert own.project.installed()["own"].version == "1.0"
    assert own.project.sync(OPTIONS).plan.is_empty


def test_building_may_be_forbidden(own: Own) -> None:
    """The message says which key forbids it and how to go on without the project."""
    own.write(options='build = "none"')
    own.project.lock()
    with pytest.raises(UsageError, match=r'own itself .* build = "none"') as caught:
        own.project.sync(OPTIONS)
    assert "--no-install-project" in (caught.value.hint() or "")
    assert not (own.project.directory / ".venv").exists()
    assert own.project.sync(OPTIONS, no_install_project=True).plan.is_empty


def test_a_backend_that_fails_leaves_the_environment_as_it_was(own: Own) -> None:
    """What the backend printed is in the message."""
    own.write(
        backend="\ndef build_editable(directory, config_settings=None, "
        "metadata_directory=None):\n    raise SystemExit('no compiler here')\n"
    )
    own.project.lock()
    with pytest.raises(BuildFailed, match="cannot build own") as caught:
        own.project.sync(OPTIONS)
    assert "no compiler here" in caught.value.details()
    hint = caught.value.hint() or ""
    assert "--no-install-project" in hint
    assert "has a wheel" not in hint  # there is no other version of it
    assert own.project.installed() == {}
