"""Apply the plan of a sync: fetch, create the environment, install."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.environment.installed import read_installed
from polylock.environment.venv import (
    create,
    open_environment,
    read_state,
    recreate,
)
from polylock.errors import ArchiveDamaged, EnvironmentBroken
from polylock.installation.execute import Outcome, execute
from polylock.installation.link import Linker, LinkMode
from polylock.installation.plan import SyncPlan, plan_sync
from polylock.operations.builds.fetch import WheelFetcher
from polylock.operations.builds.wiring import machine_builds

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.environment.interpreter import Interpreter
    from polylock.operations.context import Context
    from polylock.operations.sync.choose_target import Choice
    from polylock.operations.sync.installables import Installables
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = ["apply"]


def apply(
    plan: SyncPlan,
    place: Path,
    choice: Choice,
    wanted: Installables,
    context: Context,
    *,
    hashes: bool = False,
) -> Outcome:
    """Create or recreate the environment at ``place`` if needed, and execute the plan.

    With ``hashes`` every file of the archives in the cache is compared with its hash.
    """
    interpreter = choice.interpreter
    with context.store.in_use():
        if not choice.exists:
            if choice.replaced is not None:
                # Fetch everything before the old environment is removed.
                fetcher = _fetcher(context, wanted, interpreter, hashes=hashes)
                fetcher(wanted.wanted)
            interpreter = _created(place, choice, context)
        fetcher = _fetcher(context, wanted, interpreter, hashes=hashes)
        return _execute(plan, interpreter, fetcher, context.settings, context.reporter)


def _created(place: Path, choice: Choice, context: Context) -> Interpreter:
    """Create or recreate the environment; return its Python.

    An environment that another sync created in the meantime is used if it has the same
    Python.
    """
    interpreter, reporter = choice.interpreter, context.reporter
    if choice.replaced is None:
        create(place, interpreter, reporter)
    else:
        recreate(
            place,
            interpreter,
            is_due=lambda: _is_due(place, choice),
            reporter=reporter,
        )
    made = open_environment(place, store=context.store)
    if (made.implementation, made.version) != (
        interpreter.implementation,
        interpreter.version,
    ):
        raise EnvironmentBroken(
            str(place),
            f"another process created it with Python {made.version} in the meantime",
            "run the command again, or choose another environment with --venv",
        )
    return made


def _is_due(place: Path, choice: Choice) -> bool:
    """Return True if an environment still has what it is to be recreated for."""
    if choice.cause == "moved":
        return read_state(place).moved_from(place) is not None
    try:
        return open_environment(place).version == choice.replaced
    except EnvironmentBroken:
        return True


def _fetcher(
    context: Context,
    wanted: Installables,
    interpreter: Interpreter,
    *,
    hashes: bool,
) -> WheelFetcher:
    return WheelFetcher(
        context=context,
        files=wanted.files,
        trees=wanted.trees,
        root=wanted.root,
        threads=context.settings.threads,
        hashes=hashes,
        builds=lambda: machine_builds(context, interpreter, wanted.locked),
    )


def _execute(
    plan: SyncPlan,
    interpreter: Interpreter,
    fetcher: WheelFetcher,
    settings: Settings,
    reporter: Reporter,
) -> Outcome:
    """Execute the plan; a damaged archive is unpacked again once."""
    for last in (False, True):
        try:
            return execute(
                plan,
                interpreter,
                fetcher,
                linker=Linker(LinkMode(settings.link_mode)),
                reporter=reporter,
                compile_bytecode=settings.compile,
            )
        except ArchiveDamaged as error:
            if last:
                raise
            fetcher.discard(error.sha256)
            installed = read_installed(interpreter.site_directories)
            plan = plan_sync(plan.request, installed)
    raise AssertionError("unreachable: the last round returns or raises")
