"""``polylock export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from polylock.cli.diagnostics import show_warning
from polylock.cli.invocation import begin_with_lock
from polylock.cli.options import MEMBERS, SELECTION, Command, settings
from polylock.cli.terminal import say
from polylock.operations.exchange.export import ExportFormat, export

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["command"]

_READERS = {
    "pylock": "uv installs them from here, pip 26 refuses their URLs and takes what "
    "`polylock bundle` writes",
    "requirements": "pip 26 refuses them, uv 0.13 takes those whose metadata has no "
    "variant markers, with --preview-features wheel-variants",
}
"""Support for variant wheels (PEP 825) in pip and uv, by format; tests run both."""


_FORMATS = {
    "requirements.txt": "requirements",
    "requirements-txt": "requirements",
    "pylock.toml": "pylock",
    "cyclonedx1.6": "cyclonedx",
}
"""The names that formats have in uv, Poetry and PDM."""


class _Format(click.Choice[str]):
    """A format by our name for it, or by that of other tools."""

    def convert(
        self,
        value: Any,  # noqa: ANN401 - as click declares it
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        """Return our name for a format."""
        found: str = super().convert(value, param, ctx)
        return _FORMATS.get(found, found)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        """Return our names alone."""
        found = super().shell_complete(ctx, param, incomplete)
        return [item for item in found if item.value not in _FORMATS]


@click.command(
    "export",
    cls=Command,
    epilog="Example: polylock export --target h100 -o pylock.h100.toml",
)
@settings("target", *SELECTION, *MEMBERS)
@click.option(
    "--format",
    "export_format",
    type=_Format([*get_args(ExportFormat), *_FORMATS]),
    default="pylock",
    metavar="FORMAT",
    help="What to write: pylock (the default), requirements, cyclonedx.",
)
@click.option("--no-hashes", is_flag=True, help="Write requirements without hashes.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; default: stdout.",
)
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Write the lock of one target for other tools.

    pylock is a lock file of this target alone (PEP 751). requirements are pins with
    hashes; name the index on the installer's command line. cyclonedx is a software bill
    of materials as JSON (CycloneDX 1.6, needs polylock[cyclonedx]).
    """
    chosen = begin_with_lock(values)
    found = export(
        chosen,
        values["export_format"],
        values["output"],
        hashes=not values["no_hashes"],
    )
    if values["output"] is None:
        sys.stdout.write(found.text)
    elif chosen.verbosity >= 0:
        done = f"wrote {values['output']}: {found.packages} packages"
        say(done)
    if found.variants and values["export_format"] in _READERS:
        show_warning(
            f"variant wheels: {', '.join(found.variants)}; "
            + _READERS[values["export_format"]]
        )
    return 0
