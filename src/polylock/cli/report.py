"""``polylock report``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, settings
from polylock.cli.tables import Table
from polylock.model.sizes import file_size
from polylock.operations.report import report

if TYPE_CHECKING:
    from polylock.operations.report import Report

__all__ = ["command"]


@click.command("report", epilog="Example: polylock report --target h100")
@settings("target", "groups", "extras")
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Show what every target installs: projects down, targets across.

    A label in parentheses is the chosen variant. With no group or extra named, all
    of them are shown.
    """
    chosen = begin(values)
    found = report(chosen)
    if values["as_json"]:
        print_json(found.to_json())
    else:
        sys.stdout.write(_table(found).text())
    return 0


def _table(found: Report) -> Table:
    table = Table(["project", *found.targets])
    for name, row in found.rows.items():
        cells = [str(row[t]) if t in row else "-" for t in found.targets]
        table.add([name, *cells], strong=len(set(cells)) > 1)
    sizes = [file_size(found.size(target)) for target in found.targets]
    counts = [
        str(sum(target in row for row in found.rows.values()))
        for target in found.targets
    ]
    table.add_rule()
    table.add(["projects", *counts])
    table.add(["download", *sizes])
    return table
