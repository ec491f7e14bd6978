"""``polylock sync``: make an environment exactly what was locked for a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from polylock.answer_cache.basis import (
    Basis,
    environment_basis,
    hardware_basis,
    project_basis,
)
from polylock.environment.installed import Form, InstalledDistribution, read_installed
from polylock.environment.venv import (
    EnvironmentState,
    read_state,
    write_state,
)
from polylock.errors import ProjectError
from polylock.installation.plan import (
    PlanEntry,
    SyncPlan,
    SyncRequest,
    plan_sync,
    seeds,
)
from polylock.lockfile.pylock import PackageSdist, Pylock
from polylock.lockfile.select import select, selectable_groups
from polylock.operations.context import Context
from polylock.operations.sync.choose_target import Choice, Chooser
from polylock.operations.sync.installables import Installables, installables
from polylock.operations.sync.safety_checks import (
    refuse_own_removal,
    tell_forced,
    tell_of_first_sync,
    tell_remade,
)
from polylock.operations.workspace import (
    answered_project,
    lock_path,
    project_path,
    recorded_policy,
    refuse_unvouched,
    require_lock,
)
from polylock.providers.machine import this_host
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.model.inputs import Inputs
    from polylock.ports import Reporter
    from polylock.project.pyproject import ProjectFile
    from polylock.project.settings import Settings

__all__ = ["SyncOptions", "SyncOutcome", "sync"]


class SyncOptions(Value, frozen=True, kw_only=True):
    """What a call of sync asks for beyond the settings.

    ``frozen`` installs a lock file that no longer answers the project.
    ``force_target`` skips the check of the hardware. ``forget`` drops what the
    environment remembers of earlier calls. ``dry_run`` changes nothing. ``hashes``
    reads every installed file and compares it with RECORD. ``search_path`` is where
    Pythons are looked for.
    """

    frozen: bool = False
    force_target: bool = False
    forget: bool = False
    dry_run: bool = False
    reinstall: bool = False
    hashes: bool = False
    search_path: str = ""


class SyncOutcome(Value, frozen=True, kw_only=True):
    """The environment, the target it was synced for, and what was or would be done.

    ``groups`` and ``extras`` are those asked for, now or earlier. ``replaced`` is the
    version of the Python of an environment that was or would be made anew. ``basis`` is
    what it depends on that nothing was to be done; None where something was, where a
    source tree may have changed, and where less was asked for.
    """

    environment: Path
    target: str
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    replaced: str | None = None
    plan: SyncPlan
    link_modes: tuple[str, ...] = ()
    basis: Basis | None = None

    @property
    def up_to_date(self) -> bool:
        """Return whether nothing was to be done."""
        return self.plan.is_empty and self.replaced is None

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``sync --json`` (schemas/sync.schema.json)."""
        return {
            "environment": str(self.environment),
            "target": self.target,
            "groups": list(self.groups),
            "extras": list(self.extras),
            "replaced-python": self.replaced,
            "up-to-date": self.up_to_date,
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

    Raises LockFileOutdated unless frozen, TargetMismatch unless forced, UsageError
    where polylock would remove itself, and what reading the lock file, fetching and
    installing raise.
    """
    path = lock_path(settings)
    pylock = require_lock(path, settings)
    project = answered_project(settings, pylock, path, frozen=options.frozen)
    if not options.frozen:
        refuse_unvouched(settings, pylock, path, project)
    inputs = project.inputs if project else recorded_policy(pylock)
    place = (settings.venv or path.with_name(".venv")).absolute()
    state = read_state(place)
    if options.forget:
        state = EnvironmentState(created=state.created)
    with Context(settings, inputs, reporter) as context:
        chooser = Chooser(
            pylock=pylock,
            place=place,
            created=state.created,
            python=settings.python,
            search_path=options.search_path,
            store=context.store,
        )
        choice = chooser.choose(
            settings.target, remembered=state.target, forced=options.force_target
        )
        lacks = _lacks(chooser, choice, state, options)
        remembered = _state_after(state, choice, settings, pylock)
        remembered = msgspec.structs.replace(remembered, forced=bool(lacks))
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
        plan = _plan(wanted, choice, options, created=state.created)
        outcome = SyncOutcome(
            environment=place,
            target=choice.target.name,
            groups=remembered.groups,
            extras=remembered.extras,
            replaced=choice.replaced,
            plan=plan,
            basis=None
            if watched is None or options.forget or options.dry_run
            else _basis(context, place, choice, plan, watched),
        )
        refuse_own_removal(place, plan, choice)
        tell_remade(place, choice, reporter, dry=options.dry_run)
        if lacks and not options.force_target:
            tell_forced(choice.target.name, lacks, reporter)
        if state.target is None:
            own = None if settings.no_install_project else project
            tell_of_first_sync(place, plan, own, reporter, created=state.created)
        # A sync that was killed at its very end has installed all and remembered
        # nothing: then there is something to do although the plan is empty.
        settled = plan.is_empty and choice.exists and remembered == state
        if options.dry_run or settled:
            return outcome
        if not (plan.is_empty and choice.exists):
            if not (choice.checked or options.force_target):
                chooser.check(choice)
            _require_allowed_builds(plan, wanted, inputs)
            # 20 ms that a no-op sync does not pay.
            from polylock.operations.sync.apply import apply  # noqa: PLC0415

            done = apply(
                plan,
                place,
                choice,
                wanted,
                context,
                hashes=options.hashes or options.reinstall,
            )
            outcome = replace(outcome, plan=done.plan, link_modes=done.link_modes)
    _remember(place, remembered)
    return outcome


def _lacks(
    chooser: Chooser, choice: Choice, state: EnvironmentState, options: SyncOptions
) -> tuple[str, ...]:
    """Return what this machine lacks for a target that is forced, now or earlier."""
    remembered = state.forced and state.target == choice.target.name
    if options.force_target or (remembered and not choice.checked):
        return chooser.lacks(choice)
    return ()


def _state_after(
    state: EnvironmentState, choice: Choice, settings: Settings, pylock: Pylock
) -> EnvironmentState:
    """Return what the environment is to remember: what is asked for, else as before.

    What the project no longer has is forgotten.
    """
    groups, extras = selectable_groups(pylock), pylock.extras or ()
    return EnvironmentState(
        created=state.created or not choice.exists,
        target=choice.target.name,
        groups=tuple(settings.groups)
        or tuple(name for name in state.groups if name in groups),
        extras=tuple(settings.extras)
        or tuple(name for name in state.extras if name in extras),
    )


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
    from polylock.operations.sync.own_project import (  # noqa: PLC0415 - see above
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
    return hardware_basis(found, this_host().root) if choice.checked else found


def _plan(
    wanted: Installables, choice: Choice, options: SyncOptions, *, created: bool
) -> SyncPlan:
    """Return what differs from the environment."""
    present = choice.interpreter.site_directories if choice.exists else ()
    installed = read_installed(present)
    request = SyncRequest(
        wanted=wanted.wanted,
        reinstall_all=options.reinstall,
        changed=_changed(installed) if options.hashes else frozenset(),
        retained=seeds(choice.interpreter.release, created=created),
    )
    plan = plan_sync(request, installed)
    if not (plan.remove or plan.reinstall):
        return plan
    # 5 ms that a sync which only adds does not pay.
    from polylock.installation.owners import linked_again  # noqa: PLC0415 - see above

    return linked_again(plan)


def _changed(
    installed: Iterable[InstalledDistribution],
) -> frozenset[NormalizedName]:
    """Return the distributions of which a file is not what RECORD says."""
    # Only where every file is read.
    from polylock.installation.hash_check import changed_in_environment  # noqa: PLC0415

    return frozenset(
        one.name
        for one in installed
        if one.form is Form.DIST_INFO
        and next(changed_in_environment(one), None) is not None
    )


def _require_allowed_builds(
    plan: SyncPlan, wanted: Installables, inputs: Inputs
) -> None:
    """Raise BuildForbidden before anything is made; what is installed may stay."""
    for entry in (*plan.install, *plan.reinstall):
        is_built = entry.name in wanted.trees or isinstance(
            wanted.files.get(entry.name), PackageSdist
        )
        if entry.wanted is not None and is_built:
            from polylock.build.policy import require_allowed  # noqa: PLC0415 - rare

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
