"""``polylock bundle``."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import click

from polylock.cli.diagnostics import show_warning
from polylock.cli.invocation import begin, print_json, reporting
from polylock.cli.options import FROZEN, JSON, MEMBERS, SELECTION, Command, settings
from polylock.cli.terminal import say
from polylock.environment.discovery import managed_path
from polylock.model.quantities import file_size
from polylock.operations.exchange.bundle import BundleOptions, bundle

__all__ = ["command"]


@click.command(
    "bundle", cls=Command, epilog="Example: polylock bundle --target h100 wheelhouse"
)
@settings(
    "target",
    *SELECTION,
    *MEMBERS,
    "python",
    "index_url",
    "torch_index",
    "offline",
    "threads",
)
@click.option("--build", is_flag=True, help="Build wheels of source distributions.")
@click.option(
    "--plain-metadata",
    is_flag=True,
    help="Evaluate variant markers into the metadata of the wheels, for pip.",
)
@FROZEN
@click.argument("directory", type=click.Path(path_type=Path))
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Write the files of a target into a directory, for machines without a network.

    The directory contains the files and a pylock.toml with relative paths, for any
    installer that supports PEP 751. Variant wheels are written under names without
    their labels; their bytes are those that were locked. With --plain-metadata those
    with variant markers get new METADATA and RECORD, as plain-metadata.json lists.
    """
    chosen = begin(values)
    options = BundleOptions(
        build=values["build"],
        plain_metadata=values["plain_metadata"],
        frozen=values["frozen"],
        search_path=os.environ.get("PATH", ""),
        managed=partial(managed_path, os.environ),
    )
    with reporting(chosen) as reporter:
        made = bundle(chosen, values["directory"], options, reporter)
    if values["as_json"]:
        print_json(made.to_json())
    elif chosen.verbosity >= 0:
        size = f"{made.packages} packages, {file_size(made.size)}"
        say(f"wrote {values['directory']}: {size}")
    if made.sdists:
        show_warning(
            f"source distributions: {', '.join(made.sdists)}; installing them needs "
            "their build requirements; --build makes wheels here"
        )
    if made.variant_markers:
        show_warning(
            f"variant markers in the metadata of {', '.join(made.variant_markers)}: "
            "pip 26 refuses them, uv and polylock install them; --plain-metadata "
            "evaluates them"
        )
    if made.plain_metadata and chosen.verbosity >= 0 and not values["as_json"]:
        names = ", ".join(wheel.name for wheel in made.plain_metadata)
        say(
            f"evaluated the variant markers of {names}: these wheels are not the "
            "published files, see plain-metadata.json"
        )
    return 0
