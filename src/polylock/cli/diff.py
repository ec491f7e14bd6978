"""``polylock diff``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from polylock.cli.changes import diff_lines
from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, Command, settings
from polylock.cli.terminal import write_lines
from polylock.operations.inspect.diff import diff

__all__ = ["command"]


@click.command("diff", cls=Command, epilog="Example: polylock diff HEAD")
@settings("target")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", required=False, type=click.Path(path_type=Path))
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Compare two lock files, target by target: versions, variants, sizes.

    Each is a file or a git revision (HEAD, main). AFTER defaults to the lock file of
    the project. Targets with the same changes are shown together. All groups and extras
    are compared. Differences are not an error: the exit code is 0.
    """
    chosen = begin(values)
    found = diff(chosen, values["before"], values["after"], variables=os.environ)
    if values["as_json"]:
        print_json(found.to_json())
    else:
        write_lines(diff_lines(found))
    return 0
