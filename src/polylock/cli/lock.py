"""``polylock lock``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from packaging.utils import canonicalize_name

from polylock.answer_cache.remember import Answer, remember
from polylock.cli.invocation import (
    answer_of_check,
    begin,
    cacheable_question,
    json_text,
    question_of,
    reporting,
    without_garbage_collection,
)
from polylock.cli.options import INDEX_SETTINGS, JSON, Command, offered, settings
from polylock.cli.terminal import shown, style
from polylock.errors import BuildsNeeded, UsageError
from polylock.model.quantities import counted
from polylock.operations.lock.lock import LockOutcome, lock
from polylock.operations.lock.request import LockRequest, parse_upgrades

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polylock.explain.findings import Note
    from polylock.operations.lock.imported_pins import ImportReport
    from polylock.project.settings import Settings

__all__ = [
    "NOT_OF_CHECK",
    "command",
    "lock_lines",
]

NOT_OF_CHECK = frozenset(
    {
        *INDEX_SETTINGS,
        "builds",
        "check",
        "dry_run",
        "force",
        "pins_from",
        "targets",
        "upgrade",
        "upgrade_packages",
    }
)
"""The parameters that ``check`` does not have."""

_NOTES_AT_MOST = 10
"""The number of notes shown; ``--json`` has all."""


@click.command(
    "lock", cls=Command, epilog="Example: polylock lock --upgrade-package numpy"
)
@settings(*INDEX_SETTINGS)
@click.option(
    "-U", "--upgrade", is_flag=True, help="Discard the pins of the lock file."
)
@click.option(
    "-P",
    "--upgrade-package",
    "upgrade_packages",
    metavar="NAME[==V]",
    multiple=True,
    shell_complete=offered("locked"),
    help="Discard the pins of this project; can be given more than once.",
)
@click.option(
    "--target",
    "targets",
    metavar="NAME",
    multiple=True,
    shell_complete=offered("declared-target"),
    help="Solve this target alone and leave the others; can be given more than once.",
)
@click.option(
    "--pins-from",
    metavar="FILE",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Prefer the pins of another tool's lock file (uv.lock, poetry.lock, "
    "requirements.txt ...); can be given more than once, the first counts.",
)
@click.option(
    "--allow-build",
    "builds",
    metavar="NAME",
    multiple=True,
    help="Add this project to build-package, so that its build backend may run; can be "
    "given more than once.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@click.option(
    "--check",
    "--locked",
    is_flag=True,
    help="Do as polylock check: exit 3 if outdated.",
)
@click.option(
    "--force", is_flag=True, help="Overwrite a pylock.toml that another tool wrote."
)
@JSON
def command(**values: Any) -> int:  # noqa: ANN401 - click hands parameters by name
    """Resolve the project for every target and write pylock.toml.

    Pins that still hold are kept. If the lock file is up to date, nothing is written
    and no index is asked. Otherwise the summary lists the changes by target.
    """
    chosen = begin(values)
    if values["check"]:
        return _check(chosen, values)
    request = LockRequest(
        upgrade=values["upgrade"],
        upgrade_packages=parse_upgrades(values["upgrade_packages"]),
        targets=tuple(dict.fromkeys(map(canonicalize_name, values["targets"]))),
        pins_from=values["pins_from"],
        dry_run=values["dry_run"],
        force=values["force"],
    )
    outcome, has_warned = _locked(
        chosen, request, values["builds"], asks=not values["as_json"]
    )
    out = json_text(outcome.to_json()) if values["as_json"] else ""
    lines = [] if out or chosen.verbosity < 0 else list(lock_lines(outcome, request))
    err = "".join(f"{shown(line)}\n" for line in lines)
    sys.stdout.write(out)
    sys.stderr.write(err)
    if not has_warned:
        following = outcome.following
        if following is not None:
            out = json_text(following.to_json()) if out else ""
            told = list(lock_lines(following, request)) if lines else []
            err = "".join(f"{shown(line)}\n" for line in told)
        repeated = following or outcome
        remember(
            chosen,
            repeated.basis,
            Answer(cacheable_question(), out=out, err=err),
            Answer(
                question_of("check", lacking=NOT_OF_CHECK),
                err=answer_of_check(chosen, outcome.path),
            ),
        )
    return 0


def _locked(
    chosen: Settings, request: LockRequest, builds: Sequence[str], *, asks: bool
) -> tuple[LockOutcome, bool]:
    """Return what was locked, and whether there were warnings.

    On a terminal the user is asked for the builds that are needed, as long as another
    is.
    """
    while True:
        try:
            with reporting(chosen) as reporter, without_garbage_collection():
                if not builds:
                    return lock(chosen, request, reporter), reporter.has_warned
                # tomlkit and the editor, for this option alone.
                from polylock.operations.edit.builds import lock_with_builds  # noqa: PLC0415

                found = lock_with_builds(chosen, request, builds, reporter)
                return found, reporter.has_warned
        except BuildsNeeded as error:
            if not asks or set(error.projects) <= set(error.allowed):
                raise
            from polylock.cli.prompts import confirm_builds, on_terminal  # noqa: PLC0415

            if not on_terminal() or not confirm_builds(error):
                raise
            builds = sorted({*error.projects, *error.allowed})


def _check(chosen: Settings, values: dict[str, Any]) -> int:
    """Do as ``polylock check``; raises UsageError for options that make no sense."""
    others = {
        "upgrade": "--upgrade",
        "upgrade_packages": "--upgrade-package",
        "targets": "--target",
        "pins_from": "--pins-from",
        "builds": "--allow-build",
        "force": "--force",
    }
    for name, option in others.items():
        if values[name]:
            raise UsageError(
                f"--check and {option} exclude each other",
                "--dry-run shows what a lock would change",
            )
    from polylock.cli.check import show_check  # noqa: PLC0415 - rare

    return show_check(chosen, as_json=values["as_json"])


def lock_lines(outcome: LockOutcome, request: LockRequest) -> Iterator[str]:
    """Yield the lines about what was locked, on stderr."""
    path = outcome.path.name
    targets = len(outcome.pylock.target_names)
    yield from _notes(outcome.notes)
    packages = len(outcome.pylock.packages)
    size = f"{counted(packages, 'package')} for {counted(targets, 'target')}"
    if not outcome.efforts:
        yield f"{path} is up to date: {size}"
        if request.pins_from:
            yield "no pins were imported: use --upgrade to discard existing pins"
    elif not outcome.changed:
        yield f"{path} is unchanged: {size}"
    else:
        yield f"{'would write' if outcome.dry_run else 'wrote'} {path}: {size}"
        # A lock with nothing to do must start fast.
        from polylock.cli.changes import summary_lines  # noqa: PLC0415 - see above

        changed = outcome.changes()
        yield from summary_lines(changed or (), targets)
        if changed == ():
            yield "  the files of all targets are unchanged"
    for report in outcome.imports:
        yield from _imported(report)


def _notes(notes: Sequence[Note]) -> Iterator[str]:
    """Yield the first notes on the solution."""
    if not notes:
        return
    from polylock.explain.words import note  # noqa: PLC0415 - for a new lock alone

    for found in notes[:_NOTES_AT_MOST]:
        yield f"{style('note', 'hint')}: {note(found)}"
    more = len(notes) - _NOTES_AT_MOST
    if more > 0:
        yield (
            f"{style('note', 'hint')}: {counted(more, 'more note')}, see "
            "`polylock lock --upgrade --dry-run --json`"
        )


def _imported(report: ImportReport) -> Iterator[str]:
    """Yield the kept and dropped pins of another tool's lock file, with reasons."""
    from polylock.explain.words import clause  # noqa: PLC0415 - rare

    counts = [f"{counted(report.kept, 'pin')} kept"]
    counts += [f"{len(report.dropped)} not"] if report.dropped else []
    counts += [f"{report.unneeded} not needed"] if report.unneeded else []
    yield f"{report.path}: {', '.join(counts)}"
    for pin in report.dropped:
        targets = ", ".join(pin.targets)
        reason = clause(pin.reason)
        yield f"  {pin.name} {pin.version} is {pin.taken} for {targets}: {reason}"
    for entry in report.skipped:
        yield f"  {entry.name} is not a pin: {entry.reason}"
