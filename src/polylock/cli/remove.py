"""``polylock remove``."""

from __future__ import annotations

from typing import Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, settings
from polylock.cli.places import place, tell_edit
from polylock.operations.dependencies import Place, remove

__all__ = ["command"]


@click.command("remove", epilog="Example: polylock remove numpy --group dev")
@settings()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@place
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Remove requirements from pyproject.toml, its comments and layout kept.

    They are taken from the project's dependencies, or from the one group, extra or
    target that is named. Nothing is locked: run polylock lock afterwards.
    """
    chosen = begin(values)
    where = Place(
        group=values["to_group"], extra=values["to_extra"], target=values["to_target"]
    )
    edit = remove(chosen, values["names"], where)
    if values["as_json"]:
        print_json(edit.to_json())
    elif chosen.verbosity >= 0:
        tell_edit("removed from", edit)
    return 0
