"""Options shared by commands, made from the table of settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polylock.errors import UsageError
from polylock.model.visible_text import visible
from polylock.project.setting_values import Kind
from polylock.project.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from click.shell_completion import CompletionItem

    Function = Callable[..., Any]
    Offer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]

__all__ = [
    "FORCE_TARGET",
    "FROZEN",
    "HTML",
    "INDEX_SETTINGS",
    "INSTALLED",
    "JSON",
    "LOCKED",
    "MEMBERS",
    "SELECTION",
    "SHORT_FORMS",
    "Command",
    "Group",
    "given_settings",
    "offered",
    "refuse_frozen",
    "settings",
]

INDEX_SETTINGS = (
    "index_url",
    "torch_index",
    "offline",
    "refresh",
    "threads",
    "timeout",
)
"""The settings of a command that asks indexes about versions."""

SELECTION = (
    "groups",
    "no_groups",
    "only_groups",
    "all_groups",
    "no_default_groups",
    "extras",
    "all_extras",
)
"""The settings that decide which groups and extras a command takes."""

MEMBERS = ("members", "all_members")
"""The settings that decide which members of a workspace a command takes."""

INSTALLED = ("no_install_project", "no_install_packages", "no_editable")
"""The settings of what is installed besides, and how."""

_CHOICE = ("target", *SELECTION, *MEMBERS, *INSTALLED)
_GLOBAL = ("project", "lock_file", "cache_dir", "no_color")
_METAVARS = {
    Kind.PATH: "PATH",
    Kind.SECONDS: "SECONDS",
    Kind.URL: "URL",
    Kind.WHOLE: "N",
}
_TEXTS = {"python": "PYTHON", "target": "NAME"}
"""The metavars of text options by setting; others are by kind, in ``_METAVARS``."""
_REPEATED = tuple(each.name for each in SETTINGS if each.kind is Kind.NAMES)
_TYPES = {Kind.WHOLE: int, Kind.SECONDS: float}
_OFFERED = {
    "target": "target",
    "groups": "group",
    "no_groups": "group",
    "only_groups": "group",
    "members": "member",
    "extras": "extra",
    "no_install_packages": "locked",
    "cache_dir": "dir",
    "project": "file",
    "lock_file": "file",
    "venv": "dir",
    "python": "file",
}
"""The kind of completions of a setting; see ``polylock.cli.completion_words``."""

_TOGETHER: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("groups", "no_groups", "only_groups"),
        "Add a group; --no-group: leave it out, --only-group: it alone.",
    ),
    (
        ("all_groups", "no_default_groups"),
        "Add every group; --no-default-groups adds only named ones.",
    ),
    (
        ("members", "all_members"),
        "A member of the workspace, alone; --all-packages: every one.",
    ),
    (("extras", "all_extras"), "Add an extra; --all-extras adds every one."),
    (
        ("no_install_project", "no_install_packages", "no_editable"),
        "Leave it out; --no-install-package NAME, --no-editable as well.",
    ),
    (
        ("index_url", "torch_index"),
        "The index if the project declares none; --torch-index: PyTorch's.",
    ),
    (
        ("venv", "python"),
        "The environment; -p, --python PYTHON: a version, name or path for a new one.",
    ),
    (
        ("threads", "timeout"),
        "Requests at once; --timeout SECONDS that an index may be silent.",
    ),
    (
        ("dry_run", "check"),
        "Show the plan, change nothing; --check exits with 3 if it has any.",
    ),
    (
        ("reinstall", "hashes"),
        "Reinstall all packages; --hashes: those with changed files.",
    ),
)
"""Options that share a line of the help, with its text: the first one leads.

The help of ``sync`` would be 60 lines long with a line for each.
"""

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout.")
FROZEN = click.option(
    "--frozen", is_flag=True, help="Install a lock file that is out of date."
)
HTML = click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one self-contained page instead of the table.",
)
LOCKED = click.option("--locked", is_flag=True, hidden=True)
"""A flag of uv: what polylock does without ``--frozen``."""
FORCE_TARGET = click.option(
    "--force-target",
    is_flag=True,
    help="Do not check that this machine fits the target.",
)


class Command(click.Command):
    """A command whose help lists its own options before those of every command."""

    def format_options(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the command's own options, then the global ones."""
        help_option = self.get_help_option(ctx)
        options = [
            each
            for each in self.get_params(ctx)
            if isinstance(each, click.Option) and each is not help_option
        ]
        chosen, own, shared = [], [], [("-v, -q", "More or less output; repeatable.")]
        for record, option in _records(options, ctx):
            if option.name in _GLOBAL:
                shared.append(record)
            elif option.name in _CHOICE:
                chosen.append(record)
            elif option.name not in {"verbose", "quiet"}:
                own.append(record)
        last = help_option.get_help_record(ctx) if help_option else None
        for title, records in (
            ("What is chosen", chosen),
            ("Options", own),
            ("Global options", [*shared, last] if last else shared),
        ):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Group(click.Group):
    """A group of commands with that help."""

    command_class: type[click.Command] | None = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; an unknown one is an error that says what to do."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches  # noqa: PLC0415 - for a mistake only

            from polylock.cli.foreign_commands import command_meant  # noqa: PLC0415 - as above

            group = ctx.command_path.partition(" ")[2]
            advice = command_meant(f"{group} {args[0]}".strip())
            close = get_close_matches(args[0], self.list_commands(ctx), n=1)
            if advice is None and close:
                advice = f"Did you mean {close[0]}?"
            problem = f"No such command '{visible(args[0])}'."
            raise click.UsageError(f"{problem} {advice or ''}".rstrip(), ctx) from error


