"""Every command says how it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from polylock.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.command_line import CommandLine

LONGEST_HELP = 40
SHARED = ["--project", "--lock-file", "--cache-dir", "--no-color"]


def _commands() -> Iterator[tuple[str, ...]]:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        yield (name,)
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            for inner in command.list_commands(context):
                yield name, inner


COMMANDS = list(_commands())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_is_short_and_shows_an_example(
    polylock: CommandLine, words: tuple[str, ...]
) -> None:
    """``--help`` works, fits a screen and shows a call of the command."""
    told = polylock.succeed(*words, "--help").out
    assert len(told.splitlines()) < LONGEST_HELP
    example = told.partition("Example: ")[2]
    assert f"polylock {words[0]}" in example


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_tells_what_is_special_first(
    polylock: CommandLine, words: tuple[str, ...]
) -> None:
    """What every command takes comes last, and values are called what they are."""
    told = polylock.succeed(*words, "--help").out
    own, _, shared = told.partition("\nGlobal options:\n")
    if not shared:
        return  # a group of commands takes none of it
    flags = [line.split()[0] for line in shared.splitlines() if line.startswith("  -")]
    assert flags[:-1] == ["-v,", *SHARED]
    assert flags[-1] in {"-h,", "--help"}  # click keeps what it was first asked for
    assert not any(flag in own for flag in SHARED)
    assert not {"TEXT", "INTEGER", "FLOAT", "BOOLEAN"} & set(told.split())


def test_help_of_all_lists_every_command(polylock: CommandLine) -> None:
    """``polylock --help`` names the commands, and costs no import of theirs."""
    told = polylock.succeed("--help").out
    for words in COMMANDS:
        assert f"\n  {words[0]} " in told


def test_misspelled_command_is_recognised(polylock: CommandLine) -> None:
    """The error names the command that was probably meant, and exits with 2."""
    ran = polylock("lokc")
    assert ran.code == 2
    assert "Did you mean lock?" in ran.err
    assert not ran.out


def test_unknown_option_is_an_error_of_usage(polylock: CommandLine) -> None:
    """It exits with 2 and leaves stdout to data."""
    ran = polylock("tree", "--colour")
    assert (ran.code, ran.out) == (2, "")
