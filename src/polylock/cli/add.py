"""``polylock add``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.options import INDEX_SETTINGS, JSON, Command, settings
from polylock.cli.requirement_options import edit_place, place
from polylock.errors import UsageError
from polylock.operations.edit.dependencies import (
    BOUNDS,
    DependencyEdit,
    Place,
    add,
    read_requirements_of,
)

if TYPE_CHECKING:
    from polylock.project.settings import Settings

__all__ = ["command"]


@click.command(
    "add", cls=Command, epilog='Example: polylock add "torch>=2.9" --target h100'
)
@settings(*INDEX_SETTINGS)
@click.argument("requirements", metavar="REQUIREMENT...", nargs=-1)
@click.option(
    "-r",
    "--requirements",
    "files",
    metavar="FILE",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Add the requirements of this file.",
)
@place
@click.option(
    "--index", metavar="NAME", help="Make this declared index their only source."
)
@click.option(
    "--bounds",
    type=click.Choice(BOUNDS),
    default="lower",
    help="The limit that a requirement without a version gets (default: lower).",
)
@click.option("--no-bounds", is_flag=True, help="Add no limit.")
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Add requirements to pyproject.toml, lock, and sync the environment.

    They are added to the project's dependencies, or to the given group, extra or
    target. An existing requirement of the same project is replaced, and comments are
    kept. If they cannot be locked, the file is as before.
    """
    wanted = list(values["requirements"])
    for path in values["files"]:
        wanted += read_requirements_of(path)
    if not wanted:
        raise UsageError("no requirement is named", "for example: polylock add numpy")
    bounds = None if values["no_bounds"] else values["bounds"]
    edit = partial(_edit, wanted, values["index"])
    return edit_place(edit, values, done="added to", bounds=bounds)


def _edit(
    wanted: list[str], index: str | None, settings: Settings, where: Place
) -> DependencyEdit:
    return add(settings, wanted, where, index=index)
