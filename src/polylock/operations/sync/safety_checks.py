"""Errors, warnings and notes of a sync about changes that a user may not expect."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, assert_never

from polylock.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.environment.installed import InstalledDistribution
    from polylock.installation.plan import SyncPlan
    from polylock.operations.sync.choose_target import Choice, UnmetPin
    from polylock.ports import Reporter
    from polylock.project.pyproject import ProjectFile

__all__ = [
    "refuse_own_removal",
    "report_first_sync",
    "report_recreation",
    "report_unmet_pin",
    "report_unused_hardware",
    "warn_of_forced_target",
]

_OWN_NAME = "polylock"


def refuse_own_removal(place: Path, plan: SyncPlan, choice: Choice) -> None:
    """Raise UsageError if a sync would remove the polylock that runs it.

    polylock may be installed in the environment and even locked for it. Removing or
    replacing it, or one of its dependencies, while it runs from there is refused.
    """
    if not _runs_from(place):
        return
    if choice.replaced is not None:
        clause = "which would be recreated"
    else:
        needed = _needed(plan.installed)
        gone = [e.name for e in (*plan.remove, *plan.reinstall) if e.name in needed]
        if not gone:
            return
        gone.sort(key=lambda name: (name != _OWN_NAME, name))
        clause = f"where {_listed(gone, 3)} would be removed or replaced"
    raise UsageError(
        f"this polylock runs from {place}, {clause}",
        "install polylock in its own environment, or name another environment with "
        "--venv",
    )


def report_recreation(
    place: Path,
    choice: Choice,
    reporter: Reporter,
    *,
    moved_from: str | None,
    dry: bool,
) -> None:
    """Report that the environment is recreated, or its scripts are, if so."""
    python = choice.interpreter.version
    verb = "would recreate" if dry else "recreating"
    if choice.replaced is None:
        if moved_from is not None and choice.exists:
            verb = "would reinstall" if dry else "reinstalling"
            reporter.noting(
                f"{verb} the packages of {place}: it was moved or copied from "
                f"{moved_from}"
            )
        return
    match choice.cause:
        case "moved":
            words = f"{verb} {place}: it was moved or copied from {moved_from}"
        case "gone":
            words = f"{verb} {place}: its Python {choice.replaced} does not work"
        case "python":
            words = f"{verb} {place} with Python {python} (was {choice.replaced})"
        case _:
            assert_never(choice.cause)
    reporter.noting(words)


def report_unmet_pin(pin: UnmetPin | None, choice: Choice, reporter: Reporter) -> None:
    """Report that a new environment has another Python than ``.python-version``."""
    if pin is None:
        return
    why = "which was not found"
    if pin.allowed:
        owner = f"target {pin.target}" if pin.target else "the lock file"
        why = f"and {owner} is for Python {' or '.join(pin.allowed)}"
    reporter.noting(
        f".python-version asks for Python {pin.version}, {why}: "
        f"using Python {choice.interpreter.version}"
    )


def report_unused_hardware(choice: Choice, reporter: Reporter) -> None:
    """Report what the target describes that this machine lacks and nothing needs."""
    reporter.noting(
        f"target {choice.target.name} describes more than this machine has; nothing "
        f"that is locked needs it: {_listed(choice.beyond, 3)}"
    )


def warn_of_forced_target(
    target: str, lacks: Sequence[str], reporter: Reporter
) -> None:
    """Warn that an earlier --force-target chose a target that does not fit."""
    reporter.warning(
        f"target {target} was chosen with --force-target, and this machine does not "
        f"satisfy it ({'; '.join(lacks)}); use --target auto to choose another"
    )


def report_first_sync(
    place: Path,
    plan: SyncPlan,
    project: ProjectFile | None,
    reporter: Reporter,
    *,
    created: bool,
) -> None:
    """Report removals, and a project that is not installed, on the first sync.

    A sync is exact: it removes packages that are not locked. A project without
    ``[build-system]`` is not installed itself. ``created`` means that polylock created
    the environment.
    """
    if plan.remove and not created:
        found = [f"{e.name} {e.installed[0].version}" for e in plan.remove]
        reporter.warning(
            f"{place} was not created by polylock: the sync removes packages that are "
            f"not locked: {_listed(found, 12)}"
        )
    if project is not None and not project.has_build_system and _has_code(project):
        reporter.noting(
            f"the project itself is not installed: {project.path.name} has no "
            "[build-system]"
        )


def _listed(found: Sequence[str], limit: int) -> str:
    """Return the first names, and the number of the others."""
    more = f" and {len(found) - limit} more" if len(found) > limit else ""
    return f"{', '.join(found[:limit])}{more}"


def _runs_from(place: Path) -> bool:
    try:
        return place.samefile(sys.prefix)
    except OSError:
        return False


def _needed(installed: Sequence[InstalledDistribution]) -> set[NormalizedName]:
    """Return the installed ones of polylock and its dependencies."""
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
    # Only if polylock runs from the environment to be changed.
    from importlib.metadata import PathDistribution  # noqa: PLC0415 - see above

    from packaging.requirements import Requirement  # noqa: PLC0415 - see above
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - see above

    for text in PathDistribution(found.path).requires or ():
        if "extra ==" not in text:
            yield canonicalize_name(Requirement(text).name)


def _has_code(project: ProjectFile) -> bool:
    """Return True if the project has an importable package or module."""
    root = project.path.parent
    name = re.sub(r"[-.]+", "_", project.name or "")
    places = [root / name / "__init__.py", root / f"{name}.py"] if name else []
    return (
        any(place.is_file() for place in places)
        or any(root.glob("src/*/__init__.py"))
        or any(root.glob("src/*.py"))
    )
