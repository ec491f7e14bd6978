"""What is locked older than it could be, and what holds it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.command_line import CommandLine

PROJECT = """\
[project]
name = "demo"
version = "1"
dependencies = ["tensordemo-compiler==1.0.0"]
[tool.polylock.targets.box]
platform = "linux-x86_64"
python = "3.12"
[tool.polylock.targets.new]
platform = "linux-x86_64"
python = "3.12"
"""


def test_each_project_with_what_holds_it_back(polylock: CommandLine) -> None:
    """The project's own pin is named, and targets that share it are one row."""
    polylock.write(PROJECT)
    polylock.succeed("lock")
    lines = polylock.succeed("outdated").out.splitlines()
    assert lines[0].split() == (
        ["project", "locked", "allowed", "newest", "targets", "held", "back", "by"]
    )
    assert lines[2].split() == [
        *("tensordemo-compiler", "1.0.0", "1.0.0", "1.1.0", "box,", "new"),
        *["the", "project", "requires", "tensordemo-compiler==1.0.0"],
    ]
    ran = polylock("outdated", "--target", "new", "--exit-code")
    assert ran.code == 3
    assert "box" not in ran.out


def test_a_pin_that_only_the_lock_keeps(polylock: CommandLine) -> None:
    """What nothing holds back names the command that takes it."""
    polylock.write(PROJECT)
    polylock.succeed("lock")
    polylock.write(PROJECT.replace("==1.0.0", ""))
    polylock.succeed("lock")
    (found,) = polylock.succeed("outdated", "--json").json["outdated"]
    assert (found["allowed"], found["newest"]) == ("1.1.0", "1.1.0")
    assert found["reason"]["kind"] == "unopposed"
    assert (
        "polylock lock --upgrade-package tensordemo-compiler" in found["held-back-by"]
    )
    tree = polylock.succeed("tree", "--outdated").out.splitlines()
    assert tree[1].endswith("tensordemo-compiler 1.0.0 < 1.1.0")
    (package,) = polylock.succeed("tree", "--outdated", "--json").json[0]["packages"]
    assert package["newest"] == "1.1.0"


def test_nothing_is_outdated(polylock: CommandLine) -> None:
    """It is said, and the exit code is 0 with ``--exit-code`` too."""
    polylock.write(PROJECT.replace("==1.0.0", ""))
    polylock.succeed("lock")
    ran = polylock.succeed("outdated", "--exit-code")
    assert (ran.out, ran.err) == ("", "every locked project is at its newest version\n")


def test_without_a_project_file_no_index_is_known(polylock: CommandLine) -> None:
    """A lock file alone does not say where newer versions would come from."""
    polylock.write(PROJECT)
    polylock.succeed("lock")
    (polylock.directory / "pyproject.toml").unlink()
    ran = polylock("outdated")
    assert ran.code == 2
    assert "pyproject.toml" in ran.err
