"""The options and the output that ``add`` and ``remove`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.options import offered
from polylock.cli.terminal import say
from polylock.operations.edit.dependencies import DependencyEdit, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from polylock.project.settings import Settings

__all__ = ["edit_place", "place"]


def place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--group``, ``--extra`` and ``--target``.

    They differ from the settings of these names, which may come from environment
    variables and select what to install.
    """
    for kind, text in (
        ("target", "Edit the requirements of this target."),
        ("extra", "Edit this extra."),
        ("group", "Edit this dependency group."),
    ):
        offer = offered("declared-target" if kind == "target" else kind)
        command = click.option(
            f"--{kind}", f"to_{kind}", metavar="NAME", help=text, shell_complete=offer
        )(command)
    return command


def edit_place(
    edit: Callable[[Settings, Sequence[str], Place], DependencyEdit],
    items: str,
    values: dict[str, Any],
    *,
    done: str,
) -> int:
    """Edit the list of requirements that the ``place`` options name, and report it.

    ``items`` is the parameter with the requirements or names, ``done`` the verb for
    the message.
    """
    chosen = begin(values)
    where = Place(
        group=values["to_group"], extra=values["to_extra"], target=values["to_target"]
    )
    made = edit(chosen, values[items], where)
    if values["as_json"]:
        print_json(made.to_json())
    elif chosen.verbosity >= 0:
        _report(done, made)
    return 0


def _report(done: str, edit: DependencyEdit) -> None:
    """Report the edit and the next step on stderr."""
    if not edit.changed:
        say(f"{edit.path.name} is unchanged: already listed")
        return
    items = ", ".join(edit.items)
    say(f"{done} {edit.place} in {edit.path.name}: {items}")
    say("run `polylock lock` to lock it")
