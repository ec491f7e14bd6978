"""``polylock add`` edits the project file."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


def test_requirements_are_added_and_not_locked(demo: CommandLine) -> None:
    """Comments stay, the lock file is as it was, and the next step is told."""
    lock = demo.read("pylock.toml")
    ran = demo.succeed("add", "vecdemo>=2", "blasx")
    data = tomllib.loads(demo.read())
    assert data["project"]["dependencies"][-2:] == ["vecdemo>=2", "blasx"]
    assert "# what the tests need" in demo.read()
    assert demo.read("pylock.toml") == lock
    assert "polylock lock" in ran.err
    assert not ran.out


def test_place_can_be_named(demo: CommandLine) -> None:
    """A group, an extra or a target; a new group is made."""
    demo.succeed("add", "blasx", "--group", "lint")
    demo.succeed("add", "blasx", "--extra", "ops")
    demo.succeed("add", "blasx", "--target", "mac")
    data = tomllib.loads(demo.read())
    assert data["dependency-groups"]["lint"] == ["blasx"]
    assert data["project"]["optional-dependencies"]["ops"] == ["abikit", "blasx"]
    assert data["tool"]["polylock"]["targets"]["mac"]["dependencies"] == ["blasx"]
    demo.succeed("lock")
    assert "group lint" in demo.succeed("tree", "--target", "h100").out


def test_what_is_there_changes_nothing(demo: CommandLine) -> None:
    """A bare name that is required already is no reason to write."""
    before = demo.read()
    ran = demo.succeed("add", "plainlib")
    assert "is unchanged: already listed" in ran.err
    assert demo.read() == before


def test_mistakes_change_nothing(demo: CommandLine) -> None:
    """No requirement, two places, an unknown target: exit code 2."""
    before = demo.read()
    for arguments in (
        ["not a requirement"],
        ["blasx", "--group", "test", "--extra", "ops"],
        ["blasx", "--target", "nowhere"],
    ):
        assert demo("add", *arguments).code == 2
    assert demo("add").code == 2
    assert demo.read() == before


def test_environment_names_no_place(demo: CommandLine) -> None:
    """POLYLOCK_TARGET says what to install, not what to edit."""
    demo.set("POLYLOCK_TARGET", "mac")
    demo.succeed("add", "blasx")
    assert "blasx" in tomllib.loads(demo.read())["project"]["dependencies"]
