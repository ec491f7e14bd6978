"""``polylock index build`` and ``polylock index serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from polylock.cli.invocation import begin, print_json
from polylock.cli.options import JSON, Group, settings
from polylock.cli.terminal import say
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer
from polylock.model.quantities import counted

__all__ = ["command"]


@click.group(
    "index", cls=Group, epilog="Example: polylock index build wheels --output site"
)
def command() -> None:
    """Build and serve a static index with variant metadata."""


@command.command("build", epilog="Example: polylock index build wheels --output site")
@settings()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The directory to write; default: DIRECTORY.",
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
    release with variant wheels the index-level metadata of PEP 825.
    """
    chosen = begin(values)
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
            }
        )
    elif chosen.verbosity >= 0:
        say(
            f"built {built.directory}: {counted(len(built.projects), 'project')}, "
            f"{counted(built.wheels, 'wheel')}, "
            f"{counted(built.variant_releases, 'release')} with variants"
        )
    return 0


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
