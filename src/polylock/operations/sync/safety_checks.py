"""What a sync refuses, or tells beforehand, so that it surprises nobody."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from polylock.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.environment.installed import InstalledDistribution
    from polylock.installation.plan import SyncPlan
    from polylock.operations.sync.choose_target import Choice
    from polylock.ports import Reporter
    from polylock.project.pyproject import ProjectFile

__all__ = ["refuse_own_removal", "tell_forced", "tell_of_first_sync", "tell_remade"]

_OWN_NAME = "polylock"


def refuse_own_removal(place: Path, plan: SyncPlan, choice: Choice) -> None:
    """Raise UsageError where a sync would take away the polylock that carries it out.

    Polylock may well be installed in the environment, and even locked for it: what is
    refused is to remove or replace it, or what it needs, while it runs from there.
    """
    if not _runs_from(place):
        return
    if choice.replaced is not None:
        clause = "which would be made anew with another Python"
    else:
        needed = _needed(plan.installed)
        gone = [e.name for e in (*plan.remove, *plan.reinstall) if e.name in needed]
        if not gone:
            return
        gone.sort(key=lambda name: (name != _OWN_NAME, name))
        clause = f"where {_listed(gone, 3)} would be removed or replaced"
    raise UsageError(
        f"this polylock runs from {place}, {clause}",
        "install polylock in an environment of its own, or name another environment "
        "with --venv",
    )


def tell_remade(place: Path, choice: Choice, reporter: Reporter, *, dry: bool) -> None:
    """Say that the environment is made anew, where it is."""
    if choice.replaced is None:
        return
    verb = "would make" if dry else "making"
    python = choice.interpreter.version
    reporter.noting(
        f"{verb} {place} anew with Python {python}: it has {choice.replaced}"
    )


def tell_forced(target: str, lacks: Sequence[str], reporter: Reporter) -> None:
    """Warn that what is there was forced: this machine lacks something for it."""
    reporter.warning(
        f"target {target} was taken with --force-target, and this machine lacks "
        f"something for it ({'; '.join(lacks)}); --target auto takes another"
    )


def tell_of_first_sync(
    place: Path,
    plan: SyncPlan,
    project: ProjectFile | None,
    reporter: Reporter,
    *,
    created: bool,
) -> None:
    """Say once what a new user may not expect of an environment's first sync.

    What the environment held before and is not locked goes: it is exact. And a project
    without ``[build-system]`` is not installed itself. ``created`` tells that polylock
    made the environment.
    """
    if plan.remove and not created:
        found = [f"{e.name} {e.installed[0].version}" for e in plan.remove]
        reporter.warning(
            f"{place} was not made by polylock: a sync removes from it "
            f"what is not locked: {_listed(found, 12)}"
        )
    if project is not None and not project.has_build_system and _has_code(project):
        reporter.noting(
            f"the project itself is not installed: {project.path.name} has no "
            "[build-system]"
        )


def _listed(found: Sequence[str], limit: int) -> str:
    """Return the first of some words, and how many there are besides."""
    more = f" and {len(found) - limit} more" if len(found) > limit else ""
    return f"{', '.join(found[:limit])}{more}"


def _runs_from(place: Path) -> bool:
    try:
        return place.samefile(sys.prefix)
    except OSError:
        return False


def _needed(installed: Sequence[InstalledDistribution]) -> set[NormalizedName]:
    """Return the names of polylock and all it requires, as far as installed here."""
    present = {found.name: found for found in installed}
    needed: set[NormalizedName] = set()
    pending = [found.name for found in installed if found.name == _OWN_NAME]
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            pending.extend(each for each in _requires(present[name]) if each in present)
    return needed


def _requires(found: InstalledDistribution) -> Iterator[NormalizedName]:
    # Only where polylock runs from the environment that it is to change.
    from importlib.metadata import PathDistribution  # noqa: PLC0415 - see above

    from packaging.requirements import Requirement  # noqa: PLC0415 - see above
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - see above

    for text in PathDistribution(found.path).requires or ():
        if "extra ==" not in text:
            yield canonicalize_name(Requirement(text).name)


def _has_code(project: ProjectFile) -> bool:
    """Return whether there is a package or module that one would want to import."""
    root = project.path.parent
    name = re.sub(r"[-.]+", "_", project.name or "")
    places = [root / name / "__init__.py", root / f"{name}.py"] if name else []
    return (
        any(place.is_file() for place in places)
        or any(root.glob("src/*/__init__.py"))
        or any(root.glob("src/*.py"))
    )
