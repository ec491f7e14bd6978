"""Solve a project for all its targets and put the lock file together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from polylock.lockfile.assemble import assemble
from polylock.lockfile.encode import encode
from polylock.lockfile.records import record_target
from polylock.lockfile.select import preferences
from polylock.model.direct import direct_sources
from polylock.model.pins import Preference
from polylock.model.requirements import Requirement
from polylock.operations.context import Context
from polylock.resolution.solve import Solver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.utils import NormalizedName

    from polylock.lockfile.pylock import Pylock
    from polylock.model.inputs import Inputs
    from polylock.model.pins import Resolution
    from polylock.network.client import Traffic
    from polylock.operations.lock import LockRequest
    from polylock.operations.workspace import Workspace
    from polylock.ports import PackageSource, Reporter
    from polylock.project.settings import Settings
    from polylock.resolution.solve import Effort

__all__ = ["Resolved", "resolve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A lock file and what it cost; ``previous_text`` is None where there was none."""

    pylock: Pylock
    text: str
    previous_text: str | None
    efforts: Mapping[str, Effort]
    traffic: Traffic


def resolve(
    settings: Settings,
    workspace: Workspace,
    previous: Pylock | None,
    request: LockRequest,
    reporter: Reporter,
) -> Resolved:
    """Resolve the project, keeping the pins of the previous lock file that hold.

    Writes nothing. Raises NoSolution, ProjectNotFound, IndexRequestError,
    CacheUnusable.
    """
    inputs = workspace.project.inputs
    with Context(settings, inputs, reporter) as context:
        solver = Solver(
            inputs=_wanted(workspace, request),
            source=_source(context, workspace, previous, request),
            reporter=reporter,
            preferences=_preferences(workspace, previous, request),
        )
        solution = solver.solve(workspace.targets)
        resolutions = [_hashed(found, context) for found in solution.resolutions]
        traffic = context.traffic
    pylock = assemble(inputs, workspace.targets, resolutions)
    return Resolved(
        pylock=pylock,
        text=encode(pylock),
        previous_text=None if previous is None else encode(previous),
        efforts=solution.efforts,
        traffic=traffic,
    )


def _source(
    context: Context,
    workspace: Workspace,
    previous: Pylock | None,
    request: LockRequest,
) -> PackageSource:
    """Return the indexes, with direct sources before them where there are any."""
    if not direct_sources(context.inputs):
        return context.source
    # Half a dozen modules that few projects need.
    from polylock.operations.direct import DirectReleases, Kept  # noqa: PLC0415

    return DirectReleases(
        context=context,
        indexes=context.source,
        project=workspace.project.path.absolute().parent,
        lock=workspace.lock_path.parent,
        kept=Kept.of(None if request.upgrade else previous, request.upgrade_packages),
    )


def _wanted(workspace: Workspace, request: LockRequest) -> Inputs:
    """Return the inputs of this run: a version asked for constrains it alone."""
    inputs = workspace.project.inputs
    asked = tuple(
        Requirement(name=name, specifier=f"=={version}")
        for name, version in sorted(request.upgrade_packages.items())
        if version is not None
    )
    return replace(inputs, constraints=(*inputs.constraints, *asked))


def _preferences(
    workspace: Workspace, previous: Pylock | None, request: LockRequest
) -> Mapping[str, Mapping[NormalizedName, Preference]]:
    """Return the pins to keep, by target.

    Of a target that is described otherwise than it was only the versions are kept:
    its best artifact may be another one now.
    """
    if previous is None or previous.polylock is None or request.upgrade:
        return {}
    recorded = {target.name: target for target in previous.polylock.targets}
    kept: dict[str, dict[NormalizedName, Preference]] = {}
    for target in workspace.targets:
        found = preferences(previous).get(target.name, {})
        same = recorded.get(target.name) == record_target(target)
        kept[target.name] = {
            name: preference if same else Preference(version=preference.version)
            for name, preference in found.items()
            if name not in request.upgrade_packages
        }
    return kept


def _hashed(resolution: Resolution, context: Context) -> Resolution:
    """Give every file that the index left without a secure hash its own.

    Such files are downloaded, for a lock file without a hash protects nobody.
    """
    pins = {
        name: pin
        if pin.direct is not None
        else replace(pin, file=context.with_hash(pin.file))
        for name, pin in resolution.pins.items()
    }
    return replace(resolution, pins=pins)
