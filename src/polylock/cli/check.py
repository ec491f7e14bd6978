"""``polylock check``."""

from __future__ import annotations

from typing import Any

import click

from polylock.cli.diagnostics import show_error
from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, settings
from polylock.operations.check import check

__all__ = ["command"]


@click.command("check", epilog="Example: polylock check && echo up to date")
@settings()
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Compare the lock file with the project: offline and without a solver.

    Exits with 0 where the lock file answers the project and with 3 where it does not,
    telling each difference on a line.
    """
    chosen = begin(values)
    outcome = check(chosen)
    if values["as_json"]:
        print_json(outcome.to_json())
        return 0 if outcome.up_to_date else 3
    if not outcome.up_to_date:
        return show_error(outcome.error())
    if chosen.verbosity >= 0:
        click.echo(f"{outcome.path.name} answers the project", err=True)
    return 0
