"""``polylock init``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, Command, offered, settings
from polylock.cli.terminal import say
from polylock.errors import UsageError
from polylock.operations.edit.init import InitRequest, init, python_to_offer
from polylock.operations.machine import this_machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.operations.edit.convert import ConvertOutcome
    from polylock.operations.edit.other_tools import Surroundings
    from polylock.project.settings import Settings

__all__ = ["command"]


@click.command(
    "init", cls=Command, epilog="Example: polylock init --here --preset linux-x86_64"
)
@settings()
@click.option(
    "--preset",
    "presets",
    metavar="NAME",
    multiple=True,
    shell_complete=offered("preset"),
    help="A preset to add as a target; see: polylock targets presets.",
)
@click.option(
    "--here", is_flag=True, help="Add this machine (default without --preset)."
)
@click.option(
    "--python",
    "python_version",
    metavar="VERSION",
    help="The targets' Python; default: the project's, else the one running polylock.",
)
@click.option("--name", metavar="NAME", help="The name of a new project.")
@click.option(
    "--from",
    "tool",
    type=click.Choice(["uv", "poetry", "pdm", "requirements"]),
    help="Convert what this tool's tables or files say; lists what it cannot.",
)
@click.option(
    "--dry-run", is_flag=True, help="With --from: print a diff, write nothing."
)
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Write targets into the pyproject.toml of this directory, a new one if needed.

    Without options on a terminal it asks for the machines. An existing target is never
    replaced. With --from it also writes [project], groups, indexes and sources.
    """
    chosen = begin(values)
    if values["tool"] is not None:
        return _convert(chosen, values)
    if values["dry_run"]:
        raise UsageError("--dry-run is only for --from", "leave one of them out")
    request = _request(chosen, values)
    outcome = init(chosen, request)
    if values["as_json"]:
        print_json(outcome.to_json())
    elif chosen.verbosity >= 0:
        verb = "wrote" if outcome.created else "added targets to"
        names = ", ".join(outcome.targets)
        say(f"{verb} {outcome.path.name}: {names}")
        for line in _next(outcome.surroundings):
            say(line)
    return 0


def _convert(settings: Settings, values: dict[str, Any]) -> int:
    # Ten modules that init itself does not need.
    from polylock.operations.edit.convert import (  # noqa: PLC0415 - see above
        ConvertRequest,
        convert,
    )

    outcome = convert(
        settings,
        ConvertRequest(
            tool=values["tool"],
            here=this_machine(),
            is_named=values["here"],
            presets=values["presets"],
            name=values["name"],
            python=values["python_version"],
            dry_run=values["dry_run"],
        ),
    )
    if values["as_json"]:
        print_json(outcome.to_json())
        return 0
    if outcome.dry_run:
        click.echo(outcome.diff(), nl=False)
    if settings.verbosity >= 0:
        for line in _report(outcome):
            say(line)
    return 0


def _report(outcome: ConvertOutcome) -> Iterator[str]:
    """Yield the conversions, the settings that were left out, and the next steps."""
    name = outcome.path.name
    if not outcome.changed:
        yield f"{name} is unchanged: what can be converted is there already"
    else:
        verb = "would convert" if outcome.dry_run else "converted"
        yield f"{verb} in {name}:"
    for done in outcome.converted:
        yield f"  {done.origin} -> {done.into}"
    if outcome.listed:
        yield "to check:"
    for left in outcome.listed:
        advice = f"; {left.advice}" if left.advice else ""
        yield f"  {left.origin}: {left.reason}{advice}"
    if not outcome.dry_run:
        yield from _next(outcome.surroundings)


def _request(settings: Settings, values: dict[str, Any]) -> InitRequest:
    here = values["here"] or not values["presets"]
    given = [values[key] for key in ("presets", "here", "python_version", "name")]
    if not (any(given) or values["as_json"] or settings.verbosity < 0):
        # Half of the start-up of a call without prompts.
        from polylock.cli.prompts import ask, on_terminal  # noqa: PLC0415

        if on_terminal():
            default = python_to_offer(settings)
            return ask(this_machine(), default)
    return InitRequest(
        presets=values["presets"],
        machine=this_machine() if here else None,
        name=values["name"],
        python=values["python_version"],
    )


def _next(surroundings: Surroundings) -> Iterator[str]:
    """Yield notes on files beside the project file, and the commands to run next."""
    for note in surroundings.notes:
        yield f"note: {note}"
    first, *rest = surroundings.steps
    yield f"next: {first}"
    for step in rest:
        yield f"      {step}"
