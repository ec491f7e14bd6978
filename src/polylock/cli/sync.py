"""``polylock sync``."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any

import click

from polylock.answer_cache.remember import Answer, remember
from polylock.cli.invocation import (
    begin,
    cacheable_question,
    json_text,
    question_of,
    reporting,
)
from polylock.cli.options import (
    FORCE_TARGET,
    FROZEN,
    INSTALLED,
    JSON,
    LOCKED,
    MEMBERS,
    SELECTION,
    Command,
    refuse_frozen,
    settings,
)
from polylock.cli.terminal import shown, write_error
from polylock.environment.discovery import managed_path
from polylock.operations.sync.sync import SyncOptions, SyncOutcome, sync

__all__ = ["NOT_OF_RUN", "command", "sync_summary"]

NOT_OF_RUN = frozenset(
    {
        "check",
        "compile",
        "dry_run",
        "forget",
        "hashes",
        "reinstall",
        "threads",
        "timeout",
    }
)
"""The parameters that ``run`` does not have, beside ``--json``."""


@click.command(
    "sync", cls=Command, epilog="Example: polylock sync --target auto --group dev"
)
@settings(
    "target",
    *SELECTION,
    *MEMBERS,
    "venv",
    "python",
    *INSTALLED,
    "index_url",
    "torch_index",
    "offline",
    "threads",
    "timeout",
    "link_mode",
    "compile",
)
@FROZEN
@LOCKED
@FORCE_TARGET
@click.option(
    "--forget",
    is_flag=True,
    help="Forget the target, groups and extras of earlier syncs.",
)
@click.option("--reinstall", is_flag=True, help="Reinstall unchanged packages, too.")
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

    Target, groups and extras default to those of the last sync.
    """
    chosen = begin(values)
    refuse_frozen(values)
    options = SyncOptions(
        frozen=values["frozen"],
        force_target=values["force_target"],
        forget=values["forget"],
        dry_run=values["dry_run"] or values["check"],
        reinstall=values["reinstall"],
        hashes=values["hashes"],
        search_path=os.environ.get("PATH", ""),
        managed=partial(managed_path, os.environ),
    )
    with reporting(chosen) as reporter:
        outcome = sync(chosen, options, reporter)
    out = json_text(outcome.to_json()) if values["as_json"] else ""
    is_quiet = bool(out) or chosen.verbosity < 0
    err = "" if is_quiet else sync_summary(outcome, planned=options.dry_run)
    sys.stdout.write(out)
    write_error(err)
    if not (reporter.has_warned or options.hashes):
        repeated = outcome.repeated
        if repeated is not outcome:
            out = json_text(repeated.to_json()) if out else ""
            err = "" if is_quiet else sync_summary(repeated, planned=False)
        remember(
            chosen,
            repeated.basis,
            Answer(cacheable_question(), out=out, err=err),
            Answer(
                question_of("run", lacking=NOT_OF_RUN),
                environment=outcome.environment,
            ),
        )
    return 3 if values["check"] and not outcome.up_to_date else 0


def sync_summary(outcome: SyncOutcome, *, planned: bool) -> str:
    """Return a line for each step of a plan that was not executed, and a summary."""
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
    named = f"{outcome.target}{_selection(outcome)}"
    lines.append(f"{named}: {would}{done}, {len(plan.keep)} kept")
    return "".join(f"{shown(line)}\n" for line in lines)


def _selection(outcome: SyncOutcome) -> str:
    """Return the groups and extras, which earlier calls may have set."""
    found = [
        f"{kind}{'s' if len(names) > 1 else ''} {', '.join(names)}"
        for kind, names in (("group", outcome.groups), ("extra", outcome.extras))
        if names
    ]
    return f" with {' and '.join(found)}" if found else ""
