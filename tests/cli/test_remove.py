"""``polylock remove`` edits the project file."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


def test_requirements_are_removed_by_name(demo: CommandLine) -> None:
    """In any spelling; extras and specifiers do not matter, comments stay."""
    ran = demo.succeed("remove", "Plainlib", "fallbackkit", "--no-lock")
    data = tomllib.loads(demo.read())
    assert data["project"]["dependencies"] == ["tensordemo>=3"]
    assert "# what the tests need" in demo.read()
    assert "polylock lock" in ran.err


def test_place_can_be_named(demo: CommandLine) -> None:
    """What is in a group is removed from the group alone."""
    demo.succeed("add", "plainlib-testing", "--no-lock")
    demo.succeed("remove", "plainlib-testing", "--group", "test", "--no-lock")
    data = tomllib.loads(demo.read())
    assert data["dependency-groups"]["test"] == []
    assert "plainlib-testing" in data["project"]["dependencies"]


def test_what_is_not_there_is_an_error(demo: CommandLine) -> None:
    """The error names the key, and the name that was probably meant."""
    before = demo.read()
    ran = demo("remove", "fallbackkid", "plainlib")
    assert ran.code == 2
    assert "project.dependencies" in ran.err
    assert "did you mean fallbackkit?" in ran.err
    assert demo.read() == before
