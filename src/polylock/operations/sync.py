"""``polylock sync``: make an environment exactly what was locked for a target."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from polylock.environment.installed import read_installed
from polylock.environment.interpreter import probe
from polylock.environment.venv import (
    EnvironmentState,
    create,
    is_of,
    read_state,
    write_state,
)
from polylock.errors import ArchiveDamaged, EnvironmentBroken
from polylock.installation.execute import execute
from polylock.installation.link import Linker, LinkMode
from polylock.installation.plan import (
    SyncRequest,
    plan_sync,
    seeds,
)
from polylock.lockfile.pylock import PackageSdist
from polylock.lockfile.select import select
from polylock.operations.context import Context
from polylock.operations.fetch import WheelFetcher
from polylock.operations.installable import installables
from polylock.operations.machine import Chooser
from polylock.operations.own_project import with_own_project
from polylock.operations.sdists import require_allowed
from polylock.operations.workspace import (
    answered_project,
    lock_path,
    recorded_policy,
    require_lock,
)

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.environment.interpreter import Interpreter
    from polylock.installation.execute import Outcome
    from polylock.installation.plan import PlanEntry, SyncPlan
    from polylock.model.inputs import Inputs
    from polylock.operations.installable import Installables
    from polylock.operations.machine import Choice
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = ["SyncOptions", "SyncOutcome", "sync"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """What a call of sync asks for beyond the settings.

    ``frozen`` installs a lock file that no longer answers the project.
    ``force_target`` skips the check of the hardware. ``forget`` drops what the
    environment remembers of earlier calls. ``dry_run`` changes nothing.
    ``search_path`` is where Pythons are looked for.
    """

    frozen: bool = False
    force_target: bool = False
    forget: bool = False
    dry_run: bool = False
    reinstall: bool = False
    search_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOutcome:
    """The environment, the target it was synced for, and what was or would be done."""

    environment: Path
    target: str
    plan: SyncPlan
    link_modes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``sync --json`` (schemas/sync.schema.json)."""
        return {
            "environment": str(self.environment),
            "target": self.target,
            "up-to-date": self.plan.is_empty,
            "install": [_entry(entry) for entry in self.plan.install],
            "reinstall": [_entry(entry) for entry in self.plan.reinstall],
            "remove": [_entry(entry) for entry in self.plan.remove],
            "keep": len(self.plan.keep),
            "link-modes": [str(mode) for mode in self.link_modes],
        }


def sync(settings: Settings, options: SyncOptions, reporter: Reporter) -> SyncOutcome:
    """Install, replace and remove until the environment is what was locked.

    Never resolves. Everything is fetched and verified before the first change. An
    environment that is as it should be is not touched, and no HTTP client is
    imported.

    Raises LockFileOutdated unless frozen, TargetMismatch unless forced, and what
    reading the lock file, fetching and installing raise.
    """
    path = lock_path(settings)
    pylock = require_lock(path)
    project = answered_project(settings, pylock, path, frozen=options.frozen)
    inputs = project.inputs if project else recorded_policy(pylock)
    place = (settings.venv or path.with_name(".venv")).absolute()
    state = read_state(place)
    if options.forget:
        state = EnvironmentState(created=state.created)
    with Context(settings, inputs, reporter) as context:
        chooser = Chooser(
            pylock=pylock,
            place=place,
            python=settings.python,
            search_path=options.search_path,
            store=context.store,
        )
        choice = chooser.choose(
            settings.target, remembered=state.target, forced=options.force_target
        )
        remembered = EnvironmentState(
            created=state.created or not choice.exists,
            target=choice.target.name,
            groups=tuple(settings.groups or state.groups),
            extras=tuple(settings.extras or state.extras),
        )
        selected = select(
            pylock,
            choice.target,
            groups=remembered.groups,
            extras=remembered.extras,
            path=str(path),
            environment=choice.environment,
        )
        wanted = installables(selected, context, path.parent)
        if project is not None and not settings.no_install_project:
            wanted = with_own_project(wanted, project, context)
        plan = _plan(wanted, choice, created=state.created, again=options.reinstall)
        outcome = SyncOutcome(environment=place, target=choice.target.name, plan=plan)
        if options.dry_run or (plan.is_empty and choice.exists and not settings.target):
            return outcome
        if not (choice.checked or options.force_target):
            chooser.check(choice)
        _require_allowed_builds(plan, wanted, inputs)
        interpreter = choice.interpreter
        if not choice.exists:
            interpreter = _created(place, interpreter, context)
        _require_own(interpreter, place)
        fetcher = _fetcher(context, wanted, path.parent, interpreter)
        with context.store.in_use():
            done = _execute(plan, interpreter, fetcher, settings, reporter)
    _remember(place, remembered)
    return replace(outcome, plan=done.plan, link_modes=done.link_modes)


def _require_own(interpreter: Interpreter, place: Path) -> None:
    """Raise EnvironmentBroken for a Python that would change another environment.

    What is not locked is removed: in the wrong place that would be everything.
    """
    if not is_of(interpreter, place):
        raise EnvironmentBroken(
            str(place),
            f"its Python installs into {interpreter.prefix}; nothing was changed",
            "remove the environment, or choose another one with --venv",
        )


def _remember(place: Path, state: EnvironmentState) -> None:
    """Write the choice; who made the environment stays as another process wrote it."""
    created = state.created or read_state(place).created
    write_state(place, msgspec.structs.replace(state, created=created))


def _created(place: Path, interpreter: Interpreter, context: Context) -> Interpreter:
    """Make the environment; return its Python.

    Another sync may have made it meanwhile: it is taken if it is of the same Python.
    """
    made = probe(create(place, interpreter, context.reporter), store=context.store)
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


def _plan(
    wanted: Installables, choice: Choice, *, created: bool, again: bool
) -> SyncPlan:
    """Return what differs from the environment; ``again`` takes nothing as present."""
    request = SyncRequest(
        wanted=wanted.wanted,
        reinstall_all=again,
        retained=seeds(choice.interpreter.release, created=created),
    )
    present = choice.interpreter.site_directories if choice.exists else ()
    return plan_sync(request, read_installed(present))


def _fetcher(
    context: Context, wanted: Installables, root: Path, interpreter: Interpreter
) -> WheelFetcher:
    return WheelFetcher(
        context=context,
        files=wanted.files,
        trees=wanted.trees,
        root=root,
        threads=context.settings.threads,
        builds=context.builds(interpreter),
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


def _require_allowed_builds(
    plan: SyncPlan, wanted: Installables, inputs: Inputs
) -> None:
    """Raise BuildForbidden before anything is made; what is installed may stay."""
    for entry in (*plan.install, *plan.reinstall):
        is_built = entry.name in wanted.trees or isinstance(
            wanted.files.get(entry.name), PackageSdist
        )
        if entry.wanted is not None and is_built:
            require_allowed(inputs, entry.name, entry.wanted.version)


def _entry(entry: PlanEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "version": entry.wanted.version if entry.wanted else None,
        "file": entry.wanted.filename if entry.wanted else None,
        "label": entry.wanted.variant_label if entry.wanted else None,
        "installed": [found.version for found in entry.installed],
        "reason": str(entry.reason),
    }
