"""The commands as click has them: names, parameters, help."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import click

from polylock.cli.main import cli
from polylock.project.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.project.setting_values import SettingDefinition

__all__ = ["EVERYWHERE", "Described", "commands", "has_setting", "setting_of"]

EVERYWHERE = ("project", "lock_file", "cache_dir", "no_color", "verbosity")
"""The settings that every command has."""

_VERBOSITY = ("verbose", "quiet")


@dataclass(frozen=True)
class Described:
    """One command, such as ``targets list``; not a group such as ``targets``."""

    name: str
    command: click.Command
    context: click.Context

    @property
    def heading(self) -> str:
        """Return the heading of its section, without the marks of code."""
        return f"polylock {self.name}"

    def paragraphs(self) -> list[str]:
        """Return the paragraphs of its help, the purpose first."""
        return (self.command.help or "").strip().split("\n\n")

    def example(self) -> str:
        """Return the command line that its help ends with."""
        return (self.command.epilog or "").removeprefix("Example: ")

    def usage(self) -> str:
        """Return its usage, on one line."""
        pieces = self.command.collect_usage_pieces(self.context)
        return " ".join([self.heading, *pieces])

    def arguments(self) -> list[click.Argument]:
        """Return its positional arguments."""
        return [p for p in self.command.params if isinstance(p, click.Argument)]

    def options(self) -> list[click.Option]:
        """Return its options, settings among them, in their order."""
        found = (p for p in self.command.params if isinstance(p, click.Option))
        return [option for option in found if not option.hidden]


@cache
def commands() -> tuple[Described, ...]:
    """Return every command, in the order of the help."""
    return tuple(_walk(cli, click.Context(cli, info_name="polylock"), ()))


def _walk(
    group: click.Group, context: click.Context, path: tuple[str, ...]
) -> Iterator[Described]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        words = (*path, name)
        if isinstance(command, click.Group):
            yield from _walk(command, inner, words)
        else:
            yield Described(" ".join(words), command, inner)


def setting_of(option: click.Option) -> SettingDefinition | None:
    """Return the setting that an option sets, None for the command's own options."""
    name = "verbosity" if option.name in _VERBOSITY else option.name
    return next((each for each in SETTINGS if each.name == name), None)


def has_setting(described: Described, definition: SettingDefinition) -> bool:
    """Return True if a command has a setting."""
    return definition in map(setting_of, described.options())
