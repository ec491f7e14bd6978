"""``polylock outdated``."""

from __future__ import annotations

import sys
from typing import Any

import click

from polylock.cli.invocation import begin, print_json, reporting
from polylock.cli.options import INDEX_SETTINGS, JSON, SELECTION, Command, settings
from polylock.cli.tables import Table
from polylock.cli.terminal import say, style
from polylock.operations.inspect.outdated import Outdated, outdated

__all__ = ["command"]


@click.command("outdated", cls=Command, epilog="Example: polylock outdated --exit-code")
@settings("target", *SELECTION, *INDEX_SETTINGS)
@click.option("--exit-code", is_flag=True, help="Exit with 3 if anything is outdated.")
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """List outdated packages, and what holds each one back.

    allowed is the newest version that the project's own requirements and settings
    admit, newest the newest version on the index. Targets with the same versions are
    shown together.
    """
    chosen = begin(values)
    with reporting(chosen) as reporter:
        found = outdated(chosen, reporter)
    if values["as_json"]:
        print_json(found.to_json())
    elif found.pins:
        sys.stdout.write(_table(found).text())
    elif chosen.verbosity >= 0:
        say("every locked project is at its newest version")
    for note in found.notes if chosen.verbosity >= 0 else ():
        say(f"{style('note', 'hint')}: {note}")
    return 3 if found.pins and values["exit_code"] else 0


def _table(found: Outdated) -> Table:
    table = Table(
        ["project", "locked", "allowed", "newest", "targets", "held back by"],
        prose=(4, 5),
    )
    for pin in found.pins:
        table.add(
            [
                pin.name,
                pin.locked,
                pin.allowed,
                style(pin.newest, "added", error=False),
                ", ".join(pin.targets),
                pin.held_back_by,
            ]
        )
    return table
