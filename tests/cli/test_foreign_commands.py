"""Commands and options of other tools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from polylock.cli import foreign_commands as habits
from polylock.cli.main import cli

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["install"], "`polylock sync` installs what is locked"),
        (["pip", "install", "x"], "`polylock sync`"),
        (["update"], "`polylock lock --upgrade`"),
        (["upgrade"], "`polylock lock --upgrade`"),
        (["uninstall", "x"], "`polylock remove NAME`"),
        (["add", "--dev", "x"], "Use --group dev."),
        (["remove", "-D", "x"], "Use --group dev."),
        (["sync", "--all-groups"], "Name each group with --group"),
        (["lock", "--check"], "Run `polylock check`."),
        (["lock", "-U"], "Use --upgrade."),
    ],
    ids=" ".join,
)
def test_words_of_other_tools_are_known(
    polylock: CommandLine, arguments: list[str], meant: str
) -> None:
    """What does the same here is named, in a command line that is refused."""
    ran = polylock(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert meant in ran.err


def test_what_is_named_in_place_of_other_tools_words_exists() -> None:
    """Every command and option that is advised is one of polylock."""
    context = click.Context(cli)
    words = {"--"}
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        words.add(name)
        words |= {flag for each in command.params for flag in each.opts}
    told = [*habits.COMMANDS.values()]
    for command_name, options in habits.OPTIONS.items():
        command = cli.get_command(context, command_name)
        assert command is not None
        known = {flag for each in command.params for flag in each.opts}
        assert not known & options.keys()
        told += options.values()
    for text in told:
        for flag in re.findall(r"(?<!\w)--[a-z-]*", text):
            assert flag in words
        for name in re.findall(r"`polylock ([a-z-]+)", text):
            assert name in words
    assert not habits.COMMANDS.keys() & set(cli.list_commands(context))
