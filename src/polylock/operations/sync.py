"""``polylock sync``: make an environment exactly what was locked for a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from polylock.environment.installed import read_installed
from polylock.environment.venv import (
    EnvironmentState,
    create,
    open_environment,
    read_state,
    write_state,
)
from polylock.errors import ArchiveDamaged, EnvironmentBroken, ProjectError
from polylock.installation.plan import (
    SyncRequest,
    plan_sync,
    seeds,
)
from polylock.lockfile.pylock import PackageSdist
from polylock.lockfile.select import select
from polylock.operations.basis import (
    environment_basis,
    hardware_basis,
    project_basis,
)
from polylock.operations.context import Context
from polylock.operations.installable import installables
from polylock.operations.machine import Chooser
from polylock.operations.workspace import (
    answered_project,
    lock_path,
    project_path,
    recorded_policy,
    require_lock,
)
from polylock.values import Value, replace

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.environment.interpreter import Interpreter
    from polylock.installation.execute import Outcome
    from polylock.installation.plan import PlanEntry, SyncPlan
    from polylock.model.inputs import Inputs
    from polylock.operations.basis import Basis
    from polylock.operations.fetch import WheelFetcher
    from polylock.operations.installable import Installables
    from polylock.operations.machine import Choice
    from polylock.ports import Reporter
    from polylock.project.pyproject import ProjectFile
    from polylock.project.settings import Settings

__all__ = ["SyncOptions", "SyncOutcome", "sync"]


class SyncOptions(Value, frozen=True, kw_only=True):
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


class SyncOutcome(Value, frozen=True, kw_only=True):
    """The environment, the target it was synced for, and what was or would be done.

    ``basis`` is what it depends on that nothing was to be done; None where something
    was, where a source tree may have changed, and where less was asked for.
    """

    environment: Path
    target: str
    plan: SyncPlan
    link_modes: tuple[str, ...] = ()
    basis: Basis | None = None

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
    pylock = require_lock(path, settings)
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
        remembered = _state_after(state, choice, settings)
        selected = select(
            pylock,
            choice.target,
            groups=remembered.groups,
            extras=remembered.extras,
            path=str(path),
            environment=choice.environment,
        )
        wanted, watched = _with_own_project(
            installables(selected, context, path.parent), project, context
        )
        plan = _plan(wanted, choice, created=state.created, again=options.reinstall)
        outcome = SyncOutcome(
            environment=place,
            target=choice.target.name,
            plan=plan,
            basis=None
            if watched is None or options.forget or options.dry_run
            else _basis(context, place, choice, plan, watched),
        )
        # A sync that was killed at its very end has installed all and remembered
        # nothing: then there is something to do although the plan is empty.
        settled = plan.is_empty and choice.exists and remembered == state
        if options.dry_run or (settled and not settings.target):
            return outcome
        if not (choice.checked or options.force_target):
            chooser.check(choice)
        _require_allowed_builds(plan, wanted, inputs)
        if not (plan.is_empty and choice.exists):
            outcome = _carry_out(outcome, choice, wanted, context, path.parent)
    _remember(place, remembered)
    return outcome


def _state_after(
    state: EnvironmentState, choice: Choice, settings: Settings
) -> EnvironmentState:
    """Return what the environment is to remember: what is asked for, else as before."""
    return EnvironmentState(
        created=state.created or not choice.exists,
        target=choice.target.name,
        groups=tuple(settings.groups or state.groups),
        extras=tuple(settings.extras or state.extras),
    )


def _carry_out(
    outcome: SyncOutcome,
    choice: Choice,
    wanted: Installables,
    context: Context,
    root: Path,
) -> SyncOutcome:
    """Make the environment where there is none, and what the plan says of it."""
    interpreter = choice.interpreter
    if not choice.exists:
        interpreter = _created(outcome.environment, interpreter, context)
    fetcher = _fetcher(context, wanted, root, interpreter)
    with context.store.in_use():
        done = _execute(
            outcome.plan, interpreter, fetcher, context.settings, context.reporter
        )
    return replace(outcome, plan=done.plan, link_modes=done.link_modes)


def _with_own_project(
    wanted: Installables, project: ProjectFile | None, context: Context
) -> tuple[Installables, tuple[Path, ...] | None]:
    """Add the project itself, if it is to be installed.

    The second value are the files by which a change of source trees is seen; None
    where that takes more than to look at a few.
    """
    if (
        project is None
        or not project.has_build_system
        or context.settings.no_install_project
    ):
        return wanted, None if wanted.trees else ()
    # 10 ms that a project without a build system does not pay.
    from polylock.operations.own_project import (  # noqa: PLC0415 - see above
        build_files,
        with_own_project,
    )

    wanted = with_own_project(wanted, project, context)
    others = wanted.trees.keys() - {project.name}
    return wanted, None if others else build_files(project)


def _remember(place: Path, state: EnvironmentState) -> None:
    """Write the choice; who made the environment stays as another process wrote it."""
    created = state.created or read_state(place).created
    write_state(place, msgspec.structs.replace(state, created=created))


def _created(place: Path, interpreter: Interpreter, context: Context) -> Interpreter:
    """Make the environment; return its Python.

    Another sync may have made it meanwhile: it is taken if it is of the same Python.
    """
    create(place, interpreter, context.reporter)
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


def _basis(
    context: Context,
    place: Path,
    choice: Choice,
    plan: SyncPlan,
    watched: tuple[Path, ...],
) -> Basis | None:
    """Return what a plan without steps depends on; the rest is in the settings.

    ``watched`` are files whose state counts besides. A lock file without its project
    has none: too many places for one to appear in.
    """
    if not (plan.is_empty and choice.exists):
        return None
    settings = context.settings
    try:
        found = project_basis(settings, project_path(settings), lock_path(settings))
    except ProjectError:
        return None
    directories = choice.interpreter.site_directories
    found = environment_basis(found, place, directories, plan.installed)
    found = replace(found, states=(*found.states, *watched))
    return hardware_basis(found) if choice.checked else found


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
    from polylock.operations.fetch import WheelFetcher  # noqa: PLC0415 - 8 ms

    return WheelFetcher(
        context=context,
        files=wanted.files,
        trees=wanted.trees,
        root=root,
        threads=context.settings.threads,
        builds=lambda: context.builds(interpreter),
    )


def _execute(
    plan: SyncPlan,
    interpreter: Interpreter,
    fetcher: WheelFetcher,
    settings: Settings,
    reporter: Reporter,
) -> Outcome:
    """Carry the plan out; an unpacked copy that proves damaged is made anew once."""
    # 10 ms that a no-op sync does not pay.
    from polylock.installation.execute import execute  # noqa: PLC0415 - see above
    from polylock.installation.link import Linker, LinkMode  # noqa: PLC0415

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
            from polylock.operations.sdists import require_allowed  # noqa: PLC0415 - rare

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
