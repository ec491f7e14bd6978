"""The prompts of ``init`` on a terminal; Enter accepts the default."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from polylock.cli.terminal import say
from polylock.errors import UsageError
from polylock.model.quantities import counted
from polylock.model.visible_text import visible
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
    from polylock.errors import BuildsNeeded
    from polylock.model.target import TargetDescription
    from polylock.providers.detect import DetectedMachine

__all__ = ["ask", "confirm_builds", "on_terminal"]

_SHOWN_AT_MOST = 12
_OTHERS = (
    "Other machines: the name of a preset, or words to find one, such as h100, mac,",
    "windows, alpine, graviton or github. Press Enter to finish.",
)


def on_terminal() -> bool:
    """Return True if stdin and stderr are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(machine: DetectedMachine, python: str | None) -> InitRequest:
    """Ask for the machines and the Python to lock a project for.

    ``python`` is the default answer; None means that the project has a Python and the
    prompt is skipped. Raises click.Abort if the user interrupts.
    """
    say(f"This machine: {_described(machine)}")
    here = click.confirm("Lock for this machine?", default=True, err=True)
    presets = _presets(machine_name(machine) if here else None)
    chosen = None if python is None else _python(python)
    return InitRequest(
        presets=presets, machine=machine if here else None, python=chosen
    )


def confirm_builds(error: BuildsNeeded) -> bool:
    """Ask whether build backends may run; raises click.Abort if interrupted."""
    for line in error.details():
        say(f"  {visible(line)}")
    names = ", ".join(error.projects)
    them, backends = ("it", "its build backend")
    if len(error.projects) > 1:
        them, backends = "them", "their build backends"
    say(f"{names} must be built to be locked: {backends} would run on this machine.")
    return click.confirm(
        f"Add {them} to build-package and go on?", default=False, err=True
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
    """Return the processor with the number of its features."""
    cpu = description.cpu
    if cpu is None or not cpu.features:
        return f"processor {cpu_name(description)}"
    plain = replace(description, cpu=replace(cpu, features=()))
    more = counted(len(cpu.features), "feature")
    return f"processor {cpu_name(plain)} and {more} more"


def _presets(here: str | None) -> tuple[str, ...]:
    """Ask for presets until an empty answer; without ``here`` for at least one."""
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
            say("  Name at least one machine.")


def _one(text: str) -> str | None:
    """Return the preset that matches some words; if several match, list them."""
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
