"""``polylock merge``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from polylock.cli.invocation import begin, reporting
from polylock.cli.options import Command, settings
from polylock.cli.terminal import say
from polylock.errors import UsageError
from polylock.operations.exchange.merge import (
    DriverFiles,
    install_driver,
    merge_conflict,
    merge_files,
)

__all__ = ["command"]


@click.command("merge", cls=Command, epilog="Example: polylock merge --install")
@settings("index_url", "torch_index", "offline", "threads", "timeout")
@click.option("--install", is_flag=True, help="Make git use it for lock files.")
@click.argument("files", nargs=-1, metavar="[BASE OURS THEIRS PATH]")
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Merge the lock files of two branches: the pins of both, locked again.

    Without arguments it resolves a git conflict in the lock file, once the project file
    is merged. As a merge driver git calls it with four arguments. Every pin that still
    holds is kept.
    """
    chosen = begin(values)
    files = values["files"]
    if values["install"]:
        path = install_driver(chosen, os.environ)
        if chosen.verbosity >= 0:
            say(f"git merges lock files with polylock; commit {path}")
        return 0
    if len(files) not in {0, 4}:
        raise UsageError("pass no files, or the four of a git merge driver")
    with reporting(chosen) as reporter:
        if files:
            base, ours, theirs, path = files
            driver_files = DriverFiles(
                base=Path(base), ours=Path(ours), theirs=Path(theirs), path=path
            )
            merge_files(chosen, driver_files, os.environ, reporter)
        else:
            merged = merge_conflict(chosen, os.environ, reporter)
            if chosen.verbosity >= 0:
                say(f"merged {merged}: `git add` it")
    return 0
