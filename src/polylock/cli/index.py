"""``polylock index``: build, lint, simulate and serve a static index."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polylock.cli.invocation import begin, print_json, reporting
from polylock.cli.options import HTML, JSON, Group, offered, settings
from polylock.cli.tables import Table
from polylock.cli.terminal import say, shown, style
from polylock.errors import UsageError
from polylock.index_server.lint_words import RULES, Level, cause, level, next_step
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer
from polylock.model.quantities import counted, file_size
from polylock.operations.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polylock.operations.publish.lint import Linted
    from polylock.operations.publish.simulate import Simulation
    from polylock.project.settings import Settings

__all__ = ["command"]

_STYLES = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "faint"}


@click.group(
    "index", cls=Group, epilog="Example: polylock index build wheels --output site"
)
def command() -> None:
    """Build, check, try and serve an index with variants."""


@command.command("build", epilog="Example: polylock index build wheels --output site")
@settings()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The directory to write; default: DIRECTORY, or the index itself.",
)
@click.option(
    "--append",
    "index",
    metavar="URL|DIRECTORY",
    help="Add the files to this index, and keep what is there.",
)
@click.option(
    "--modified-times",
    is_flag=True,
    help="Use a file's modification time as its upload time if none is recorded.",
)
@click.option(
    "--lenient",
    is_flag=True,
    help="Accept labels with features that their provider does not know.",
)
@JSON
def build(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Build a static simple index of the wheels and source distributions in a folder.

    It has PEP 503 and PEP 691 pages, core-metadata files (PEP 658), and for each
    release with variant wheels the index-level metadata of PEP 825. With --append an
    existing index on any static host is extended: its pages and its -variants.json. Of
    an index at a URL, the files to upload are written to --output.
    """
    chosen = begin(values)
    if values["index"] is not None:
        return _append(chosen, values)
    built = build_index(
        values["directory"],
        values["output"],
        upload_times="modified" if values["modified_times"] else "recorded",
        lenient=values["lenient"],
    )
    if values["as_json"]:
        print_json(
            {
                "directory": str(built.directory),
                "projects": built.projects,
                "wheels": built.wheels,
                "sdists": built.sdists,
                "variant-releases": built.variant_releases,
                "skipped": list(built.skipped),
                "present": 0,
                "labels": [],
                "written": [],
            }
        )
    elif chosen.verbosity >= 0:
        say(
            f"built {built.directory}: {counted(len(built.projects), 'project')}, "
            f"{counted(built.wheels, 'wheel')}, "
            f"{counted(built.variant_releases, 'release')} with variants"
        )
    return 0


def _append(chosen: Settings, values: dict[str, Any]) -> int:
    from polylock.operations.publish.append import append  # noqa: PLC0415 - slow

    if values["modified_times"]:
        raise UsageError(
            "--modified-times is for an index that is built whole",
            "write upload times into index.toml beside the wheels",
        )
    with reporting(chosen) as reporter:
        found = append(
            values["directory"],
            values["index"],
            chosen,
            reporter,
            output=values["output"],
            lenient=values["lenient"],
        )
    if values["as_json"]:
        print_json(
            {
                "directory": str(found.directory),
                "projects": found.projects,
                "wheels": found.wheels,
                "sdists": found.sdists,
                "variant-releases": found.variant_releases,
                "skipped": list(found.skipped),
                "present": found.present,
                "labels": list(found.labels),
                "written": list(found.written),
            }
        )
    elif chosen.verbosity >= 0:
        added = counted(found.wheels + found.sdists, "file")
        say(f"added {added} to {found.directory}, {found.present:,} there already")
        for label in found.labels:
            say(f"  new label {style(label, 'label')}")
        for path in found.written if values["output"] is not None else ():
            say(f"  upload {path}")
    return 0


