"""Modules and packages that somebody deleted from an environment."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from fakes.server import Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, this_target
from polylock.installation.plan import Reason
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from pathlib import Path

ANY = SyncOptions(search_path=os.environ.get("PATH", ""))
FILES = {
    "package/__init__.py": "",
    "package/part.py": "",
    "module.py": "",
    "shared/of_lib.py": "",
}


@pytest.fixture
def project(server: Server, tmp_path: Path) -> Project:
    """Lock and sync a project that requires lib and other, which share a package."""
    index = Index(server)
    wheel = build_wheel(tmp_path / "files", "lib", "1.0", files=FILES)
    other = build_wheel(
        tmp_path / "files", "other", "1.0", files={"shared/of_other.py": ""}
    )
    index.add("lib", [wheel])
    index.add("other", [other])
    made = Project(
        directory=tmp_path / "project",
        index_url=f"{index.url}/",
        settings={"python": sys.executable},
    )
    made.write(
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["lib", "other"]\n'
        + this_target()
    )
    made.lock()
    made.sync(ANY)
    return made


def _site(project: Project) -> Path:
    return project.installed()["lib"].path.parent


@pytest.mark.parametrize("name", ["package", "module.py"])
def test_what_was_deleted_is_installed_again(project: Project, name: str) -> None:
    """By a look at the names in site-packages alone."""
    path = _site(project) / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    planned = project.sync(SyncOptions(search_path="", dry_run=True))
    assert [(entry.name, entry.reason) for entry in planned.plan.reinstall] == [
        ("lib", Reason.BROKEN)
    ]
    project.sync(ANY)
    assert path.exists()
    assert project.sync(ANY).up_to_date


def test_a_package_of_two_distributions_concerns_both(project: Project) -> None:
    """Each has lost files with it."""
    shutil.rmtree(_site(project) / "shared")
    done = project.sync(ANY)
    assert [entry.name for entry in done.plan.reinstall] == ["lib", "other"]
    assert (_site(project) / "shared" / "of_other.py").exists()


def test_what_others_put_there_concerns_nobody(project: Project) -> None:
    """Bytecode and files that no distribution has."""
    (_site(project) / "__pycache__").mkdir()
    (_site(project) / "mine.py").write_text("")
    assert project.sync(ANY).up_to_date
