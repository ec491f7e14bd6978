"""What a lock file answers and to which question, for those who ask why it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from packaging.utils import canonicalize_name

from polylock.errors import LockFileOutdated
from polylock.explain.answer import Answer, Pinned
from polylock.explain.why_not import WhyNot
from polylock.lockfile.pylock import PackageSdist, PackageWheel, Pylock
from polylock.model.inputs import (
    Alignment,
    BuildPolicy,
    Inputs,
    PrereleasePolicy,
    ResolutionMode,
)
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.operations.inspect.graph import LockedGraph, locked_graphs
from polylock.operations.inspect.selection import LockedSelection, selections
from polylock.operations.workspace import answered_project
from polylock.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from polylock.lockfile.record import LockedInputs
    from polylock.ports import PackageSource
    from polylock.project.settings import Settings

__all__ = ["locked_answer", "locked_answers", "locked_inputs"]


def locked_answers(
    settings: Settings,
    pylock: Pylock,
    path: Path,
    groups: Sequence[str],
    extras: Sequence[str],
    asked: tuple[Inputs, PackageSource],
) -> list[WhyNot]:
    """Return who can say of each target why it has what it has."""
    inputs, source = asked
    picked = selections(pylock, path, target=None, groups=groups, extras=extras)
    return [
        WhyNot(locked_answer(selection, graph), inputs=inputs, source=source)
        for graph, selection in zip(locked_graphs(settings), picked, strict=True)
    ]


def locked_inputs(
    settings: Settings, pylock: Pylock, path: Path, recorded: LockedInputs
) -> tuple[Inputs, tuple[str, ...]]:
    """Return the inputs that the lock file answers, with the project's indexes."""
    notes: tuple[str, ...] = ()
    try:
        project = answered_project(settings, pylock, path, frozen=False)
    except LockFileOutdated:
        project = answered_project(settings, pylock, path, frozen=True)
        notes = (
            "the lock file does not answer the project any more: `polylock check`",
        )
    if project is None:
        notes = (
            "there is no project file here to name the indexes: no index was asked",
        )
        return Inputs(), notes
    lists, texts = recorded.lists, recorded.settings
    default = Inputs()
    return replace(
        project.inputs,
        constraints=_requirements(recorded.constraints),
        overrides=_requirements(recorded.overrides),
        exclude_newer=recorded.exclude_newer,
        resolution=cast("ResolutionMode", texts.get("resolution", default.resolution)),
        prerelease=cast(
            "PrereleasePolicy", texts.get("prerelease", default.prerelease)
        ),
        align=cast("Alignment", texts.get("align", default.align)),
        build=cast("BuildPolicy", texts.get("build", default.build)),
        exclude_variants=lists.get("exclude-variants", ()),
        prefer_variants=lists.get("prefer-variants", ()),
        enable_providers=lists.get("enable-providers", ()),
        build_packages=lists.get("build-package", ()),
        no_build_packages=lists.get("no-build-package", ()),
        no_binary_packages=lists.get("no-binary-package", ()),
    ), notes


def _requirements(texts: Sequence[str]) -> tuple[Requirement, ...]:
    def read() -> Iterator[Requirement]:
        for text in texts:
            try:
                yield Requirement.parse(text)
            except InvalidRequirement:
                continue  # a lock file changed by hand: `check` tells

    return tuple(read())


def locked_answer(selection: LockedSelection, graph: LockedGraph) -> Answer:
    """Return what the lock file has for a target, as the solve had it."""
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
    return Answer(target=selection.target, roots=graph.requirements, pins=pins)
