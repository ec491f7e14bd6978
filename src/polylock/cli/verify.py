"""``polylock verify``."""

from __future__ import annotations

import sys
from typing import Any

import click

from polylock.cli.invocation import begin, print_json, reporting
from polylock.cli.options import JSON, Command, settings
from polylock.cli.terminal import folded, say, shown, style
from polylock.operations.inspect.verify import verify

__all__ = ["command"]


@click.command("verify", cls=Command, epilog="Example: polylock verify --download")
@settings("target", "index_url", "torch_index", "threads", "timeout", "offline")
@click.option(
    "--download",
    is_flag=True,
    help="Also fetch every file; compare hashes and METADATA.",
)
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Compare every locked file with the current page of its index.

    Reports a changed hash or size, a file that was removed or yanked, another host, and
    a host that imitates the index; exits with 3 if there is any. The indexes are those
    of the project file, whatever the lock file says.
    """
    chosen = begin(values)
    with reporting(chosen) as reporter:
        outcome = verify(chosen, reporter, download=values["download"])
    if values["as_json"]:
        print_json(outcome.to_json())
        return 0 if outcome.agrees else 3
    for found in outcome.disagreements:
        note = " (the project pins it)" if found.expected else ""
        who = style(f"[{', '.join(found.targets)}]", "faint", error=False)
        what = style(
            f"{found}", "changed" if found.expected else "removed", error=False
        )
        sys.stdout.write(folded(shown(f"{what}{note} {who}", error=False)) + "\n")
    if chosen.verbosity >= 0:
        for name, reason in outcome.unverified:
            say(f"not verified: {name} {reason}")
        counted = f"{outcome.packages} packages, {outcome.files} files"
        verdict = (
            style("agree", "added")
            if outcome.agrees
            else style("do not all agree", "removed")
        )
        say(f"{counted}: {verdict} with the indexes")
    return 0 if outcome.agrees else 3
