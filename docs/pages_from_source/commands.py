"""``reference/commands.md``: each command, its options and arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pages_from_source.command_line import EVERYWHERE, commands, setting_of
from pages_from_source.exit_codes import endings_of
from pages_from_source.markdown import (
    anchor,
    block,
    code,
    code_list,
    link,
    page,
    table,
)
from pages_from_source.prose import prose
from pages_from_source.settings import setting_heading
from polylock.cli.options import SHORT_FORMS
from polylock.project.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pages_from_source.command_line import Described

__all__ = ["commands_page"]

_HEAD = """\
# Commands

`--help` lists the commands; after a command it describes that command, with an
example. `--version` or `-V` shows the version. Data goes to stdout, everything else
to stderr. Options that are [settings](settings.md) can also be set by environment
variables, and some in a configuration file. See also [exit codes](exit-codes.md).

On a terminal, output has colours and fits the width. In a pipe or a file, it is plain
and the same everywhere. `NO_COLOR` and `--no-color` turn colours off; `FORCE_COLOR`
turns them on without a terminal, for example in a CI log; `TERM=dumb` gives plain
lines on a terminal."""

_EVERYWHERE = "Options of every command"

_ARGUMENTS = {
    "add requirements": "Requirements (PEP 508), quoted for the shell.",
    "bundle directory": "The directory to write; it must be new or empty.",
    "completion shell": "`bash` (4.4 or later), `zsh` or `fish`.",
    "diff after": "The later lock file, or a git revision that has it.",
    "diff before": "The earlier lock file, or a git revision that has it.",
    "index build directory": "The folder with the files.",
    "index lint names": "Names of projects; without any, all are checked.",
    "index lint place": "The URL of the index, or its directory.",
    "index simulate place": "The URL of the index, or its directory.",
    "index simulate requirement": "The project, with a version such as `==2.0`.",
    "index serve directory": "The directory that `polylock index build` wrote.",
    "merge files": "The arguments of a git merge driver: `%O %A %B %P`.",
    "remove names": "Names of projects.",
    "run arguments": "The command and its arguments.",
    "targets add preset": "The name of a [preset](presets.md).",
    "targets presets name": "The name of a [preset](presets.md), or search words.",
    "targets show name": "A target of the project file.",
    "variant label wheels": "The wheels; their originals are not changed.",
    "variant repack file": "A [repack file](repack-file.md).",
    "variant show wheels": "The wheels.",
    "variant unlabel wheels": "The variant wheels; their originals are not changed.",
    "why name": "The name of a project.",
}
"""Positional arguments, which have no help in click: command, then argument."""


def commands_page() -> str:
    """Return the reference of all commands."""
    rows = ((_to(each), each.paragraphs()[0]) for each in commands())
    listed = table(("command", "purpose"), ((name, prose(text)) for name, text in rows))
    sections = (part for each in commands() for part in _section(each))
    return page([_HEAD, listed, *_everywhere(), *sections])


def _to(described: Described) -> str:
    return link(code(described.name), "", described.heading)


def _everywhere() -> Iterator[str]:
    yield f"## {_EVERYWHERE}"
    rows = [
        (_setting_link(each.name), each.help)
        for each in SETTINGS
        if each.name in EVERYWHERE
    ]
    rows.append(("`-h`, `--help`", "Show the help of the command."))
    yield table(("option", "meaning"), rows)
    yield (
        "`--json` prints only the result, as JSON, to stdout: "
        "[JSON output](json-output.md) describes every document."
    )


def _section(described: Described) -> Iterator[str]:
    yield f"## `{described.heading}`"
    purpose, *more = described.paragraphs()
    yield prose(purpose)
    yield block("text", described.usage())
    yield from map(prose, more)
    yield _arguments(described)
    yield _own_options(described)
    yield _settings(described)
    yield _endings(described)
    yield f"Example:\n\n{block('shell', described.example())}"


def _arguments(described: Described) -> str:
    rows = [
        (
            code(argument.make_metavar(described.context).strip("[]")),
            _ARGUMENTS[f"{described.name} {argument.name}"],
        )
        for argument in described.arguments()
    ]
    return table(("argument", "meaning"), rows) if rows else ""


def _own_options(described: Described) -> str:
    rows = [
        (code_list(option.opts), *_value(option), _help(described, option))
        for option in described.options()
        if setting_of(option) is None
    ]
    if not rows:
        return ""
    return table(("option", "value", "default", "meaning"), rows)


def _value(option: click.Option) -> tuple[str, str]:
    """Return the value that an option takes, and its default."""
    default = option.default
    given = isinstance(default, str | int | float) and not isinstance(default, bool)
    words = code(str(default)) if given else ""
    if option.is_flag:
        return "", words
    if isinstance(option.type, click.Choice):
        return code_list(option.type.choices), words
    value = code(option.metavar) if option.metavar else _TYPES[type(option.type)]
    if isinstance(option.type, click.IntRange) and option.type.min is not None:
        value += f", {option.type.min} or more"
    return f"{value}, repeatable" if option.multiple else value, words


_TYPES: dict[type[object], str] = {
    type(click.STRING): "text",
    type(click.INT): "whole number",
    type(click.FLOAT): "number",
    click.Path: "path",
    click.IntRange: "whole number",
}


def _help(described: Described, option: click.Option) -> str:
    if option.name == "as_json":
        heading = f"polylock {described.name} --json"
        return f"Print [this document](json-output.md#{anchor(heading)}) to stdout."
    return prose(option.help or "")


def _settings(described: Described) -> str:
    """Return the line that lists the settings of a command."""
    found = dict.fromkeys(
        setting.name
        for setting in map(setting_of, described.options())
        if setting is not None and setting.name not in EVERYWHERE
    )
    links = [_setting_link(name) for name in found]
    links.append(link("options of every command", "", _EVERYWHERE))
    if len(links) == 1:
        return f"Settings: {links[0]}."
    return f"Settings: {', '.join(links[:-1])}, and {links[-1]}."


def _setting_link(name: str) -> str:
    definition = next(each for each in SETTINGS if each.name == name)
    heading = setting_heading(definition)
    short = SHORT_FORMS.get(definition.flag)
    shown = f"{code(short)}, {heading}" if short else heading
    return link(shown, "settings.md", heading)


def _endings(described: Described) -> str:
    """Return the exit codes that only this command has."""
    found = endings_of(described.name)
    if not found:
        return ""
    said = "\n".join(f"- {number}: {why}" for number, why in found)
    return f"[Exit codes](exit-codes.md) other than 0, 1 and 2:\n\n{said}"
