"""``polylock check``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from polylock.answer_cache.remember import Answer, remember
from polylock.cli.diagnostics import show_error
from polylock.cli.invocation import (
    answer_of_check,
    begin,
    cacheable_question,
    json_text,
)
from polylock.cli.options import JSON, Command, settings
from polylock.operations.inspect.check import check

if TYPE_CHECKING:
    from polylock.project.settings import Settings

__all__ = ["command", "show_check"]


@click.command(
    "check", cls=Command, epilog="Example: polylock check && echo up to date"
)
@settings()
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Check offline, without a solver, whether the lock file is up to date.

    Exits with 0 if the lock file matches the project, else with 3 and a line for each
    difference.
    """
    return show_check(begin(values), as_json=values["as_json"])


def show_check(chosen: Settings, *, as_json: bool) -> int:
    """Compare the lock file with the project, print the outcome, return 0 or 3."""
    outcome = check(chosen)
    if not (outcome.up_to_date or as_json):
        return show_error(outcome.error())
    out = json_text(outcome.to_json()) if as_json else ""
    err = "" if out else answer_of_check(chosen, outcome.path)
    sys.stdout.write(out)
    sys.stderr.write(err)
    remember(chosen, outcome.basis, Answer(cacheable_question(), out=out, err=err))
    return 0 if outcome.up_to_date else 3