@command.command("lint", epilog="Example: polylock index lint site --json")
@settings("threads", "timeout")
@click.argument("place", metavar="URL|DIRECTORY")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--pages-only",
    is_flag=True,
    help="Do not open the wheels to compare their own metadata.",
)
@JSON
def lint(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Check the variants of an index: its pages, its metadata, its wheels.

    The index is a URL, a directory with pages, or a folder of files; with names only
    these projects are checked. Exits with 3 if there is an error or a warning.
    """
    from polylock.operations.publish.lint import lint as check  # noqa: PLC0415 - slow

    chosen = begin(values)
    with reporting(chosen) as reporter:
        found = check(
            values["place"],
            values["names"],
            chosen,
            reporter,
            opens_wheels=not values["pages_only"],
        )
    if values["as_json"]:
        print_json(found.to_json())
    else:
        sys.stdout.writelines(_findings(found))
        if chosen.verbosity >= 0:
            say(_summary(found))
    return 3 if found.is_wrong else 0


def _findings(linted: Linted) -> Iterator[str]:
    """Yield the findings as lines, below the release that has them."""
    release = ("", "")
    for found in linted.findings:
        if (found.project, found.version) != release:
            if release != ("", ""):
                yield "\n"
            release = (found.project, found.version)
            title = shown(" ".join(filter(None, release)), error=False)
            yield f"{style(title, 'strong', error=False)}\n"
        rank = level(found)
        styled = style(rank.value, _STYLES[rank], error=False)
        yield f"  {styled} {found.kind.value}: {cause(found)}\n"
        where = ", ".join(filter(None, (_files(found.files), found.key)))
        if where:
            yield f"    {shown(where, error=False)}\n"
        source = RULES[found.kind].source
        yield f"    {style('next', 'hint', error=False)}: {next_step(found)}\n"
        if source:
            yield f"    {style(source, 'faint', error=False)}\n"


def _files(names: Sequence[str]) -> str:
    others = len(names) - 1
    if others < 1:
        return names[0] if names else ""
    return f"{names[0]} and {counted(others, 'other')}"


def _summary(linted: Linted) -> str:
    counts = ", ".join(counted(linted.count(rank), rank.value) for rank in Level)
    checked = ", ".join(
        (
            counted(linted.projects, "project"),
            counted(linted.releases, "release"),
            counted(linted.wheels, "wheel"),
        )
    )
    return f"checked {checked} ({linted.opened:,} opened): {counts}"


@command.command(
    "simulate", epilog="Example: polylock index simulate site demo==2.0 --presets h100"
)
@settings("offline", "threads", "timeout")
@click.argument("place", metavar="URL|DIRECTORY")
@click.argument("requirement", metavar="NAME[==V]")
@click.option(
    "--presets",
    "chosen_presets",
    multiple=True,
    metavar="NAMES",
    help="Presets: names, groups, search words, or all, which is the default.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="NAME",
    help="A target of the project file; can be repeated.",
    shell_complete=offered("target"),
)
@click.option(
    "--python",
    "release",
    metavar="VERSION",
    help="The Python of presets; default: the newest with most wheels.",
)
@HTML
@JSON
def simulate(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Show which file of a release each machine takes, before it is released.

    A row per machine, a column per label: 1 is what the machine takes, 2 what it would
    take without that. Below it, why machines take no label with properties. Sizes are
    those of the file itself, without dependencies.
    """
    from polylock.operations.publish.simulate import simulate as ask  # noqa: PLC0415 - slow

    chosen = begin(values)
    with reporting(chosen) as reporter:
        found = ask(
            values["place"],
            values["requirement"],
            chosen,
            reporter,
            chosen_presets=values["chosen_presets"],
            chosen_targets=values["targets"],
            python=values["release"],
        )
    page = values["page"]
    if page is not None:
        from polylock.report.page import simulation_page  # noqa: PLC0415 - for the page

        write_atomically(page, simulation_page(found.to_json()))
        if chosen.verbosity >= 0:
            machines = counted(len(found.outcomes), "machine")
            say(f"wrote {page}: {found.project} {found.version} on {machines}")
    if values["as_json"]:
        print_json(found.to_json())
    elif page is None:
        sys.stdout.write(_matrix(found).text())
        sys.stdout.writelines(_shortfalls(found))
    return 0


def _matrix(found: Simulation) -> Table:
    columns = found.columns
    table = Table(["machine", *columns, "download"], numbers=range(1, len(columns) + 2))
    for outcome in found.outcomes:
        cells = []
        for column in columns:
            place = outcome.place(column)
            cell = "-" if place is None else str(place)
            look = "label" if place == 1 else "faint"
            cells.append(style(cell, look, error=False))
        taken = outcome.takes
        size = "-"
        if taken is not None:
            size = "?" if taken.size is None else file_size(taken.size)
        table.add([outcome.machine, *cells, size])
    return table


def _shortfalls(found: Simulation) -> Iterator[str]:
    """Yield the files of machines that take no label with properties, with reasons."""
    groups: dict[tuple[str, str], list[str]] = {}
    for outcome in found.outcomes:
        taken, closest = outcome.takes, outcome.closest
        if taken is not None and taken.kind == "variant":
            continue
        name = "nothing" if taken is None else taken.kind
        because = "there is no other label"
        if closest is not None:
            label = closest.label or closest.because.file
            because = f"{label}: {closest.words}"
        groups.setdefault((name, because), []).append(outcome.machine)
    for (name, because), machines in groups.items():
        title = style(name, "strong", error=False)
        yield f"\n{title} on {counted(len(machines), 'machine')}: "
        yield f"{shown(because, error=False)}\n"
        yield f"  {shown(', '.join(machines), error=False)}\n"


@command.command("serve", epilog="Example: polylock index serve site --port 8000")
@settings()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--port", type=int, default=0, metavar="N", help="The port; default: a free one."
)
@click.option(
    "--for", "seconds", type=float, metavar="SECONDS", help="Stop after this time."
)
def serve(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Serve a built index on 127.0.0.1 until Ctrl-C, for trials and tests.

    The URL for --index-url is printed to stdout.
    """
    begin(values)
    with IndexServer(values["directory"], port=values["port"]) as server:
        click.echo(server.url)
        server.wait(values["seconds"])
    return 0
