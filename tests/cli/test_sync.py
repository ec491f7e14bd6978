"""What ``polylock sync`` says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


def test_groups_and_extras_are_named(demo: CommandLine) -> None:
    """They stay from call to call, so each call says which there are."""
    first = demo.succeed("sync", "--target", "here", "--group", "test")
    assert "here with group test: " in first.err
    demo.succeed("sync", "--extra", "ops")
    again = demo.succeed("sync")
    assert "here with group test and extra ops: nothing to do" in again.err
    document = demo.succeed("sync", "--json").json
    assert (document["groups"], document["extras"]) == (["test"], ["ops"])
    forgotten = demo.succeed("sync", "--forget", "--target", "here")
    assert re.search(r"^here: .*removed", forgotten.err, re.MULTILINE)


def test_target_is_no_group(demo: CommandLine) -> None:
    """Targets are groups of the lock file, not of the project."""
    ran = demo("sync", "--target", "here", "--group", "mac")
    assert ran.code == 2
    assert "no dependency group named mac" in ran.err
    assert "mac is a target: --target mac" in ran.err
    other = demo("sync", "--target", "here", "--group", "dev")
    assert other.code == 2
    assert "hint: there are: test\n" in other.err
