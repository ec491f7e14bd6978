"""``polylock detect``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.diagnostics import show_warning
from polylock.cli.invocation import begin, print_json, reporting
from polylock.cli.options import JSON, Command, settings
from polylock.cli.terminal import say
from polylock.errors import UsageError
from polylock.operations.edit.detect import detect_target, with_answers, write_detected
from polylock.operations.machine import this_machine

if TYPE_CHECKING:
    from polylock.project.settings import Settings
    from polylock.providers.detect import DetectedMachine

__all__ = ["command"]


@click.command(
    "detect", cls=Command, epilog="Example: polylock detect --write build-server"
)
@settings()
@click.option("--write", "name", metavar="NAME", help="Add it to the project file.")
@click.option(
    "--python",
    "python_version",
    metavar="VERSION",
    help="The target's Python; default: the one running polylock.",
)
@click.option(
    "--trust-provider",
    "provider",
    metavar="NAME[==VERSION]",
    help="Install this provider package in a temporary environment, run its plugin "
    "once, and write its answer under properties. It runs with your permissions.",
)
@click.option(
    "--provider-api",
    "endpoint",
    metavar="MODULE[:OBJECT]",
    help="The plugin-api of that provider; default: what its package declares.",
)
@click.option(
    "--provider-namespace",
    "namespace",
    metavar="NAMESPACE",
    help="The namespace that the provider answers for; default: what it says.",
)
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Describe this machine as a target, ready to paste into pyproject.toml.

    Missing hardware is left out. A query that fails is a warning.
    """
    chosen = begin(values)
    machine, python = this_machine(), values["python_version"]
    if values["provider"]:
        machine = _with_provider(chosen, machine, values)
    elif values["endpoint"] or values["namespace"]:
        raise UsageError(
            "--provider-api and --provider-namespace need a trusted provider",
            "add --trust-provider NAME",
        )
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
        say(added)
        say("run `polylock lock` to lock the project for it")
    return 0


def _with_provider(
    settings: Settings, machine: DetectedMachine, values: dict[str, Any]
) -> DetectedMachine:
    from polylock.operations.edit.trust import (  # noqa: PLC0415 - with the solver, rare
        TrustRequest,
        ask_trusted_provider,
    )

    request = TrustRequest(
        requirement=values["provider"],
        endpoint=values["endpoint"],
        namespace=values["namespace"],
    )
    with reporting(settings) as reporter:
        answer = ask_trusted_provider(settings, request, reporter)
    return with_answers(machine, [answer])
