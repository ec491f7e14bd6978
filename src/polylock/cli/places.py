"""The options by which ``add`` and ``remove`` name a list of requirements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylock.operations.dependencies import DependencyEdit

__all__ = ["place", "tell_edit"]


def place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--group``, ``--extra`` and ``--target``.

    They are not the settings of these names: those may come from the environment,
    and say what to install.
    """
    for flag, name, text in (
        ("--target", "to_target", "In the requirements of this target."),
        ("--extra", "to_extra", "In this extra."),
        ("--group", "to_group", "In this dependency group."),
    ):
        command = click.option(flag, name, metavar="NAME", help=text)(command)
    return command


def tell_edit(what: str, edit: DependencyEdit) -> None:
    """Say what was done on stderr, and what comes next."""
    if not edit.changed:
        click.echo(f"{edit.path.name} stays as it is: all of it is there", err=True)
        return
    items = ", ".join(edit.items)
    click.echo(f"{what} {edit.place} in {edit.path.name}: {items}", err=True)
    click.echo("run `polylock lock` to lock it", err=True)
