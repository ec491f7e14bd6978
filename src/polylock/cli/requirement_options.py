"""The options and the output that ``add`` and ``remove`` share."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import (
    begin,
    print_json,
    reporting,
    without_garbage_collection,
)
from polylock.cli.lock import lock_lines
from polylock.cli.options import offered
from polylock.cli.sync import sync_summary
from polylock.cli.terminal import say, write_error
from polylock.environment.discovery import managed_path
from polylock.errors import UsageError
from polylock.operations.edit.dependencies import (
    AfterEdit,
    Bounds,
    DependencyEdit,
    Place,
    then_lock,
)
from polylock.operations.lock.request import LockRequest
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylock.project.settings import Settings

__all__ = ["edit_place", "place"]


def place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--group``, ``--extra`` and ``--target``, and the steps after the edit.

    They differ from the settings of these names, which may come from environment
    variables and select what to install.
    """
    for name, text in (
        ("--no-sync", "Lock, and leave the environment unchanged."),
        ("--no-lock", "Edit the project file and nothing else."),
    ):
        command = click.option(name, is_flag=True, help=text)(command)
    for kind, names, text in (
        ("target", (), "Edit the requirements of this target."),
        ("extra", ("--optional",), "Edit this extra."),
        ("group", (), "Edit this dependency group; --dev stands for --group dev."),
    ):
        offer = offered("declared-target" if kind == "target" else kind)
        command = click.option(
            f"--{kind}",
            *names,
            f"to_{kind}",
            metavar="NAME",
            help=text,
            shell_complete=offer,
        )(command)
    return click.option("--dev", "to_dev", is_flag=True, hidden=True)(command)


def edit_place(
    edit: Callable[[Settings, Place], DependencyEdit],
    values: dict[str, Any],
    *,
    done: str,
    bounds: Bounds | None = None,
) -> int:
    """Edit the list that the ``place`` options name, lock, sync, and report it.

    ``done`` is the verb for the message; ``bounds`` as in ``AfterEdit``.
    """
    chosen = begin(values)
    if values["to_dev"] and values["to_group"] not in {None, "dev"}:
        raise UsageError("--dev and --group exclude each other", "--dev is --group dev")
    where = Place(
        group="dev" if values["to_dev"] else values["to_group"],
        extra=values["to_extra"],
        target=values["to_target"],
    )
    after = AfterEdit(
        locks=not values["no_lock"],
        syncs=not values["no_sync"],
        bounds=bounds,
        sync_options=SyncOptions(
            search_path=os.environ.get("PATH", ""),
            managed=partial(managed_path, os.environ),
        ),
    )
    made = edit(chosen, where)
    with reporting(chosen) as reporter, without_garbage_collection():
        made = then_lock(chosen, made, after, reporter)
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
    if edit.locked is None:
        say("run `polylock lock` to lock it")
        return
    for line in lock_lines(edit.locked, LockRequest()):
        say(line)
    if edit.synced is None:
        say("run `polylock sync` to install it")
    else:
        write_error(sync_summary(edit.synced, planned=False))
