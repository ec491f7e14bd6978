"""``polylock report``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import begin_to_show, print_json
from polylock.cli.options import JSON, Command, settings
from polylock.cli.tables import Table
from polylock.cli.terminal import style
from polylock.model.quantities import counted, file_size
from polylock.report.table import report

if TYPE_CHECKING:
    from polylock.project.settings import Settings
    from polylock.report.table import Cell, Report

__all__ = ["command"]


@click.command(
    "report", cls=Command, epilog="Example: polylock report --html report.html"
)
@settings("target", "groups", "extras")
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one self-contained page instead of the table.",
)
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Show what every target installs: projects down, targets across.

    A label in parentheses is the chosen variant. With no group or extra named, all
    of them are shown. The page has the files, their hashes, who requires whom and
    what decided for each label as well; it needs no network.
    """
    chosen = begin_to_show(values)
    page = values["page"]
    if page is not None:
        _write_page(chosen, page)
    if values["as_json"]:
        print_json(report(chosen).to_json())
    elif page is None:
        sys.stdout.write(_table(report(chosen)).text())
    return 0


def _write_page(chosen: Settings, page: Path) -> None:
    from polylock.report.page import (  # noqa: PLC0415 - 8 ms, for the page alone
        write_report_page,
    )

    written = write_report_page(chosen, page)
    if chosen.verbosity >= 0:
        projects = counted(written.projects, "project")
        targets = counted(written.targets, "target")
        click.echo(f"wrote {page}: {projects} for {targets}", err=True)


def _cell(found: Cell | None) -> str:
    if found is None:
        return style("-", "faint", error=False)
    if found.label is None:
        return str(found)
    label = style(f"({found.label})", "label", error=False)
    return f"{found.version} {label}"


def _table(found: Report) -> Table:
    table = Table(["project", *found.targets])
    for name, row in found.rows.items():
        cells = [_cell(row.get(target)) for target in found.targets]
        differs = len(set(cells)) > 1
        table.add([name, *cells], strong=differs or len(cells) == 1)
    sizes = [file_size(found.size(target)) for target in found.targets]
    counts = [
        str(sum(target in row for row in found.rows.values()))
        for target in found.targets
    ]
    table.add_rule()
    table.add(["projects", *counts])
    table.add(["download", *sizes])
    return table
