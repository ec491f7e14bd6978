"""``polylock report``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import ask_notes, ask_outdated, begin_with_lock, print_json
from polylock.cli.options import (
    HTML,
    INDEX_SETTINGS,
    JSON,
    SELECTION,
    Command,
    settings,
)
from polylock.cli.tables import Table
from polylock.cli.terminal import say, style
from polylock.model.quantities import counted, file_size
from polylock.operations.files import write_atomically
from polylock.report.document import (
    ReportDocument,
    ReportedNote,
    ReportedProject,
    report_document,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polylock.project.settings import Settings

__all__ = ["command"]


@click.command(
    "report", cls=Command, epilog="Example: polylock report --html report.html"
)
@settings("target", *SELECTION, *INDEX_SETTINGS)
@HTML
@click.option(
    "--outdated",
    "shows_outdated",
    is_flag=True,
    help="Ask the index for newer versions and for notes on the lock file.",
)
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Show what every target installs: a row per project, a column per target.

    A label in parentheses is the chosen variant. Without --group or --extra, all groups
    and extras are shown. The page and the JSON also have the files, their hashes, the
    dependencies and why each label was chosen. The page needs no network. With
    --outdated, 1.0 < 2.0 means that there is a newer version, and the notes of `lock`
    follow: what a target gets less than it could, and what to write to change it.
    """
    chosen = begin_with_lock(values)
    found = ask_outdated(chosen) if values["shows_outdated"] else None
    lock_notes = ask_notes(chosen) if found is not None else None
    notes = None if lock_notes is None else lock_notes.notes
    document = report_document(chosen, os.environ, found, notes)
    page = values["page"]
    if page is not None:
        _write_page(chosen, document, page)
    if values["as_json"]:
        print_json(document.to_json())
    elif page is None:
        sys.stdout.write(_table(document).text())
        sys.stdout.writelines(_notes(document.notes or ()))
    if lock_notes is not None and lock_notes.problem and chosen.verbosity >= 0:
        say(f"{style('note', 'hint')}: {lock_notes.problem}")
    return 0


def _notes(notes: Sequence[ReportedNote]) -> Iterator[str]:
    for number, found in enumerate(notes):
        before = "" if number else "\n"
        yield f"{before}{style('note', 'hint', error=False)}: {found.text}\n"


def _write_page(chosen: Settings, document: ReportDocument, page: Path) -> None:
    from polylock.report.page import report_page  # noqa: PLC0415 - for the page alone

    write_atomically(page, report_page(document))
    if chosen.verbosity >= 0:
        projects = counted(len(document.projects), "project")
        targets = counted(len(document.targets), "target")
        say(f"wrote {page}: {projects} for {targets}")


def _cell(project: ReportedProject, target: str) -> str:
    found = project.build_for(target)
    if found is None:
        return style("-", "faint", error=False)
    version = found.version or "source"
    newest = [each.newest for each in project.newer or () if target in each.targets]
    if newest:
        version += style(f" < {newest[0]}", "changed", error=False)
    if found.label is None:
        return version
    return f"{version} {style(f'({found.label})', 'label', error=False)}"


def _table(document: ReportDocument) -> Table:
    names = [target.name for target in document.targets]
    table = Table(["project", *names])
    for project in document.projects:
        cells = [_cell(project, name) for name in names]
        differs = len(set(cells)) > 1
        table.add([project.name, *cells], strong=differs or len(cells) == 1)
    table.add_rule()
    table.add(["projects", *(str(target.projects) for target in document.targets)])
    table.add(["download", *(file_size(target.size) for target in document.targets)])
    return table
