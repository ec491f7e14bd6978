"""``polylock add``."""

from __future__ import annotations

from typing import Any

import click

from polylock.cli.options import JSON, Command, settings
from polylock.cli.requirement_options import edit_place, place
from polylock.operations.edit.dependencies import add

__all__ = ["command"]


@click.command(
    "add", cls=Command, epilog='Example: polylock add "torch>=2.9" --target h100'
)
@settings()
@click.argument("requirements", metavar="REQUIREMENT...", nargs=-1, required=True)
@place
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Add requirements to pyproject.toml and keep its comments and layout.

    They are added to the project's dependencies, or to the given group, extra or
    target. An existing requirement of the same project is replaced. Nothing is locked:
    run polylock lock afterwards.
    """
    return edit_place(add, "requirements", values, done="added to")
