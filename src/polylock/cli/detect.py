"""``polylock detect``."""

from __future__ import annotations

import sys
from typing import Any

import click

from polylock.cli.diagnostics import show_warning
from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, settings
from polylock.operations.detect import detect_target, write_detected
from polylock.operations.machine import this_machine

__all__ = ["command"]


@click.command("detect", epilog="Example: polylock detect --write build-server")
@settings()
@click.option("--write", "name", metavar="NAME", help="Add it to the project file.")
@click.option(
    "--python",
    "python_version",
    metavar="VERSION",
    help="The target's Python; default: the one running polylock.",
)
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Describe this machine as a target, ready to paste into pyproject.toml.

    Hardware that is missing is left out; what does not answer is a warning.
    """
    chosen = begin(values)
    machine, python = this_machine(), values["python_version"]
    if values["name"]:
        found = write_detected(chosen, machine, values["name"], python)
    else:
        found = detect_target(machine, python)
    for warning in found.warnings:
        show_warning(warning)
    if values["as_json"]:
        print_json(found.to_json())
    elif found.path is None:
        sys.stdout.write(found.text)
    elif chosen.verbosity >= 0:
        added = f"added target {found.description.name} to {found.path.name}"
        click.echo(added, err=True)
        click.echo("run `polylock lock` to lock the project for it", err=True)
    return 0
