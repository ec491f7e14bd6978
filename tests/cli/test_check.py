"""``polylock check`` compares and exits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


def test_lock_file_that_answers(demo: CommandLine) -> None:
    """Exit code 0, stdout empty, a word on stderr unless quiet."""
    ran = demo.succeed("check")
    assert (ran.out, ran.err) == ("", "pylock.toml is up to date\n")
    assert demo.succeed("check", "-q").err == ""


def test_differences_are_lines(demo: CommandLine) -> None:
    """Exit code 3, each difference on a line of its own, and what to run."""
    demo.succeed("add", "vecdemo", "--no-lock")
    demo.succeed("remove", "fallbackkit", "--no-lock")
    ran = demo("check")
    assert (ran.code, ran.out) == (3, "")
    assert "  requirement vecdemo is new\n" in ran.err
    assert "  requirement fallbackkit is gone\n" in ran.err
    assert "hint: run `polylock lock`" in ran.err


def test_missing_lock_file_is_a_difference(demo: CommandLine) -> None:
    """A project that was never locked is out of date."""
    (demo.directory / "pylock.toml").unlink()
    ran = demo("check")
    assert ran.code == 3
    assert "there is no lock file" in ran.err
    assert demo("check", "--json").json["exists"] is False
