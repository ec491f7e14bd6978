"""The commands that end with 3 or 4 are those that the reference names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pages_from_source.exit_codes import ENDINGS
from polylock.operations.lock.lock import lock
from polylock.operations.lock.request import LockRequest
from polylock.ports import SilentReporter
from polylock.project.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.command_line import CommandLine

OUTDATED = {
    "lock": ["--target", "mac"],
    "sync": ["--target", "here"],
    "run": ["--target", "here", "python", "-V"],
    "check": [],
    "matrix": [],
    "bundle": ["--target", "here", "bundled"],
}
"""A call of each command that refuses a lock file which is out of date."""

NO_TARGET = {
    "sync": [],
    "run": ["python", "-V"],
    "verify": [],
    "cache-key": [],
    "tree": [],
    "outdated": [],
    "why": ["plainlib"],
    "report": [],
    "export": [],
    "bundle": ["bundled"],
}
"""A call of each command that asks which target this machine is."""

FAR = """\
[project]
name = "demo"
version = "1.0"
dependencies = ["plainlib"]

[tool.polylock.targets.far]
platform = "linux-x86_64"
libc = "glibc-2.999"
python = "3.12"
"""
"""A project for a C library that no machine has."""


@pytest.fixture(scope="module", name="far_away")
def _far_away(tmp_path_factory: pytest.TempPathFactory, index_url: str) -> Path:
    directory = tmp_path_factory.mktemp("far")
    (directory / "pyproject.toml").write_text(FAR, encoding="utf-8", newline="\n")
    cache = tmp_path_factory.mktemp("cache")
    settings = Settings(cache_dir=cache, project=directory, index_url=index_url)
    lock(settings, LockRequest(), SilentReporter())
    return directory


@pytest.mark.parametrize("name", OUTDATED)
def test_lock_file_that_is_out_of_date_is_3(demo: CommandLine, name: str) -> None:
    """The project requires more of every target than was locked."""
    demo.succeed("add", "vecdemo", "--no-lock")

    assert demo(name, *OUTDATED[name]).code == 3


@pytest.mark.parametrize("name", NO_TARGET)
def test_machine_that_is_no_target_is_4(
    polylock: CommandLine, far_away: Path, name: str
) -> None:
    """``--target auto`` where the lock file names other machines alone."""
    polylock.copy(far_away)

    assert polylock(name, "--target", "auto", *NO_TARGET[name]).code == 4


def test_the_reference_names_the_same_commands() -> None:
    """Beside verify, outdated and index lint, whose 3 have tests of their own."""
    threes = {name for name in ENDINGS if 3 in ENDINGS[name]}
    assert threes == {*OUTDATED, "outdated", "verify", "index lint"}
    assert {name for name in ENDINGS if 4 in ENDINGS[name]} == set(NO_TARGET)
