"""Solve a project for all its targets and assemble the lock file."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from polylock.errors import (
    LockFileOutdated,
    NoSolution,
    ProjectNotFound,
    UsageError,
)
from polylock.explain.failure import solved
from polylock.explain.known_source import KnownSource
from polylock.explain.notes import notes
from polylock.explain.screening import Solved
from polylock.lockfile.assemble import assemble
from polylock.lockfile.pylock import PackageSdist, PackageWheel, Pylock
from polylock.lockfile.record import VARIANT_LISTS, record_inputs, record_target
from polylock.lockfile.select import preferences
from polylock.lockfile.write import pylock_text
from polylock.model.pins import Preference, Resolution
from polylock.model.requirements import Requirement
from polylock.model.source_choice import direct_sources
from polylock.network.local_files import is_local, local_path
from polylock.operations.builds.wiring import IndexContext
from polylock.operations.lock.request import LockRequest
from polylock.operations.workspace import open_workspace, require_lock
from polylock.ports import SilentReporter
from polylock.resolution.align import divergences
from polylock.resolution.solve import Effort, Solution, Solver
from polylock.resolution.versions import public
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from polylock.explain.findings import Note
    from polylock.model.inputs import Inputs
    from polylock.model.target import Target
    from polylock.network.client import Traffic
    from polylock.operations.lock.imported_pins import ImportedPins, ImportReport
    from polylock.operations.workspace import Workspace
    from polylock.ports import PackageSource, Reporter
    from polylock.project.settings import Settings

__all__ = ["LockedNotes", "Resolved", "locked_notes", "resolve"]

logger = logging.getLogger(__name__)

_TORCH_BACKEND = "torch-backend"


class Resolved(Value, frozen=True, kw_only=True):
    """A lock file and its statistics; ``previous_text`` is None if there was none."""

    pylock: Pylock
    text: str
    previous_text: str | None
    efforts: Mapping[str, Effort]
    traffic: Traffic
    imports: tuple[ImportReport, ...] = ()
    notes: tuple[Note, ...] = ()


class LockedNotes(Value, frozen=True, kw_only=True):
    """The notes on a lock file; None if none could be found, for the ``problem``.

    There is a ``problem`` too if some targets have no notes.
    """

    notes: tuple[Note, ...] | None
    problem: str = ""


def locked_notes(settings: Settings, reporter: Reporter) -> LockedNotes:
    """Return the notes on the lock file, by what the indexes say now.

    Each target is solved again for the locked versions, also those that were yanked
    since, at the cost of a warm ``lock``. Nothing is written. Raises ProjectError,
    LockFileInvalid, UsageError, IndexRequestError, CacheUnusable.
    """
    workspace = open_workspace(settings)
    locked = require_lock(workspace.lock_path, settings)
    workspace = workspace.as_locked(locked)
    if locked.polylock is None or workspace.differences(locked):
        problem = "there are no notes on a lock file that is out of date"
        return LockedNotes(notes=None, problem=problem)
    request = LockRequest()
    pins = _preferences(workspace, locked, request, {})
    inputs = workspace.project.inputs
    project = str(workspace.lock_path.absolute())
    with IndexContext(settings, inputs, reporter, project=project) as context:
        source = _known_source(context, workspace, locked, request)
        solver = Solver(
            inputs=inputs,
            source=source,
            reporter=SilentReporter(),  # it would say "resolved", as if to lock
            preferences=pins,
            memory=context.memory,
        )
        try:
            found = [
                _solve_locked(solver, target, pins[target.name])
                for target in workspace.targets
            ]
        except (NoSolution, ProjectNotFound) as error:
            return LockedNotes(
                notes=None,
                problem=f"there are no notes, for what is locked is gone: {error}",
            )
        same = [each for each in found if _is_locked(each, pins[each.target.name])]
        others = ", ".join(each.target.name for each in found if each not in same)
        return LockedNotes(
            notes=_notes(same, solver, source, context),
            problem=others and f"there are no notes on {others}: a new lock differs",
        )


def _solve_locked(
    solver: Solver, target: Target, locked: Mapping[NormalizedName, Preference]
) -> Resolution:
    """Return the solution of a target that has exactly the locked versions."""
    exact = tuple(
        Requirement(name=name, specifier=f"=={preference.version}")
        for name, preference in locked.items()
    )
    again = replace(solver, inputs=replace(solver.inputs, upgrades=exact))
    (resolution,) = solved(again, [target], monotonic).resolutions
    return resolution


def _is_locked(
    resolution: Resolution, locked: Mapping[NormalizedName, Preference]
) -> bool:
    """Return True if a resolution has exactly the locked files."""
    pins = resolution.pins
    return locked.keys() <= pins.keys() and all(
        pin.direct is not None
        or (name in locked and pin.file.filename in locked[name].filenames)
        for name, pin in pins.items()
    )


def _known_source(
    context: IndexContext,
    workspace: Workspace,
    previous: Pylock | None,
    request: LockRequest,
) -> KnownSource:
    """Return the source of a solve, which remembers what the solve read."""
    source = _source(context, workspace, previous, request)
    return KnownSource(source, workspace.project.inputs.sources)


def _notes(
    resolutions: Sequence[Resolution],
    solver: Solver,
    source: KnownSource,
    context: IndexContext,
) -> tuple[Note, ...]:
    """Return the notes on resolutions, from what their solve has read."""
    source.close()
    return notes(
        Solved(
            resolutions,
            solver.inputs,
            source,
            memory=context.memory,
            tables=solver.tables,
        )
    )


def resolve(
    settings: Settings,
    workspace: Workspace,
    previous: Pylock | None,
    request: LockRequest,
    reporter: Reporter,
    imported: ImportedPins | None = None,
) -> Resolved:
    """Resolve the project, keeping the pins of the previous lock file that hold.

    ``imported`` pins rank below those. Writes nothing. Raises NoSolution,
    ProjectNotFound, IndexRequestError, CacheUnusable, ForeignHashDiffers, and
    UsageError for a file on disk without a relative path.
    """
    inputs = workspace.project.inputs
    project = str(workspace.lock_path.absolute())
    with IndexContext(settings, inputs, reporter, project=project) as context:
        kept = _kept(workspace, previous, request, context.source)
        own = _preferences(workspace, previous, request, kept)
        source = _known_source(context, workspace, previous, request)
        solver = Solver(
            inputs=_wanted(workspace, request),
            source=source,
            reporter=reporter,
            preferences=_with_imported(own, imported, workspace.targets),
            memory=context.memory,
        )
        solution = _solution_or_builds(
            solver, [t for t in workspace.targets if t.name not in kept], source
        )
        _log(solution.efforts)
        by_target = {found.target.name: found for found in solution.resolutions} | kept
        resolutions = [
            _hashed(by_target[target.name], context) for target in workspace.targets
        ]
        for warning in _unused_names(request, resolutions):
            reporter.warning(warning)
        imports: tuple[ImportReport, ...] = ()
        if imported is not None:
            solved_now = [each for each in resolutions if each.target.name not in kept]
            imports = imported.report(solved_now, own, solver)
        found_notes = _notes(solution.resolutions, solver, source, context)
        context.remember()
        traffic = context.traffic
    pylock = _assembled(workspace, resolutions, kept, previous)
    return Resolved(
        pylock=pylock,
        text=pylock_text(pylock),
        previous_text=None if previous is None else pylock_text(previous),
        efforts=solution.efforts,
        traffic=traffic,
        imports=imports,
        notes=found_notes,
    )


def _solution_or_builds(
    solver: Solver, targets: Sequence[Target], source: KnownSource
) -> Solution:
    """Return the solution; raises BuildsNeeded if there were one with builds."""
    try:
        return _solution(solver, targets)
    except NoSolution as error:
        if not source.has_unbuilt:
            raise
        # Only for this failure.
        from polylock.operations.lock.needed_builds import needed_builds  # noqa: PLC0415

        needed = needed_builds(solver, targets, error)
        if needed is None:
            raise
        raise needed from error


def _solution(solver: Solver, targets: Sequence[Target]) -> Solution:
    """Return the solution, in which torch is of one backend on each target."""
    solution = solved(solver, targets, monotonic)
    if solver.inputs.torch is None:
        return solution
    # Only with torch-backend.
    from polylock.operations.lock.one_backend import one_backend  # noqa: PLC0415

    wanted = one_backend(solution.resolutions, solver.inputs, solver.source)
    if not wanted:
        return solution
    again = replace(
        solver,
        reporter=SilentReporter(),
        preferences={
            target.name: {
                **solver.preferences.get(target.name, {}),
                **wanted.get(target.name, {}),
            }
            for target in targets
        },
    )
    return solved(again, targets, monotonic)


def _assembled(
    workspace: Workspace,
    resolutions: Sequence[Resolution],
    kept: Mapping[str, Resolution],
    previous: Pylock | None,
) -> Pylock:
    """Return the lock file; raises NoSolution, LockFileOutdated, UsageError.

    ``kept`` are the resolutions of the targets that must stay unchanged.
    """
    inputs = workspace.project.inputs
    if kept and inputs.align == "require":
        _require_agreement(resolutions)
    root = workspace.lock_path.parent
    anchored = [_anchored(found, root) for found in resolutions]
    paths = _paths(anchored, root)
    pylock = assemble(inputs, workspace.targets, anchored, paths=paths)
    if previous is not None:
        targets = [found.target for found in kept.values()]
        _check_kept(previous, pylock, targets, workspace.lock_path)
    return pylock


def _log(efforts: Mapping[str, Effort]) -> None:
    for target, effort in efforts.items():
        if effort.rounds:
            logger.info(
                "%s: %d rounds of resolvelib, %d candidates tried, %d given up",
                target,
                effort.rounds,
                effort.tried,
                effort.rejected,
            )
        else:
            logger.info("%s: no conflict, so no rounds of resolvelib", target)


def _kept(
    workspace: Workspace,
    previous: Pylock | None,
    request: LockRequest,
    source: PackageSource,
) -> dict[str, Resolution]:
    """Return the resolutions of the targets that stay unchanged, by name."""
    if previous is None or not request.targets:
        return {}
    # For `lock --target`.
    from polylock.operations.lock.unchanged_targets import solve_unchanged  # noqa: PLC0415

    return solve_unchanged(
        previous,
        workspace.lock_path,
        targets=[t for t in workspace.targets if t.name not in request.targets],
        inputs=workspace.project.inputs,
        source=source,
    )


def _require_agreement(resolutions: Sequence[Resolution]) -> None:
    """Raise NoSolution if unchanged targets differ from the others (``align``)."""
    for name, versions in divergences(resolutions).items():
        lines = [f"{name} is {v} for {', '.join(ts)}" for v, ts in versions.items()]
        advice = 'align = "require" holds for all targets: lock without --target'
        raise NoSolution(list(versions.values())[-1][0], lines, advice)


def _check_kept(
    previous: Pylock, pylock: Pylock, targets: Sequence[Target], path: Path
) -> None:
    """Raise LockFileOutdated if the files of an unchanged target would change."""
    if not targets:
        return
    # For `lock --target`.
    from polylock.operations.lock.unchanged_targets import installed_files  # noqa: PLC0415

    moved = []
    for target in targets:
        before, after = (
            {
                name: (package.version, file.hashes)
                for name, (package, file) in installed_files(each, target).items()
                if isinstance(file, PackageWheel | PackageSdist)
            }
            for each in (previous, pylock)
        )
        moved += [
            f"target {target.name}: {name} would change"
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        ]
    if moved:
        raise LockFileOutdated(str(path), moved)


def _anchored(resolution: Resolution, root: Path) -> Resolution:
    """Normalize the URL of each file on disk by its path relative to a directory.

    So different spellings of a path are one file.
    """
    pins = {
        name: replace(
            pin,
            file=replace(pin.file, url=(root / _relative(pin.file.url, root)).as_uri()),
        )
        if pin.direct is None and is_local(pin.file.url)
        else pin
        for name, pin in resolution.pins.items()
    }
    return replace(resolution, pins=pins)


def _paths(resolutions: Sequence[Resolution], root: Path) -> Mapping[str, str]:
    """Return the relative paths of the files on disk, by URL.

    Raises UsageError for a file without a relative path.
    """
    urls = {
        pin.file.url
        for resolution in resolutions
        for pin in resolution.pins.values()
        if pin.direct is None and is_local(pin.file.url)
    }
    return {url: _relative(url, root) for url in sorted(urls)}


def _relative(url: str, root: Path) -> str:
    path = local_path(url)
    if path is None:
        raise UsageError(f"{url} is not a path on this machine")
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    try:
        # ``..`` after a link refers to the link's target, so links are resolved first.
        climbing = os.path.relpath(  # noqa: TID251 - pathlib climbs from 3.12 on
            path.resolve(), root.resolve()
        )
    except ValueError as error:  # another drive
        raise UsageError(
            f"there is no relative path from {root} to {path}, and a lock file holds "
            "no absolute one, which would be valid only on this machine",
            "put the index on the drive of the lock file, or serve it over HTTP",
        ) from error
    return Path(climbing).as_posix()


def _source(
    context: IndexContext,
    workspace: Workspace,
    previous: Pylock | None,
    request: LockRequest,
) -> PackageSource:
    """Return the indexes, behind the direct sources if there are any."""
    if not direct_sources(context.inputs):
        return context.source
    # Six modules that few projects need.
    from polylock.operations.lock.direct import DirectReleases, LockedSources  # noqa: PLC0415

    return DirectReleases(
        context=context,
        indexes=context.source,
        project=workspace.project.path.absolute().parent,
        lock=workspace.lock_path.parent,
        kept=LockedSources.of(
            None if request.upgrade else previous, request.upgrade_packages
        ),
    )


def _wanted(workspace: Workspace, request: LockRequest) -> Inputs:
    """Return the inputs of this run, with the versions of ``--upgrade-package``."""
    inputs = workspace.project.inputs
    upgrades = tuple(
        Requirement(name=name, specifier=f"=={version}")
        for name, version in sorted(request.upgrade_packages.items())
        if version is not None
    )
    return replace(inputs, upgrades=upgrades)


def _unused_names(
    request: LockRequest, resolutions: Sequence[Resolution]
) -> Iterator[str]:
    """Yield a warning for each project of an option that no target installs."""
    for name, version in sorted(request.upgrade_packages.items()):
        if not any(name in resolution.pins for resolution in resolutions):
            value = name if version is None else f"{name}=={version}"
            yield (
                f"--upgrade-package {value} has no effect: no target installs {name}"
            )
    for allowed in request.allowed_builds:
        if not any(allowed in resolution.pins for resolution in resolutions):
            yield f"--allow-build {allowed} has no effect: no target installs {allowed}"


def _preferences(
    workspace: Workspace,
    previous: Pylock | None,
    request: LockRequest,
    others: Mapping[str, Resolution],
) -> Mapping[str, Mapping[NormalizedName, Preference]]:
    """Return the pins to keep, by target.

    Only the versions are kept for a target whose description changed, and for all
    targets if the variant settings or ``torch-backend`` changed: another file may be
    the best now. Projects that are new for a target prefer the versions of the
    unchanged ``others``.
    """
    if request.preferences is not None:
        return request.preferences
    if previous is None or previous.polylock is None or request.upgrade:
        return {}
    recorded = {target.name: target for target in previous.polylock.targets}
    before = previous.polylock.inputs
    after = record_inputs(workspace.project.inputs)
    same_settings = (
        before.require_variants == after.require_variants
        and before.settings.get(_TORCH_BACKEND) == after.settings.get(_TORCH_BACKEND)
        and all(before.lists.get(key) == after.lists.get(key) for key in VARIANT_LISTS)
    )
    kept: dict[str, dict[NormalizedName, Preference]] = {}
    common: dict[NormalizedName, Preference] = {}
    if workspace.project.inputs.align != "independent":
        for resolution in others.values():
            for name, pin in resolution.pins.items():
                common.setdefault(name, Preference(version=pin.version))
    for target in workspace.targets:
        found = preferences(previous).get(target.name, {})
        same = recorded.get(target.name) == record_target(target) and same_settings
        torch = workspace.project.inputs.torch
        builds = frozenset[str]() if torch is None else torch.projects | torch.optional
        kept[target.name] = {
            name: preference if same else _without_build(name, preference, builds)
            for name, preference in {**common, **found}.items()
            if name not in request.upgrade_packages
            and name not in request.allowed_builds
        }
    return kept


def _without_build(
    name: str, preference: Preference, builds: frozenset[str]
) -> Preference:
    """Return the version of a preference alone, of torch without its backend."""
    version = preference.version
    return Preference(version=public(version) if name in builds else version)


def _with_imported(
    own: Mapping[str, Mapping[NormalizedName, Preference]],
    imported: ImportedPins | None,
    targets: Sequence[Target],
) -> Mapping[str, Mapping[NormalizedName, Preference]]:
    """Add the pins of other tools' lock files, below those of the lock file."""
    if imported is None:
        return own
    return {
        name: {**pins, **own.get(name, {})}
        for name, pins in imported.preferences(targets).items()
    }


def _hashed(resolution: Resolution, context: IndexContext) -> Resolution:
    """Download and hash every file for which the index has no secure hash.

    A lock file without hashes would not protect anybody.
    """
    pins = {
        name: pin
        if pin.direct is not None
        else replace(pin, file=context.with_hash(pin.file))
        for name, pin in resolution.pins.items()
    }
    return replace(resolution, pins=pins)
