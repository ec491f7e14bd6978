"""``reference/commands.md``: what each command is for, and what it takes."""

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
from polylock.project.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pages_from_source.command_line import Described

__all__ = ["commands_page"]

_HEAD = """\
# Commands

`--help` lists the commands, and after a command it shows that one with an example;
`--version` or `-V` shows the version. Data goes to stdout, all else to stderr. Options
that are [settings](settings.md) can be given by environment variables as well, and some
in a configuration file. How commands end is said under [exit codes](exit-codes.md).

On a terminal there are colours, and tables and long sentences are fitted to its width.
What goes into a pipe or a file is plain and the same everywhere. `NO_COLOR` and
`--no-color` take colours away; `FORCE_COLOR` gives them where there is no terminal, as
in the log of a CI service; `TERM=dumb` makes a terminal one for plain lines."""

_EVERYWHERE = "Options of every command"

_ARGUMENTS = {
    "add requirements": "Requirements (PEP 508), quoted for the shell.",
    "bundle directory": "The directory to write; it must be new or empty.",
    "completion shell": "`bash` (4.4 or later), `zsh` or `fish`.",
    "diff after": "The later lock file, or a revision of git that has it.",
    "diff before": "The earlier lock file, or a revision of git that has it.",
    "index build directory": "The folder with the files.",
    "index serve directory": "What `polylock index build` wrote.",
    "merge files": "What git gives a merge driver: `%O %A %B %P`.",
    "remove names": "Names of projects.",
    "run arguments": "The command and its own arguments.",
    "targets add preset": "A name of [presets](presets.md).",
    "targets presets name": "A name of [presets](presets.md), or words to search for.",
    "targets show name": "A target of the project file.",
    "why name": "The name of a project.",
}
"""Positional arguments have no help of their own in click: command, then argument."""


def commands_page() -> str:
    """Return the reference of all commands."""
    rows = ((_to(each), each.paragraphs()[0]) for each in commands())
    listed = table(("command", "does"), ((name, prose(text)) for name, text in rows))
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
        "`--json` prints the result as JSON to stdout, and nothing else there: "
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
    """Return what an option takes, and what it has where it is not given."""
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
    """Return the line that names what a command takes beside its own options."""
    found = dict.fromkeys(
        setting.name
        for setting in map(setting_of, described.options())
        if setting is not None and setting.name not in EVERYWHERE
    )
    links = [_setting_link(name) for name in found]
    links.append(link("those of every command", "", _EVERYWHERE))
    if len(links) == 1:
        return f"Settings: {links[0]}."
    return f"Settings: {', '.join(links[:-1])}, and {links[-1]}."


def _setting_link(name: str) -> str:
    definition = next(each for each in SETTINGS if each.name == name)
    return link(setting_heading(definition), "settings.md", setting_heading(definition))


def _endings(described: Described) -> str:
    """Return the exit codes that are this command's own."""
    found = endings_of(described.name)
    if not found:
        return ""
    said = "\n".join(f"- {number}: {why}" for number, why in found)
    return f"[Exit codes](exit-codes.md) besides 0, 1 and 2:\n\n{said}"
