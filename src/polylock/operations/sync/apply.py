"""Apply the plan of a sync: fetch, make the environment, install."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.environment.installed import read_installed
from polylock.environment.venv import create, open_environment, recreate
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
    """Make the environment where there is none, and what the plan says of it.

    ``place`` is the environment. With ``hashes`` every file that was unpacked before
    is read and compared.
    """
    interpreter = choice.interpreter
    with context.store.in_use():
        if not choice.exists:
            if choice.replaced is not None:
                # What is there goes: everything has to be at hand before.
                fetcher = _fetcher(context, wanted, interpreter, hashes=hashes)
                fetcher(wanted.wanted)
            interpreter = _created(place, choice, context)
        fetcher = _fetcher(context, wanted, interpreter, hashes=hashes)
        return _execute(plan, interpreter, fetcher, context.settings, context.reporter)


def _created(place: Path, choice: Choice, context: Context) -> Interpreter:
    """Make the environment, or make it anew; return its Python.

    Another sync may have made it meanwhile: it is taken if it is of the same Python.
    """
    interpreter, reporter = choice.interpreter, context.reporter
    if choice.replaced is None:
        create(place, interpreter, reporter)
    else:
        recreate(place, interpreter, replaced=choice.replaced, reporter=reporter)
    made = open_environment(place, store=context.store)
    if (made.implementation, made.version) != (
        interpreter.implementation,
        interpreter.version,
    ):
        raise EnvironmentBroken(
            str(place),
            f"another process made it with Python {made.version} meanwhile",
            "run the command again, or choose another environment with --venv",
        )
    return made


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
        builds=lambda: machine_builds(context, interpreter),
    )


def _execute(
    plan: SyncPlan,
    interpreter: Interpreter,
    fetcher: WheelFetcher,
    settings: Settings,
    reporter: Reporter,
) -> Outcome:
    """Carry the plan out; an unpacked copy that proves damaged is made anew once."""
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
            fetcher.forget(error.sha256)
            installed = read_installed(interpreter.site_directories)
            plan = plan_sync(plan.request, installed)
    raise AssertionError("unreachable: the last round returns or raises")
