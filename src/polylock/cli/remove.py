"""``polylock remove``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.options import INDEX_SETTINGS, JSON, Command, offered, settings
from polylock.cli.requirement_options import edit_place, place
from polylock.operations.edit.dependencies import DependencyEdit, Place, remove

if TYPE_CHECKING:
    from polylock.project.settings import Settings

__all__ = ["command"]


@click.command(
    "remove", cls=Command, epilog="Example: polylock remove numpy --group dev"
)
@settings(*INDEX_SETTINGS)
@click.argument(
    "names",
    metavar="NAME...",
    nargs=-1,
    required=True,
    shell_complete=offered("required"),
)
@place
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Remove requirements from pyproject.toml, lock, and sync the environment.

    They are removed from the project's dependencies, or from the given group, extra or
    target; comments are kept. If the rest cannot be locked, the file is as before.
    """
    edit = partial(_edit, values["names"])
    return edit_place(edit, values, done="removed from")


def _edit(names: tuple[str, ...], settings: Settings, where: Place) -> DependencyEdit:
    return remove(settings, names, where)