def settings(*names: str) -> Callable[[Function], Function]:
    """Add the options of these settings and the global ones."""

    def add(command: Function) -> Function:
        for name in reversed((*names, *_GLOBAL)):
            command = _option(name)(command)
        if "groups" in names:
            command = _implied(command)
        verbose = click.option("-v", "--verbose", count=True, help="More output.")
        quiet = click.option("-q", "--quiet", count=True, help="Less output.")
        return verbose(quiet(command))

    return add


def offered(kind: str) -> Offer:
    """Return a ``shell_complete`` for click that offers words of a kind."""

    def offer(
        context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        del parameter
        from polylock.cli.completion_words import words  # noqa: PLC0415 - for shells that ask

        return words(kind, context.params, incomplete)

    return offer


_IMPLIED = {
    "--dev": ("groups", "dev"),
    "--no-dev": ("no_groups", "dev"),
    "--only-dev": ("only_groups", "dev"),
}
"""Flags of uv that stand for an option of ours with a word."""
SHORT_FORMS = {"--python": "-p"}
"""Short forms of options, as in uv."""


def _implied(command: Function) -> Function:
    """Add the flags of uv for the group dev, which the help leaves out."""
    for flag in reversed(_IMPLIED):
        command = click.option(flag, _parameter(flag), is_flag=True, hidden=True)(
            command
        )
    return command


def _parameter(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")


def refuse_frozen(values: dict[str, Any]) -> None:
    """Raise UsageError if a lock file may and may not be out of date."""
    if values["frozen"] and values["locked"]:
        raise UsageError(
            "--frozen and --locked exclude each other",
            "without --frozen an outdated lock file is refused",
        )


def given_settings(values: dict[str, Any]) -> dict[str, Any]:
    """Remove the settings from a command's parameters; None means not given."""
    names = {definition.name for definition in SETTINGS}
    found = {name: values.pop(name) for name in list(values) if name in names}
    for flag, (name, word) in _IMPLIED.items():
        if values.pop(_parameter(flag), False):
            found[name] = (*(found.get(name) or ()), word)
    for name in _REPEATED:
        if not found.get(name):
            found.pop(name, None)
    loudness = values.pop("verbose", 0) - values.pop("quiet", 0)
    if loudness:
        found["verbosity"] = max(-2, min(3, loudness))
    return found


def _records(
    options: Sequence[click.Option], ctx: click.Context
) -> Iterator[tuple[tuple[str, str], click.Option]]:
    """Yield the lines of the help, each with its first option: own ones, then settings.

    Options of ``_TOGETHER`` share a line.
    """
    of_settings = {each.name for each in SETTINGS}
    ordered = sorted(options, key=lambda each: each.name in of_settings)
    shown: set[str | None] = set()
    for option in ordered:
        record = option.get_help_record(ctx)
        if record is None or option.name in shown:
            continue
        names, text = next(
            (each for each in _TOGETHER if option.name == each[0][0]), ((), "")
        )
        found = [each.name for each in ordered if each.name in names]
        if len(found) == len(names) > 1:
            record = record[0], text
            shown.update(found)
        yield record, option


def _option(name: str) -> Callable[[Function], Function]:
    definition = next(d for d in SETTINGS if d.name == name)
    text = definition.help.replace("`", "")
    if definition.kind is Kind.SWITCH:
        return click.option(
            definition.flag, name, is_flag=True, default=None, help=text
        )
    offer = offered(_OFFERED[name]) if name in _OFFERED else None
    if definition.kind is Kind.NAMES:
        return click.option(
            definition.flag,
            name,
            multiple=True,
            metavar="NAME",
            help=text,
            shell_complete=offer,
        )
    if definition.choices:
        choice = click.Choice(definition.choices)
        word = definition.flag.rpartition("-")[2].upper()  # a list would be too wide
        text = f"{text[:-1]} ({', '.join(definition.choices)})."
        return click.option(definition.flag, name, type=choice, metavar=word, help=text)
    short = [SHORT_FORMS[definition.flag]] if definition.flag in SHORT_FORMS else []
    return click.option(
        definition.flag,
        *short,
        name,
        type=_TYPES.get(definition.kind, str),
        metavar=_METAVARS.get(definition.kind) or _TEXTS[name],
        help=text,
        shell_complete=offer,
    )
