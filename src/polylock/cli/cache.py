"""``polylock cache size``, ``prune``, ``verify``, ``clear`` and ``dir``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, Group, settings
from polylock.cli.tables import Table
from polylock.cli.terminal import say, write_lines
from polylock.model.quantities import file_size
from polylock.operations.cache import (
    Freed,
    cache_size,
    clear_cache,
    prune_cache,
    verify_cache,
)

if TYPE_CHECKING:
    from polylock.project.settings import Settings

__all__ = ["command"]


@click.group("cache", cls=Group, epilog="Example: polylock cache size")
def command() -> None:
    """Measure, verify, prune or clear the cache."""


@command.command("size", epilog="Example: polylock cache size --json")
@settings()
@JSON
def size(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Show the number of files and the size of each part of the cache."""
    chosen = begin(values)
    found = cache_size(chosen)
    if values["as_json"]:
        print_json(found.to_json())
        return 0
    table = Table(["part", "files", "size"], numbers=(1, 2))
    for name, usage in found.buckets.items():
        table.add([name, str(usage.files), file_size(usage.size)])
    table.add_rule()
    total = found.total
    table.add(["all", str(total.files), file_size(total.size)])
    sys.stdout.write(table.text())
    return 0


@command.command("prune", epilog="Example: polylock cache prune")
@settings()
@JSON
def prune(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Remove outdated layouts and the remains of interrupted processes.

    This is safe while other processes use the cache.
    """
    chosen = begin(values)
    return _show_freed(chosen, prune_cache(chosen), as_json=values["as_json"])


@command.command("verify", epilog="Example: polylock cache verify")
@settings()
@JSON
def verify(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Compare all files with their hashes, and remove damaged ones.

    This reads every downloaded file and every unpacked wheel; the next run fetches
    removed files again. Environments with a hard link to a damaged file keep it:
    `polylock sync --hashes` repairs them.
    """
    chosen = begin(values)
    found = verify_cache(chosen)
    if values["as_json"]:
        print_json(found.to_json())
        return 0
    for path, problem in found.damaged:
        write_lines([f"{path}: {problem}; removed"])
    if chosen.verbosity >= 0:
        counts = f"{found.files} files and {found.archives} unpacked wheels"
        say(f"compared {counts}: {len(found.damaged)} damaged")
    return 0


@command.command("clear", epilog="Example: polylock cache clear")
@settings()
@JSON
def clear(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Remove everything in the cache; the next run fetches it again."""
    chosen = begin(values)
    return _show_freed(chosen, clear_cache(chosen), as_json=values["as_json"])


@command.command("dir", epilog="Example: polylock cache dir")
@settings()
def directory(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Print the directory of the cache."""
    click.echo(str(begin(values).cache_dir))
    return 0


def _show_freed(chosen: Settings, freed: Freed, *, as_json: bool) -> int:
    if as_json:
        print_json(freed.to_json())
    elif chosen.verbosity >= 0:
        size = file_size(freed.usage.size)
        say(f"removed {freed.usage.files} files, {size}")
    return 0
