"""``polylock sync``."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from polylock.answer_cache.remember import remember
from polylock.cli.invocation import asked, begin, json_text, reporting
from polylock.cli.options import FORCE_TARGET, FROZEN, JSON, Command, settings
from polylock.cli.terminal import shown
from polylock.operations.sync.sync import SyncOptions, SyncOutcome, sync

__all__ = ["command"]


@click.command(
    "sync", cls=Command, epilog="Example: polylock sync --target auto --group dev"
)
@settings(
    "target",
    "groups",
    "extras",
    "venv",
    "python",
    "no_install_project",
    "index_url",
    "offline",
    "threads",
    "timeout",
    "link_mode",
    "compile",
)
@FROZEN
@FORCE_TARGET
@click.option(
    "--forget", is_flag=True, help="Forget earlier choices of target, groups."
)
@click.option("--reinstall", is_flag=True, help="Install anew what is as locked.")
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--check", is_flag=True, help="Change nothing; exit 3 if anything would.")
@click.option(
    "--hashes",
    is_flag=True,
    help="Read every installed file and compare it with its hash.",
)
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Make an environment exactly what was locked for a target.

    Installs, replaces and removes. Target, groups and extras are those of the last sync
    unless named; at first the target is the first that this machine satisfies.
    """
    chosen = begin(values)
    options = SyncOptions(
        frozen=values["frozen"],
        force_target=values["force_target"],
        forget=values["forget"],
        dry_run=values["dry_run"] or values["check"],
        reinstall=values["reinstall"],
        hashes=values["hashes"],
        search_path=os.environ.get("PATH", ""),
    )
    with reporting(chosen) as reporter:
        outcome = sync(chosen, options, reporter)
    out = json_text(outcome.to_json()) if values["as_json"] else ""
    err = "" if out or chosen.verbosity < 0 else _told(outcome, planned=options.dry_run)
    sys.stdout.write(out)
    sys.stderr.write(err)
    if not (reporter.has_warned or options.hashes):
        remember(asked(), chosen, outcome.basis, out=out, err=err)
    return 3 if values["check"] and not outcome.up_to_date else 0


def _told(outcome: SyncOutcome, *, planned: bool) -> str:
    """Return a line for each step of a plan, and one for all of it."""
    plan = outcome.plan
    lines = []
    if planned:
        for sign, entries in (
            ("+", plan.install),
            ("~", plan.reinstall),
            ("-", plan.remove),
        ):
            for entry in entries:
                version = entry.wanted.version if entry.wanted else None
                named = f"{entry.name} {version}" if version else entry.name
                lines.append(f" {sign} {named} ({entry.reason})")
    counts = [
        f"{len(entries)} {verb}"
        for entries, verb in (
            (plan.install, "installed"),
            (plan.reinstall, "replaced"),
            (plan.remove, "removed"),
        )
        if entries
    ]
    done = ", ".join(counts) or "nothing to do"
    would = "would be " if planned and counts else ""
    named = f"{outcome.target}{_asked(outcome)}"
    lines.append(f"{named}: {would}{done}, {len(plan.keep)} kept")
    return "".join(f"{shown(line)}\n" for line in lines)


def _asked(outcome: SyncOutcome) -> str:
    """Name the groups and extras: they are remembered from earlier calls."""
    found = [
        f"{kind}{'s' if len(names) > 1 else ''} {', '.join(names)}"
        for kind, names in (("group", outcome.groups), ("extra", outcome.extras))
        if names
    ]
    return f" with {' and '.join(found)}" if found else ""
