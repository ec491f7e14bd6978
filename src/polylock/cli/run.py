"""``polylock run``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.options import settings
from polylock.cli.session import begin, reporting
from polylock.errors import UsageError
from polylock.operations.run import (
    existing_environment,
    prepare,
    synced_environment,
)
from polylock.operations.sync import SyncOptions

if TYPE_CHECKING:
    from polylock.operations.run import PreparedCommand

__all__ = ["command"]


@click.command(
    "run",
    epilog="Example: polylock run --target h100 -- python train.py",
    context_settings={"allow_interspersed_args": False},
)
@settings(
    "target",
    "groups",
    "extras",
    "venv",
    "python",
    "index_url",
    "offline",
    "link_mode",
)
@click.option("--no-sync", is_flag=True, help="Take the environment as it is.")
@click.option("--frozen", is_flag=True, help="Install a lock file that is out of date.")
@click.option("--force-target", is_flag=True, help="Do not check this machine.")
@click.argument(
    "arguments", metavar="COMMAND...", nargs=-1, type=click.UNPROCESSED, required=True
)
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Sync the environment, then run a command in it.

    The command finds the environment's programs first, and its exit code is that of
    polylock. What belongs to the command stands after it, or after --.
    """
    chosen = begin(values)
    if values["no_sync"]:
        environment = existing_environment(chosen)
    else:
        options = SyncOptions(
            frozen=values["frozen"],
            force_target=values["force_target"],
            search_path=os.environ.get("PATH", ""),
        )
        with reporting(chosen) as reporter:
            environment = synced_environment(chosen, options, reporter)
    return _execute(prepare(environment, values["arguments"], os.environ))


def _execute(prepared: PreparedCommand) -> int:
    """Become the command; on Windows, which cannot, wait for it."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        if os.name != "nt":
            os.execve(  # noqa: S606 - no shell is wanted
                prepared.executable, prepared.arguments, prepared.variables
            )
        import subprocess  # noqa: PLC0415 - of use on Windows alone

        return subprocess.run(
            [prepared.executable, *prepared.arguments[1:]],
            env=dict(prepared.variables),
            check=False,
        ).returncode
    except OSError as error:
        problem = error.strerror or str(error)
        raise UsageError(f"cannot run {prepared.executable}: {problem}") from error
