"""``polylock sync``: make an environment exactly what was locked for a target."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
from packaging.utils import NormalizedName, canonicalize_name

from polylock.answer_cache.basis import (
    Basis,
    environment_basis,
    hardware_basis,
    project_basis,
)
from polylock.environment.discovery import environment_python
from polylock.environment.installed import (
    ORIGIN_FILE,
    Form,
    InstalledDistribution,
    read_installed,
)
from polylock.environment.venv import (
    STATE_FILE,
    EnvironmentState,
    open_environment,
    read_state,
    write_state,
)
from polylock.errors import EnvironmentBroken, ProjectError, UsageError
from polylock.installation.plan import (
    PlanEntry,
    SyncPlan,
    SyncRequest,
    plan_sync,
    seeds,
)
from polylock.lockfile.pylock import PackageSdist, Pylock
from polylock.lockfile.select import Selected, select
from polylock.operations.chosen import Chosen, GroupOptions, merged, options_of
from polylock.operations.context import Context
from polylock.operations.sync.choose_target import Choice, Chooser
from polylock.operations.sync.installables import Installables, installables
from polylock.operations.sync.safety_checks import (
    refuse_own_removal,
    report_first_sync,
    report_recreation,
    report_unmet_pin,
    report_unused_hardware,
    warn_of_forced_target,
)
from polylock.operations.workspace import (
    environment_path,
    lock_path,
    own_environments,
    place_of_environment,
    project_of_lock,
    project_path,
    read_files,
    recorded_policy,
    refuse_untrusted_sources,
    require_lock,
)
from polylock.providers.machine import this_host
from polylock.toml_tables import suggestion
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence
    from pathlib import Path

    from polylock.answer_cache.basis import Written
    from polylock.model.inputs import Inputs
    from polylock.ports import Reporter
    from polylock.project.pyproject import ProjectFile
    from polylock.project.settings import Settings

__all__ = ["SyncOptions", "SyncOutcome", "sync"]


class SyncOptions(Value, frozen=True, kw_only=True):
    """The options of a sync beyond the settings.

    ``frozen`` installs an outdated lock file. ``force_target`` skips the check of the
    hardware. ``forget`` ignores the choices that the environment remembers. ``adding``
    adds the given groups and extras to them. ``dry_run`` changes nothing. ``hashes``
    compares every installed file with RECORD. ``search_path`` is the PATH for finding a
    Python, ``managed`` gives further places.
    """

    frozen: bool = False
    force_target: bool = False
    forget: bool = False
    adding: bool = False
    dry_run: bool = False
    reinstall: bool = False
    hashes: bool = False
    search_path: str = ""
    managed: Callable[[], str] | None = None


class SyncOutcome(Value, frozen=True, kw_only=True):
    """The environment, its target, and the changes that were or would be made.

    ``groups`` and ``extras`` are the chosen ones, given now or earlier. ``replaced`` is
    the Python version of an environment that was or would be recreated. ``basis`` are
    the files that must be unchanged for this answer to be reused; None if there was
    something to do, if a source tree may have changed, and for a dry run.
    ``following`` is the outcome that the same sync has now, if there was something to
    do and that is known.
    """

    environment: Path
    target: str
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    replaced: str | None = None
    plan: SyncPlan
    link_modes: tuple[str, ...] = ()
    basis: Basis | None = None
    following: SyncOutcome | None = None

    @property
    def repeated(self) -> SyncOutcome:
        """Return the outcome that the same sync has now, as far as it is known."""
        return self.following or self

    @property
    def up_to_date(self) -> bool:
        """Return True if there was nothing to do."""
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
    """Install, replace and remove packages until the environment matches the lock.

    Never resolves. Everything is fetched and verified before the first change. If the
    environment is up to date, it is not changed and no HTTP client is imported.

    Raises LockFileOutdated unless frozen, TargetMismatch unless forced, UsageError if
    polylock would remove itself, and the errors of reading the lock file, fetching and
    installing.
    """
    found = _sync(settings, options, reporter)
    if isinstance(found, SyncOutcome):
        return found
    found = _sync(replace(settings, target=found), options, reporter)
    assert isinstance(found, SyncOutcome)
    # The next sync without a target finds the environment, or has to choose again.
    return replace(found, basis=None, following=None)


def _sync(
    settings: Settings, options: SyncOptions, reporter: Reporter
) -> SyncOutcome | str:
    """Return the outcome, or the chosen target if it has an environment elsewhere."""
    path = lock_path(settings)
    pylock = require_lock(path, settings)
    project = project_of_lock(settings, pylock, path, frozen=options.frozen)
    if not options.frozen:
        refuse_untrusted_sources(settings, pylock, path, project)
    inputs = project.inputs if project else recorded_policy(pylock)
    place = environment_path(settings, project)
    state = read_state(place)
    moved_from = state.moved_from(place)
    if options.forget:
        state = EnvironmentState(created=state.created, path=state.path)
    group_options = _options(state, settings, pylock, adding=options.adding)
    chosen = group_options.chosen(pylock)
    with Context(settings, inputs, reporter) as context:
        chooser = Chooser(
            pylock=pylock,
            place=place,
            chosen=chosen,
            created=state.created,
            moved=moved_from is not None,
            python=settings.python,
            search_path=options.search_path,
            managed=options.managed,
            store=context.store,
            version_file=path.with_name(".python-version"),
            meanwhile=_import_apply,
        )
        choice = chooser.choose(
            settings.target, remembered=state.target, forced=options.force_target
        )
        named = replace(settings, target=choice.target.name)
        if environment_path(named, project) != place:
            return choice.target.name
        lacks = _lacks(chooser, choice, state, options)
        remembered = replace(
            _state_after(state, choice, group_options, forced=bool(lacks)),
            path=state.path if state.path and moved_from is None else str(place),
        )
        selected = _selected(pylock, choice, chosen, settings, path)
        wanted, watched = _with_own_project(
            installables(selected, context, path.parent),
            None if chosen.alone else project,  # no group requires the project itself
            context,
        )
        watched = _with_project_files(watched, project, settings, place)
        if moved_from is not None:
            options = replace(options, reinstall=True)
        plan = _plan(wanted, choice, options, created=state.created)
        outcome = SyncOutcome(
            environment=place,
            target=choice.target.name,
            groups=chosen.groups,
            extras=chosen.extras,
            replaced=choice.replaced,
            plan=plan,
            basis=None
            if watched is None or options.forget or options.dry_run
            else _basis(context, place, choice, plan, watched),
        )
        refuse_own_removal(place, plan, choice)
        report_recreation(
            place, choice, reporter, moved_from=moved_from, dry=options.dry_run
        )
        report_unmet_pin(chooser.unmet_pin(choice), choice, reporter)
        _report_hardware(choice, state, () if options.force_target else lacks, reporter)
        if state.target is None:
            own = None if settings.no_install_project else project
            report_first_sync(place, plan, own, reporter, created=state.created)
        # A sync that was killed after the installation has not written its state: then
        # the state must be written although the plan is empty.
        settled = plan.is_empty and choice.exists and remembered == state
        if options.dry_run or settled:
            return outcome
        if not (plan.is_empty and choice.exists):
            if not (choice.checked or options.force_target):
                chooser.check(choice)
            hashes = options.hashes or options.reinstall
            outcome = _apply(outcome, choice, wanted, context, hashes=hashes)
        written = _remember(place, remembered)
        is_repeatable = not (options.forget or options.hashes or options.reinstall)
        following = _following(
            context, outcome, choice, written, watched if is_repeatable else None
        )
    return replace(outcome, following=following)


def _import_apply() -> object:
    """Import what changes an environment: one that is not known yet is mostly new."""
    return import_module("polylock.operations.sync.apply")


def _report_hardware(
    choice: Choice,
    state: EnvironmentState,
    lacks: Sequence[str],
    reporter: Reporter,
) -> None:
    """Report what the machine has beyond a new target, and what it ``lacks``."""
    if choice.beyond and state.target != choice.target.name:
        report_unused_hardware(choice, reporter)
    if lacks:
        warn_of_forced_target(choice.target.name, lacks, reporter)


def _apply(
    outcome: SyncOutcome,
    choice: Choice,
    wanted: Installables,
    context: Context,
    *,
    hashes: bool,
) -> SyncOutcome:
    """Execute the plan of an outcome; return the outcome with what was done."""
    # 20 ms that a no-op sync does not pay.
    from polylock.operations.sync.apply import apply  # noqa: PLC0415 - see above

    plan = outcome.plan
    _require_allowed_builds(plan, wanted, context.inputs)
    done = apply(plan, outcome.environment, choice, wanted, context, hashes=hashes)
    return replace(outcome, plan=done.plan, link_modes=done.link_modes)


def _selected(
    pylock: Pylock, choice: Choice, chosen: Chosen, settings: Settings, path: Path
) -> tuple[Selected, ...]:
    """Return the packages to install; raises UsageError for an unknown exclusion."""
    out = {canonicalize_name(name): name for name in settings.no_install_packages}
    known = {package.name for package in pylock.packages}
    for normalized, name in out.items():
        if normalized not in known:
            raise UsageError(
                f"--no-install-package: {name} is not locked",
                suggestion(normalized, sorted(known)),
            )
    selected = select(
        pylock,
        choice.target,
        path=str(path),
        environment=choice.environment,
        **chosen.options,
    )
    return tuple(each for each in selected if each.package.name not in out)


def _lacks(
    chooser: Chooser, choice: Choice, state: EnvironmentState, options: SyncOptions
) -> tuple[str, ...]:
    """Return the properties that this machine lacks for a forced target."""
    remembered = state.forced and state.target == choice.target.name
    if options.force_target or (remembered and not choice.checked):
        return chooser.lacks(choice)
    return ()


def _options(
    state: EnvironmentState, settings: Settings, pylock: Pylock, *, adding: bool
) -> GroupOptions:
    """Return the options for groups and extras: given now, or remembered."""
    return merged(options_of(settings), options_of(state), pylock, adding=adding)


def _state_after(
    state: EnvironmentState, choice: Choice, options: GroupOptions, *, forced: bool
) -> EnvironmentState:
    """Return the new state of the environment."""
    return EnvironmentState(
        created=state.created or not choice.exists,
        target=choice.target.name,
        forced=forced,
        **msgspec.structs.asdict(options),
    )


def _with_own_project(
    wanted: Installables, project: ProjectFile | None, context: Context
) -> tuple[Installables, tuple[Path, ...] | None]:
    """Add the project itself, if it is to be installed.

    The second value are the files that show a change of the source trees, None if a few
    files cannot show it.
    """
    if (
        project is None
        or not project.has_build_system
        or context.settings.no_install_project
    ):
        if project is not None and project.is_dynamic:
            wanted = wanted.without(project.name)  # locked for its requirements
        return wanted, None if _changing(wanted) else ()
    # 10 ms that a project without a build system does not pay.
    from polylock.operations.sync.own_project import (  # noqa: PLC0415 - see above
        build_files,
        with_own_project,
    )

    wanted = with_own_project(wanted, project, context)
    others = _changing(wanted) - {project.name}
    if others or context.settings.no_editable:  # any file may matter
        return wanted, None
    return wanted, build_files(project)


def _changing(wanted: Installables) -> set[NormalizedName]:
    """Return the source trees that may change without the lock file."""
    return {name for name, tree in wanted.trees.items() if not tree.is_fixed}


def _with_project_files(
    watched: tuple[Path, ...] | None,
    project: ProjectFile | None,
    settings: Settings,
    place: Path,
) -> tuple[Path, ...] | None:
    """Add the files that decide what is locked, and which environment it is."""
    further: tuple[tuple[Path, ...], ...] | None = ()
    if project is not None:
        further = read_files(project)
    if watched is None or further is None:
        return None
    others = _other_places(settings, project, place)
    return (*watched, *(path for each in further for path in each), *others)


def _other_places(
    settings: Settings, project: ProjectFile | None, place: Path
) -> Iterator[Path]:
    """Yield the files that would name another environment than ``place``."""
    named = place_of_environment(settings, project)
    if named != place:  # a file that names the environment
        yield named
    own = {} if project is None else own_environments(project)
    if own and settings.target is None:
        usual = place_of_environment(settings)
        for each in sorted({usual, *own.values()} - {place}):
            yield each / "pyvenv.cfg"


def _remember(place: Path, state: EnvironmentState) -> EnvironmentState:
    """Write the state; ``created`` stays true if another process has set it."""
    created = state.created or read_state(place).created
    state = replace(state, created=created)
    write_state(place, state)
    return state


def _following(
    context: Context,
    outcome: SyncOutcome,
    choice: Choice,
    state: EnvironmentState,
    watched: tuple[Path, ...] | None,
) -> SyncOutcome | None:
    """Return the outcome that the same sync would have now, None if that is not known.

    ``state`` is the environment's, as it was written. The environment is examined as
    by the next sync, without reading again the distributions that were kept: their
    files are in the basis, unchanged since this sync began.
    """
    if watched is None:
        return None
    from polylock.answer_cache.remember import as_written  # noqa: PLC0415 - not for a no-op

    place, done = outcome.environment, outcome.plan
    kept = {str(one.path): one for entry in done.keep for one in entry.installed}
    try:
        interpreter = open_environment(place, store=context.store)
        directories = interpreter.site_directories
        made = not choice.exists
        is_direct = any(one.direct_url is not None for one in done.request.wanted)
        paths = _written(place, directories, kept, made=made, is_direct=is_direct)
        written = as_written(paths)
        if made and open_environment(place, store=context.store) != interpreter:
            return None
    except (OSError, EnvironmentBroken):
        return None  # changed by another program
    request = replace(
        done.request,
        reinstall_all=False,
        retained=seeds(interpreter.release, created=state.created),
    )
    plan = plan_sync(request, read_installed(directories, kept))
    if not plan.is_empty or read_state(place) != state:
        return None
    choice = replace(choice, interpreter=interpreter, exists=True)
    return replace(
        outcome,
        replaced=None,
        plan=plan,
        link_modes=(),
        basis=_basis(context, place, choice, plan, watched, written),
    )


def _written(
    place: Path,
    directories: Sequence[Path],
    kept: Container[str],
    *,
    made: bool,
    is_direct: bool,
) -> Iterator[str]:
    """Yield the paths that this sync may have changed and that the next one reads.

    ``made`` means that the environment itself was created, ``is_direct`` that something
    from a direct reference is installed. Raises OSError.
    """
    yield str(place / STATE_FILE)
    if made:
        yield from (str(place / "pyvenv.cfg"), str(environment_python(place)))
    seen: set[str] = set()
    for directory in directories:
        yield str(directory)
        real = str(directory.resolve())
        if real in seen or not directory.exists():  # lib64 may be a link to lib
            continue
        seen.add(real)
        for name in os.listdir(directory):  # noqa: PTH208 - hundreds of them
            path = f"{directory}{os.sep}{name}"
            if path.endswith(".dist-info") and path not in kept:
                yield path
                yield f"{path}{os.sep}{ORIGIN_FILE}"
                if is_direct:
                    yield f"{path}{os.sep}direct_url.json"


def _basis(
    context: Context,
    place: Path,
    choice: Choice,
    plan: SyncPlan,
    watched: tuple[Path, ...],
    written: Written | None = None,
) -> Basis | None:
    """Return the files on which an empty plan depends, else None.

    ``watched`` are further files, ``written`` those that this sync wrote. A lock file
    without its project has no basis: a project file could appear in too many places.
    """
    if not (plan.is_empty and choice.exists):
        return None
    settings = context.settings
    try:
        found = project_basis(settings, project_path(settings), lock_path(settings))
    except ProjectError:
        return None
    assert found is not None
    directories = choice.interpreter.site_directories
    found = environment_basis(
        found, place, directories, plan.installed, written=written
    )
    found = replace(found, states=(*found.states, *map(str, watched)))
    return hardware_basis(found, this_host().root) if choice.checked else found


def _plan(
    wanted: Installables, choice: Choice, options: SyncOptions, *, created: bool
) -> SyncPlan:
    """Return the plan for the environment as it is."""
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
    if not options.dry_run and not _may_build(wanted):
        return plan  # ``execute`` extends it, and looks at the new files too
    # 5 ms that a sync which only adds does not pay.
    from polylock.installation.owners import linked_again  # noqa: PLC0415 - see above

    return linked_again(plan)[0]


def _may_build(wanted: Installables) -> bool:
    """Return True if a package may have to be built before it is linked again."""
    return bool(wanted.trees) or any(
        isinstance(file, PackageSdist) for file in wanted.files.values()
    )


def _changed(
    installed: Iterable[InstalledDistribution],
) -> frozenset[NormalizedName]:
    """Return the distributions with a file that differs from RECORD."""
    # Imported only for --hashes.
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
    """Raise BuildForbidden before any change; installed packages may stay."""
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
