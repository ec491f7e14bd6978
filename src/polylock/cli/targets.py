"""``polylock targets list``, ``show``, ``presets`` and ``add``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import groupby
from typing import Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, Group, offered, settings
from polylock.cli.tables import Table
from polylock.cli.terminal import folded, say, shown, style
from polylock.lockfile.toml_values import value_text
from polylock.operations.edit.target_table import (
    accelerators,
    cpu_name,
    platform_name,
    table_text,
    target_table,
)
from polylock.operations.edit.targets import (
    AddTargetRequest,
    TargetView,
    add_target,
    declared_targets,
    search_presets,
    show_target,
)
from polylock.operations.machine import this_machine
from polylock.project.presets import Preset, presets

__all__ = ["command"]

_SHOWN_TAGS = 5


@click.group(
    "targets", cls=Group, epilog="Example: polylock targets add h100 --python 3.12"
)
def command() -> None:
    """List, show and add the targets of the project file."""


@command.command("list", epilog="Example: polylock targets list --json")
@settings()
@JSON
def list_targets(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """List the declared targets in order of priority."""
    chosen = begin(values)
    found = declared_targets(chosen)
    if values["as_json"]:
        print_json([view.summary() for view in found])
        return 0
    table = Table(["target", "platform", "python", "cpu", "accelerator", "runs on"])
    for view in found:
        description = view.target.description
        floor = description.libc or description.macos
        table.add(
            [
                description.name,
                " ".join([platform_name(description), *([floor] if floor else [])]),
                str(description.python),
                cpu_name(description),
                "; ".join(accelerators(description)) or "-",
                ", ".join(description.runs_on) or "-",
            ]
        )
    sys.stdout.write(table.text())
    return 0


@command.command("show", epilog="Example: polylock targets show h100")
@settings()
@click.argument("name", shell_complete=offered("declared-target"))
@JSON
def show(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Show what polylock derives from a declared target.

    These are its markers, its compatibility tags, and the variant properties that it
    supports, the most preferred value of each feature first.
    """
    chosen = begin(values)
    view = show_target(chosen, values["name"])
    if values["as_json"]:
        print_json(view.to_json())
    else:
        sys.stdout.write(_shown(view))
    return 0


@command.command("presets", epilog="Example: polylock targets presets h100")
@settings()
@click.argument("name", required=False, shell_complete=offered("preset"))
@JSON
def list_presets(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """List or search the presets, or show one with its values and source.

    NAME is a preset or search words. Each word is part of a name or value (h100, arm64)
    or a purpose (ci, cloud, gpu, server, laptop, alpine).
    """
    begin(values)
    found = search_presets(values["name"]) if values["name"] else presets()
    if values["as_json"]:
        print_json([_preset(name, preset) for name, preset in found.items()])
    elif values["name"] in found:
        sys.stdout.write(_shown_preset(values["name"], found[values["name"]]))
    else:
        sys.stdout.write(_listed(found))
    return 0


def _listed(found: Mapping[str, Preset]) -> str:
    """Return a table of names and values, without sources."""
    table = Table(["preset", "target"], prose=[1])
    for name, preset in found.items():
        keys = ", ".join(f"{k} = {value_text(v)}" for k, v in preset.table.items())
        if preset.unconfirmed:
            keys += f" {style('(not confirmed)', 'changed', error=False)}"
        table.add([name, keys])
    return table.text()


def _preset(name: str, preset: Preset) -> dict[str, Any]:
    return {
        "name": name,
        "target": dict(preset.table),
        "source": preset.source,
        "date": preset.date,
        "unconfirmed": preset.unconfirmed,
    }


def _shown_preset(name: str, preset: Preset) -> str:
    lines = [table_text(name, preset.table), f"source: {preset.source} ({preset.date})"]
    if preset.unconfirmed:
        lines.append(f"not confirmed: {preset.unconfirmed}")
    lines.append(f"to add it: polylock targets add {name}")
    return "\n".join(lines) + "\n"


@command.command("add", epilog="Example: polylock targets add h100 --name train")
@settings()
@click.argument("preset", required=False, shell_complete=offered("preset"))
@click.option("--here", is_flag=True, help="Add this machine instead of a preset.")
@click.option(
    "--name", metavar="NAME", help="The target's name; default: the preset's."
)
@click.option(
    "--python",
    "python_version",
    metavar="VERSION",
    help="Its Python; default: the project's, else the one running polylock.",
)
@JSON
def add(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Add a preset, or this machine, to the targets of the project file."""
    chosen = begin(values)
    request = AddTargetRequest(
        preset=values["preset"],
        machine=this_machine() if values["here"] else None,
        name=values["name"],
        python=values["python_version"],
    )
    added = add_target(chosen, request)
    if values["as_json"]:
        print_json(added.to_json())
    elif chosen.verbosity >= 0:
        say(f"added {', '.join(added.names)} to {added.path.name}")
        say("run `polylock lock` to lock the project for it")
    return 0


def _shown(view: TargetView) -> str:
    target = view.target
    table = table_text(target.name, target_table(target.description))
    lines = ["", _head("markers")]
    environment = sorted(target.marker_environment.items())
    lines += [f"  {name} == {value!r}" for name, value in environment]
    lines += ["", _head(f"tags: {len(target.tags)}, the best first")]
    lines += [f"  {tag}" for tag in target.tags[:_SHOWN_TAGS]]
    if len(target.tags) > _SHOWN_TAGS:
        lines.append("  ...")
    lines += ["", _head("variant properties, the best value first")]
    for namespace, group in groupby(view.features, lambda found: found.namespace):
        features = list(group)
        lines += [
            f"  {namespace} :: {each.feature} :: {', '.join(each.values)}"
            + (" (stated)" if each.stated else "")
            for each in features
            if each.values != ("on",)
        ]
        switched = [each.feature for each in features if each.values == ("on",)]
        if switched:
            lines.append(f"  {namespace}, on: {', '.join(switched)}")
    # The table is not folded: it may be pasted.
    return table + "".join(f"{folded(shown(line, error=False))}\n" for line in lines)


def _head(text: str) -> str:
    return style(text, "strong", error=False)
