"""``polylock cache-key``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, MEMBERS, SELECTION, Command, settings
from polylock.errors import UsageError
from polylock.model.visible_text import visible
from polylock.operations.inspect.cache_key import CacheKey, cache_keys

__all__ = ["command"]


@click.command(
    "cache-key", cls=Command, epilog="Example: polylock cache-key --target h100"
)
@settings("target", *SELECTION, *MEMBERS)
@click.option("--prefix", is_flag=True, help="Print the prefix, for restore keys.")
@click.option(
    "--github-output",
    is_flag=True,
    help="Add target, key and prefix to the outputs of a step of GitHub Actions.",
)
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Print a digest of exactly what a target would install, and its Python.

    The key changes if and only if these change. Without --target the keys of all
    targets are printed, each after the target's name.
    """
    chosen = begin(values)
    keys = cache_keys(chosen)
    if values["github_output"]:
        _write_github_output(keys, several=chosen.target is None)
    if values["as_json"]:
        print_json([key.to_json() for key in keys])
        return 0
    for key in keys:
        text = key.prefix if values["prefix"] else key.key
        click.echo(text if chosen.target else f"{visible(key.target)}\t{text}")
    return 0


def _write_github_output(keys: list[CacheKey], *, several: bool) -> None:
    """Add outputs to the step: texts for one target, JSON by target for several."""
    path = os.environ.get("GITHUB_OUTPUT")
    if not path:
        raise UsageError(
            "GITHUB_OUTPUT is not set",
            "GitHub Actions sets it in every step; elsewhere use --json",
        )
    if several:
        outputs = {
            "keys": json.dumps({key.target: key.key for key in keys}),
            "prefixes": json.dumps({key.target: key.prefix for key in keys}),
        }
    else:
        (key,) = keys
        outputs = {"target": key.target, "key": key.key, "prefix": key.prefix}
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(
                f"{name}={visible(text)}\n" for name, text in outputs.items()
            )
    except OSError as error:
        problem = f"{path}, which GITHUB_OUTPUT names, cannot be written"
        raise UsageError(problem, error.strerror or str(error)) from error
