"""``polylock run``."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polylock.answer_cache.recall import own_scripts
from polylock.answer_cache.remember import Answer, remember
from polylock.cli.diagnostics import show_warning
from polylock.cli.invocation import begin, cacheable_question, reporting
from polylock.cli.options import (
    FORCE_TARGET,
    FROZEN,
    INSTALLED,
    LOCKED,
    MEMBERS,
    SELECTION,
    Command,
    offered,
    refuse_frozen,
    settings,
)
from polylock.environment.discovery import managed_path
from polylock.errors import ProjectError
from polylock.operations.sync.run import (
    become,
    existing_environment,
    origin_warning,
    prepare,
    python_command,
    wait_for,
    with_env_files,
)
from polylock.operations.sync.sync import SyncOptions, sync
from polylock.project.script import InvalidBlock, is_script, states_targets
from polylock.values import replace

if TYPE_CHECKING:
    from polylock.project.settings import Settings

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
    *MEMBERS,
    "venv",
    "python",
    *INSTALLED,
    "index_url",
    "torch_index",
    "offline",
    "link_mode",
)
@click.option("-m", "--module", is_flag=True, help="Run a module: python -m COMMAND.")
@click.option(
    "--env-file",
    "env_files",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Set variables from a file (NAME=value); can be given more than once.",
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
    exit code. Options of the command follow it, or follow --. A script (train.py) runs
    with the environment's Python, or if its block (PEP 723) has [tool.polylock], with
    an environment of its own.
    """
    chosen = begin(values)
    refuse_frozen(values)
    arguments = python_command(values["arguments"], is_module=values["module"])
    variables = with_env_files(values["env_files"], os.environ)
    if not values["module"]:
        chosen = _of_script(chosen, Path(values["arguments"][0]))
    if values["no_sync"]:
        environment = existing_environment(chosen)
        prepared = prepare(environment, arguments, variables, without=own_scripts())
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
            prepared = prepare(environment, arguments, variables, without=own_scripts())
            warning = origin_warning(prepared, chosen, environment)
            if warning is not None:
                reporter.warning(warning)
        # Only the arguments and the environment's state are remembered.
        if not (reporter.has_warned or values["module"] or values["env_files"]):
            question = cacheable_question(arguments)
            answer = Answer(question, environment=environment)
            remember(chosen, outcome.repeated.basis, answer)
    sys.stdout.flush()
    sys.stderr.flush()
    start = wait_for if os.name == "nt" else become
    return start(prepared)


def _of_script(chosen: Settings, script: Path) -> Settings:
    """Return the settings for a script; with a project of its own if it has targets."""
    if not is_script(script) or chosen.project is not None:
        return chosen
    try:
        has_targets = states_targets(script)
    except InvalidBlock as error:
        raise ProjectError(str(script), "", str(error)) from error
    if has_targets:
        return replace(chosen, project=script)
    if has_targets is False:
        show_warning(
            f"{script} states requirements of its own (PEP 723), which the environment "
            "of the project need not have: declare targets in its block, then run "
            f"`polylock lock --project {script}`"
        )
    return chosen
