"""Options shared by commands, spelled once: in the table of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from polylock.project.setting_values import Kind
from polylock.project.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    Command = Callable[..., Any]
    Offer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]

__all__ = ["FORCE_TARGET", "FROZEN", "JSON", "given_settings", "offered", "settings"]

_GLOBAL = ("project", "lock_file", "cache_dir", "no_color")
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
"""What a shell offers for settings; see ``polylock.cli.words``."""

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout.")
FROZEN = click.option(
    "--frozen", is_flag=True, help="Install a lock file that is out of date."
)
FORCE_TARGET = click.option(
    "--force-target", is_flag=True, help="Do not check this machine."
)


def settings(*names: str) -> Callable[[Command], Command]:
    """Add the options of these settings, and of those that every command has."""

    def add(command: Command) -> Command:
        for name in reversed((*names, *_GLOBAL)):
            command = _option(name)(command)
        verbose = click.option("-v", "--verbose", count=True, help="Say more.")
        quiet = click.option("-q", "--quiet", count=True, help="Say less.")
        return verbose(quiet(command))

    return add


def offered(kind: str) -> Offer:
    """Return what makes click offer words of a kind of ``polylock.cli.words``."""

    def offer(
        context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        del parameter
        from polylock.cli.words import words  # noqa: PLC0415 - for shells that ask

        return words(kind, context.params, incomplete)

    return offer


def given_settings(values: dict[str, Any]) -> dict[str, Any]:
    """Take the settings out of a command's parameters, None for those not given."""
    names = {definition.name for definition in SETTINGS}
    found = {name: values.pop(name) for name in list(values) if name in names}
    for name in ("groups", "extras"):
        if not found.get(name):
            found.pop(name, None)
    loudness = values.pop("verbose", 0) - values.pop("quiet", 0)
    if loudness:
        found["verbosity"] = max(-2, min(3, loudness))
    return found


def _option(name: str) -> Callable[[Command], Command]:
    definition = next(d for d in SETTINGS if d.name == name)
    text = definition.help.replace("`", "")
    if definition.kind is Kind.SWITCH:
        return click.option(
            definition.flag, name, is_flag=True, default=None, help=text
        )
    offer = offered(_OFFERED[name]) if name in _OFFERED else None
    if definition.kind is Kind.NAMES:
        return click.option(
            definition.flag, name, multiple=True, help=text, shell_complete=offer
        )
    if definition.choices:
        choice = click.Choice(definition.choices)
        word = definition.flag.rpartition("-")[2].upper()  # the choices are too wide
        text = f"{text[:-1]} ({', '.join(definition.choices)})."
        return click.option(definition.flag, name, type=choice, metavar=word, help=text)
    kind = _TYPES.get(definition.kind, str)
    return click.option(
        definition.flag, name, type=kind, help=text, shell_complete=offer
    )
