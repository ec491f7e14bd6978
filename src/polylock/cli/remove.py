"""``polylock remove``."""

from __future__ import annotations

from typing import Any

import click

from polylock.cli.options import JSON, Command, offered, settings
from polylock.cli.requirement_options import edit_place, place
from polylock.operations.edit.dependencies import remove

__all__ = ["command"]


@click.command(
    "remove", cls=Command, epilog="Example: polylock remove numpy --group dev"
)
@settings()
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
    """Remove requirements from pyproject.toml and keep its comments and layout.

    They are removed from the project's dependencies, or from the given group, extra or
    target. Nothing is locked: run polylock lock afterwards.
    """
    return edit_place(remove, "names", values, done="removed from")
