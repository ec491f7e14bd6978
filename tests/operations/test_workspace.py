"""Which project a lock file is that of."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from fakes.pythons import real_python
from fakes.workspace import Project, this_target
from polylock.environment.venv import open_environment
from polylock.errors import LockFileOutdated
from polylock.operations.exchange.bundle import BundleOptions, bundle
from polylock.operations.sync.sync import SyncOptions
from polylock.ports import SilentReporter


@pytest.fixture
def bundled(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a bundle in the directory of its project, which is the current one."""
    project.write(
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["plainlib"]\n'
        f"{this_target()}"
    )
    project.lock()
    monkeypatch.chdir(project.directory)
    options = BundleOptions(search_path=os.environ.get("PATH", ""))
    directory = project.directory / "wheelhouse"
    settings = project.with_settings(target="here")
    return bundle(settings, directory, options, SilentReporter()).directory


def test_bundle_below_a_project_is_not_its_lock_file(
    project: Project, bundled: Path, tmp_path: Path
) -> None:
    """It records no inputs, so there is nothing that it could fail to answer."""
    outcome = project.sync(
        project=None,
        lock_file=bundled / "pylock.toml",
        venv=tmp_path / "environment",
        python=sys.executable,
    )

    assert [entry.name for entry in outcome.plan.install] == [
        "plainlib",
        "plainlib-posix",
    ]


def test_python_of_a_bundle_is_looked_for(
    project: Project, bundled: Path, tmp_path: Path
) -> None:
    """The first Python on PATH may be another: the bundle says which it is for."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    other = real_python("3.12" if here != "3.12" else "3.11")
    first = tmp_path / "first"
    first.mkdir()
    (first / "python3").symlink_to(other)
    places = [str(first), str(Path(sys.executable).parent)]

    project.sync(
        SyncOptions(search_path=os.pathsep.join(places)),
        project=None,
        lock_file=bundled / "pylock.toml",
        venv=tmp_path / "environment",
    )

    interpreter = open_environment(tmp_path / "environment")
    assert interpreter.version.startswith(f"{here}.")


def test_lock_file_of_others_beside_a_project_file_has_to_answer_it(
    project: Project, bundled: Path, tmp_path: Path
) -> None:
    """What lies where the project's lock file belongs is taken for that."""
    text = (bundled / "pylock.toml").read_text("utf-8")
    lock_file = project.directory / "pylock.toml"
    lock_file.write_text(text, "utf-8")

    with pytest.raises(LockFileOutdated, match="out of date"):
        project.sync(project=None, lock_file=lock_file, venv=tmp_path / "environment")
