"""Options shared by commands, made from the table of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from polylock.project.setting_values import Kind
from polylock.project.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    Function = Callable[..., Any]
    Offer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]

__all__ = [
    "FORCE_TARGET",
    "FROZEN",
    "INDEX_SETTINGS",
    "JSON",
    "Command",
    "Group",
    "given_settings",
    "offered",
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

_GLOBAL = ("project", "lock_file", "cache_dir", "no_color")
_METAVARS = {
    Kind.PATH: "PATH",
    Kind.SECONDS: "SECONDS",
    Kind.URL: "URL",
    Kind.WHOLE: "N",
}
_TEXTS = {"python": "PYTHON", "target": "NAME"}
"""The metavars of text options by setting; others are by kind, in ``_METAVARS``."""
_TYPES = {Kind.WHOLE: int, Kind.SECONDS: float}
_OFFERED = {
    "target": "target",
    "groups": "group",
    "extras": "extra",
    "cache_dir": "dir",
    "project": "file",
    "lock_file": "file",
    "venv": "dir",
    "python": "file",
}
"""The kind of completions of a setting; see ``polylock.cli.completion_words``."""

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout.")
FROZEN = click.option(
    "--frozen", is_flag=True, help="Install a lock file that is out of date."
)
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
        own: list[tuple[str, str]] = []
        shared = [("-v, -q", "More or less output; can be repeated.")]
        help_option = self.get_help_option(ctx)
        options = [each for each in self.get_params(ctx) if each is not help_option]
        options.sort(key=_importance)
        for option in (*options, *([help_option] if help_option else ())):
            record = option.get_help_record(ctx)
            if record is None or not isinstance(option, click.Option):
                continue
            if option.name in _GLOBAL or option is help_option:
                shared.append(record)
            elif option.name not in {"verbose", "quiet"}:
                own.append(record)
        for title, records in (("Options", own), ("Global options", shared)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Group(click.Group):
    """A group of commands with that help."""

    command_class: type[click.Command] | None = Command


def settings(*names: str) -> Callable[[Function], Function]:
    """Add the options of these settings and the global ones."""

    def add(command: Function) -> Function:
        for name in reversed((*names, *_GLOBAL)):
            command = _option(name)(command)
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


def given_settings(values: dict[str, Any]) -> dict[str, Any]:
    """Remove the settings from a command's parameters; None means not given."""
    names = {definition.name for definition in SETTINGS}
    found = {name: values.pop(name) for name in list(values) if name in names}
    for name in ("groups", "extras"):
        if not found.get(name):
            found.pop(name, None)
    loudness = values.pop("verbose", 0) - values.pop("quiet", 0)
    if loudness:
        found["verbosity"] = max(-2, min(3, loudness))
    return found


def _importance(option: click.Parameter) -> int:
    """Return the rank of an option in the help: selection, own options, settings."""
    if option.name in {"target", "groups", "extras"}:
        return 0
    return 2 if option.name in {each.name for each in SETTINGS} else 1


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
    return click.option(
        definition.flag,
        name,
        type=_TYPES.get(definition.kind, str),
        metavar=_METAVARS.get(definition.kind) or _TEXTS[name],
        help=text,
        shell_complete=offer,
    )
