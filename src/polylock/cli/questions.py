"""The questions that ``init`` asks on a terminal; Enter takes what is right mostly."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from polylock.cli.terminal import say
from polylock.errors import UsageError
from polylock.model.quantities import counted
from polylock.operations.edit.detect import machine_name
from polylock.operations.edit.init import InitRequest
from polylock.operations.edit.project_file import parse_release
from polylock.operations.edit.target_table import (
    accelerators,
    cpu_name,
    platform_name,
)
from polylock.operations.edit.targets import search_presets
from polylock.project.presets import find_name
from polylock.values import replace

if TYPE_CHECKING:
    from polylock.model.target import TargetDescription
    from polylock.providers.detect import DetectedMachine

__all__ = ["ask", "on_terminal"]

_SHOWN_AT_MOST = 12
_OTHERS = (
    "Other machines it runs on: a preset, or words to find one, such as h100, mac,",
    "windows, alpine, graviton or github. Enter when there are no more.",
)


def on_terminal() -> bool:
    """Say whether there is somebody to answer: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(machine: DetectedMachine, python: str | None) -> InitRequest:
    """Ask for which machines and for which Python a project is to be locked.

    ``python`` is the answer to offer, None where the project has one and nothing is
    asked. Raises click.Abort where the user gives up.
    """
    say(f"This machine: {_described(machine)}")
    here = click.confirm("Lock for this machine?", default=True, err=True)
    presets = _presets(machine_name(machine) if here else None)
    chosen = None if python is None else _python(python)
    return InitRequest(
        presets=presets, machine=machine if here else None, python=chosen
    )


def _described(machine: DetectedMachine) -> str:
    description = machine.describe(parse_release(None))
    floor = description.libc or description.macos
    parts = [
        " ".join([platform_name(description), *([str(floor)] if floor else [])]),
        _processor(description),
        "; ".join(accelerators(description)) or "no GPU",
    ]
    return ", ".join(parts)


def _processor(description: TargetDescription) -> str:
    """Return the processor; of its features only how many they are."""
    cpu = description.cpu
    if cpu is None or not cpu.features:
        return f"processor {cpu_name(description)}"
    plain = replace(description, cpu=replace(cpu, features=()))
    more = counted(len(cpu.features), "feature")
    return f"processor {cpu_name(plain)} and {more} more"


def _presets(here: str | None) -> tuple[str, ...]:
    """Ask for presets until there are no more; without this machine for one."""
    for line in _OTHERS:
        say(line)
    found: dict[str, None] = {}
    while True:
        text = click.prompt(
            "Preset", default="", show_default=False, err=True, type=str
        ).strip()
        if text:
            name = _one(text)
            if name is not None:
                found[name] = None
                say(f"  added {name}")
        elif found or here is not None:
            return tuple(found)
        else:
            say("  There has to be one machine at least.")


def _one(text: str) -> str | None:
    """Return the preset that some words mean; where they mean several, show them."""
    try:
        found = [name] if (name := find_name(text)) else list(search_presets(text))
    except UsageError as error:
        say(f"  {error}; {error.hint()}")
        return None
    if len(found) == 1:
        return found[0]
    say(f"  {_listed(found)}")
    return None


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN_AT_MOST])
    more = len(names) - _SHOWN_AT_MOST
    return f"{shown} and {more} more" if more > 0 else shown


def _python(default: str) -> str:
    while True:
        text = str(click.prompt("Python of the targets", default=default, err=True))
        try:
            parse_release(text)
        except UsageError as error:
            say(f"  {error}; {error.hint()}")
        else:
            return text
