"""Explainers of the pins in a lock file, for ``why`` and ``outdated``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.errors import LockFileOutdated
from polylock.explain.pinned_target import Pinned, PinnedTarget
from polylock.explain.why_not import WhyNot
from polylock.lockfile.pylock import PackageSdist, PackageWheel, Pylock
from polylock.lockfile.record import inputs_of_record
from polylock.model.inputs import Inputs
from polylock.operations.workspace import project_of_lock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from polylock.lockfile.record import LockedInputs
    from polylock.operations.inspect.graph import LockedGraph
    from polylock.operations.inspect.selection import LockedSelection
    from polylock.ports import PackageSource
    from polylock.project.settings import Settings

__all__ = ["locked_explainers", "locked_inputs"]


def locked_explainers(
    graphs: Sequence[LockedGraph],
    selected: Sequence[LockedSelection],
    inputs: Inputs,
    source: PackageSource,
) -> list[WhyNot]:
    """Return an explainer for each target, from its graph and its selection."""
    return [
        WhyNot(_locked_target(selection, graph), inputs=inputs, source=source)
        for graph, selection in zip(graphs, selected, strict=True)
    ]


def locked_inputs(
    settings: Settings, pylock: Pylock, path: Path, recorded: LockedInputs
) -> tuple[Inputs, tuple[str, ...]]:
    """Return the recorded inputs with the project's indexes, and notes on them.

    Without a project file there are no indexes.
    """
    notes: tuple[str, ...] = ()
    try:
        project = project_of_lock(settings, pylock, path, frozen=False)
    except LockFileOutdated:
        project = project_of_lock(settings, pylock, path, frozen=True)
        notes = ("the lock file is out of date: `polylock check` says what differs",)
    if project is None:
        notes = (
            "there is no project file here to name the indexes: no index was asked",
        )
        return Inputs(), notes
    return inputs_of_record(recorded, project.inputs), notes


def _locked_target(selection: LockedSelection, graph: LockedGraph) -> PinnedTarget:
    """Return the locked pins of a target."""
    pins = {}
    for each in selection.selected:
        package, file = each.package, each.file
        filename = ""
        if isinstance(file, PackageWheel | PackageSdist) and package.version:
            filename = file.filename
        pins[package.name] = Pinned(
            version=package.version or "",
            filename=filename,
            extras=None,
            requires=tuple(
                canonicalize_name(name)
                for name in graph.nodes[package.name].dependencies
            ),
        )
    return PinnedTarget(target=selection.target, roots=graph.requirements, pins=pins)
