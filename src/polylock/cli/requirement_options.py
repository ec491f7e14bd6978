"""The list of requirements that ``add`` and ``remove`` edit: options and words."""

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

    They are not the settings of these names: those may come from the environment,
    and say what to install.
    """
    for kind, text in (
        ("target", "In the requirements of this target."),
        ("extra", "In this extra."),
        ("group", "In this dependency group."),
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
    """Edit the list of requirements that ``place`` names, and say what was done.

    ``items`` is the parameter that holds what is added or removed, ``done`` what that
    is called.
    """
    chosen = begin(values)
    where = Place(
        group=values["to_group"], extra=values["to_extra"], target=values["to_target"]
    )
    made = edit(chosen, values[items], where)
    if values["as_json"]:
        print_json(made.to_json())
    elif chosen.verbosity >= 0:
        _tell(done, made)
    return 0


def _tell(what: str, edit: DependencyEdit) -> None:
    """Say what was done on stderr, and what comes next."""
    if not edit.changed:
        say(f"{edit.path.name} stays as it is: all of it is there")
        return
    items = ", ".join(edit.items)
    say(f"{what} {edit.place} in {edit.path.name}: {items}")
    say("run `polylock lock` to lock it")
