"""Fixtures: a small project, locked once against the fixture index on loopback."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from fakes.command_line import CommandLine, clean_variables
from fakes.pythons import know_this_python
from polylock.operations.edit.detect import detect_target
from polylock.operations.edit.target_table import table_text, target_table
from polylock.operations.lock.lock import lock
from polylock.operations.lock.request import LockRequest
from polylock.operations.machine import this_machine
from polylock.operations.sync.sync import SyncOptions, sync
from polylock.ports import SilentReporter
from polylock.project.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["demo", "locked", "polylock", "synced", "synced_once"]

PROJECT = """\
[project]
name = "demo"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["tensordemo>=3", "fallbackkit", "plainlib[color]>=1.1"]

[project.optional-dependencies]
ops = ["abikit"]

[dependency-groups]
test = ["plainlib-testing"]  # what the tests need

[tool.polylock.targets.h100]
platform = "linux-x86_64"
libc = "glibc-2.34"
python = "3.12"
cpu = "sapphirerapids"
nvidia = { driver = "13.0", compute = ["9.0"] }
runs-on = "gpu-h100"

[tool.polylock.targets.mac]
platform = "macos-arm64"
macos = "14.0"
python = "3.13"
runs-on = ["self-hosted", "macos"]

"""


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory, index_url: str) -> Path:
    """Lock a project for two machines and for this one, named ``here``."""
    directory = tmp_path_factory.mktemp("locked")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = target_table(detect_target(this_machine(), python).description)
    # Without its processor and GPUs, so that tests see the same on every machine.
    kept = ("platform", "libc", "macos", "python")
    here = {key: value for key, value in found.items() if key in kept}
    text = PROJECT + table_text("here", here)
    (directory / "pyproject.toml").write_text(text, encoding="utf-8", newline="\n")
    cache = tmp_path_factory.mktemp("cache")
    settings = Settings(cache_dir=cache, project=directory, index_url=index_url)
    lock(settings, LockRequest(), SilentReporter())
    return directory


@pytest.fixture
def polylock(
    tmp_path: Path,
    index_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CommandLine:
    """Run commands in an empty directory."""
    variables = _variables(tmp_path, index_url)
    return CommandLine(tmp_path / "project", variables, monkeypatch, capsys)


def _variables(root: Path, index_url: str) -> dict[str, str]:
    return {
        **clean_variables(root / "home"),
        "POLYLOCK_INDEX_URL": index_url,
        "POLYLOCK_CACHE_DIR": str(root / "cache"),
    }


@pytest.fixture
def demo(polylock: CommandLine, locked: Path) -> CommandLine:
    """Run commands in a copy of the locked project."""
    polylock.copy(locked)
    know_this_python(polylock.directory.parent / "cache")
    return polylock


@pytest.fixture(scope="session")
def synced_once(
    locked: Path, index_url: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Sync a copy of the locked project; return its place, and a copy to restore it."""
    directory = tmp_path_factory.mktemp("synced")
    place, kept = directory / "place", directory / "kept"
    shutil.copytree(locked, place / "project")
    know_this_python(place / "cache")
    settings = Settings(
        cache_dir=place / "cache",
        project=place / "project",
        index_url=index_url,
        target="here",
    )
    sync(settings, SyncOptions(search_path=os.environ["PATH"]), SilentReporter())
    shutil.copytree(place, kept, symlinks=True)
    return place, kept


@pytest.fixture
def synced(
    synced_once: tuple[Path, Path],
    index_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CommandLine:
    """Run commands in the locked project after ``sync --target here``.

    It is in the same place for each test, since an environment names its place.
    """
    place, kept = synced_once
    shutil.rmtree(place)
    shutil.copytree(kept, place, symlinks=True)
    variables = _variables(place, index_url)
    return CommandLine(place / "project", variables, monkeypatch, capsys)
