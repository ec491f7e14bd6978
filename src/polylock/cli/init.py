"""``polylock init``."""

from __future__ import annotations

from typing import Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, offered, settings
from polylock.operations.init import InitRequest, init
from polylock.operations.machine import this_machine

__all__ = ["command"]


@click.command("init", epilog="Example: polylock init --here --preset linux-x86_64")
@settings()
@click.option(
    "--preset",
    "presets",
    metavar="NAME",
    multiple=True,
    shell_complete=offered("preset"),
    help="A preset to add as a target; see: polylock targets presets.",
)
@click.option("--here", is_flag=True, help="Add this machine; default: if no --preset.")
@click.option(
    "--python",
    "python_version",
    metavar="VERSION",
    help="The targets' Python; default: the project's, else the one running polylock.",
)
@click.option("--name", metavar="NAME", help="The name of a new project.")
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Write targets into the pyproject.toml of this directory, a new one if needed.

    A target that exists is never replaced.
    """
    chosen = begin(values)
    here = values["here"] or not values["presets"]
    request = InitRequest(
        presets=values["presets"],
        machine=this_machine() if here else None,
        name=values["name"],
        python=values["python_version"],
    )
    outcome = init(chosen, request)
    if values["as_json"]:
        print_json(outcome.to_json())
    elif chosen.verbosity >= 0:
        verb = "wrote" if outcome.created else "added targets to"
        names = ", ".join(outcome.targets)
        click.echo(f"{verb} {outcome.path.name}: {names}", err=True)
        click.echo("run `polylock lock` to lock the project for them", err=True)
    return 0
