"""``polylock report``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import begin_to_show, print_json
from polylock.cli.options import JSON, Command, settings
from polylock.cli.tables import Table
from polylock.cli.terminal import say, style
from polylock.model.quantities import counted, file_size
from polylock.operations.files import write_atomically
from polylock.report.document import Build, ReportDocument, report_document

if TYPE_CHECKING:
    from polylock.project.settings import Settings

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
    of them are shown. The page and the JSON have the files, their hashes, who requires
    whom and what decided for each label as well; the page needs no network.
    """
    chosen = begin_to_show(values)
    document = report_document(chosen, os.environ)
    page = values["page"]
    if page is not None:
        _write_page(chosen, document, page)
    if values["as_json"]:
        print_json(document.to_json())
    elif page is None:
        sys.stdout.write(_table(document).text())
    return 0


def _write_page(chosen: Settings, document: ReportDocument, page: Path) -> None:
    from polylock.report.page import report_page  # noqa: PLC0415 - for the page alone

    write_atomically(page, report_page(document))
    if chosen.verbosity >= 0:
        projects = counted(len(document.projects), "project")
        targets = counted(len(document.targets), "target")
        say(f"wrote {page}: {projects} for {targets}")


def _cell(found: Build | None) -> str:
    if found is None:
        return style("-", "faint", error=False)
    version = found.version or "source"
    if found.label is None:
        return version
    return f"{version} {style(f'({found.label})', 'label', error=False)}"


def _table(document: ReportDocument) -> Table:
    names = [target.name for target in document.targets]
    table = Table(["project", *names])
    for project in document.projects:
        cells = [_cell(project.build_for(name)) for name in names]
        differs = len(set(cells)) > 1
        table.add([project.name, *cells], strong=differs or len(cells) == 1)
    table.add_rule()
    table.add(["projects", *(str(target.projects) for target in document.targets)])
    table.add(["download", *(file_size(target.size) for target in document.targets)])
    return table
