"""``polylock run``."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any

import click

from polylock.answer_cache.recall import own_scripts
from polylock.answer_cache.remember import remember
from polylock.cli.diagnostics import show_warning
from polylock.cli.invocation import begin, cacheable_question, reporting
from polylock.cli.options import (
    FORCE_TARGET,
    FROZEN,
    INSTALLED,
    LOCKED,
    SELECTION,
    Command,
    offered,
    refuse_frozen,
    settings,
)
from polylock.environment.discovery import managed_path
from polylock.operations.sync.run import (
    become,
    existing_environment,
    origin_warning,
    prepare,
    wait_for,
)
from polylock.operations.sync.sync import SyncOptions, sync

__all__ = ["command"]


@click.command(
    "run",
    cls=Command,
    epilog="Example: polylock run --target h100 -- python train.py",
    context_settings={"allow_interspersed_args": False},
)
@settings(
    "target",
    *SELECTION,
    "venv",
    "python",
    *INSTALLED,
    "index_url",
    "torch_index",
    "offline",
    "link_mode",
)
@click.option("--no-sync", is_flag=True, help="Use the environment without a sync.")
@FROZEN
@LOCKED
@FORCE_TARGET
@click.argument(
    "arguments",
    metavar="COMMAND...",
    nargs=-1,
    type=click.UNPROCESSED,
    required=True,
    shell_complete=offered("program"),
)
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Sync the environment, then run a command in it.

    The environment's programs come first on PATH, and polylock exits with the command's
    exit code. Options of the command follow it, or follow --.
    """
    chosen = begin(values)
    refuse_frozen(values)
    arguments = values["arguments"]
    if values["no_sync"]:
        environment = existing_environment(chosen)
        prepared = prepare(environment, arguments, os.environ, without=own_scripts())
        warning = origin_warning(prepared, chosen, environment)
        if warning is not None:
            show_warning(warning)
    else:
        options = SyncOptions(
            frozen=values["frozen"],
            force_target=values["force_target"],
            adding=True,
            search_path=os.environ.get("PATH", ""),
            managed=partial(managed_path, os.environ),
        )
        with reporting(chosen) as reporter:
            outcome = sync(chosen, options, reporter)
            environment = outcome.environment
            prepared = prepare(
                environment, arguments, os.environ, without=own_scripts()
            )
            warning = origin_warning(prepared, chosen, environment)
            if warning is not None:
                reporter.warning(warning)
        if not reporter.has_warned:
            question = cacheable_question(arguments)
            remember(question, chosen, outcome.basis, environment=environment)
    sys.stdout.flush()
    sys.stderr.flush()
    start = wait_for if os.name == "nt" else become
    return start(prepared)
