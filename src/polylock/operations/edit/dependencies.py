"""``polylock add`` and ``polylock remove``: edit requirements, then lock and sync."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from packaging.utils import canonicalize_name
from packaging.version import Version

from polylock.cache.regular_files import read_regular
from polylock.environment.venv import is_environment, read_state
from polylock.errors import LockFileInvalid, UsageError
from polylock.foreign.requirements_file import read_requirement_lines
from polylock.lockfile.changes import installed
from polylock.model.requirements import Requirement
from polylock.operations.edit.project_file import read_text
from polylock.operations.files import write_atomically
from polylock.operations.lock.lock import lock
from polylock.operations.lock.request import LockRequest
from polylock.operations.sync.sync import SyncOptions, sync
from polylock.operations.workspace import environment_path, project_path
from polylock.project.edit import (
    add_dependency,
    add_index_sources,
    remove_dependency,
)
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from polylock.lockfile.pylock import Pylock
    from polylock.operations.lock.lock import LockOutcome
    from polylock.operations.sync.sync import SyncOutcome
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = [
    "BOUNDS",
    "AfterEdit",
    "Bounds",
    "DependencyEdit",
    "Place",
    "add",
    "read_requirements_of",
    "remove",
    "then_lock",
]

Bounds = Literal["lower", "major", "minor", "exact"]
BOUNDS: tuple[Bounds, ...] = ("lower", "major", "minor", "exact")
"""The limits that a requirement without a version can get, as in uv."""


class Place(Value, frozen=True, kw_only=True):
    """One list of requirements; with all None the project's own dependencies."""

    group: str | None = None
    extra: str | None = None
    target: str | None = None

    def __str__(self) -> str:
        for kind, name in (
            ("group", self.group),
            ("extra", self.extra),
            ("target", self.target),
        ):
            if name is not None:
                return f"{kind} {name}"
        return "dependencies"


class AfterEdit(Value, frozen=True, kw_only=True):
    """The steps after an edit; ``bounds`` limits new requirements without a version."""

    locks: bool = True
    syncs: bool = True
    bounds: Bounds | None = None
    sync_options: SyncOptions = SyncOptions()


class DependencyEdit(Value, frozen=True, kw_only=True):
    """The result of an edit; ``changed`` is false if the items were already listed.

    ``before`` is the text of the file before it. ``locked`` and ``synced`` are None if
    that step was left out.
    """

    path: Path
    place: Place
    items: tuple[str, ...]
    changed: bool
    before: str = ""
    locked: LockOutcome | None = None
    synced: SyncOutcome | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``add --json`` and ``remove --json``."""
        return {
            "path": str(self.path),
            "place": str(self.place),
            "items": list(self.items),
            "changed": self.changed,
            "locked": self.locked is not None,
            "synced": self.synced is not None,
        }


def add(
    settings: Settings,
    requirements: Sequence[str],
    place: Place,
    *,
    index: str | None = None,
) -> DependencyEdit:
    """Add requirements to one list of the project file and keep its comments.

    ``index`` becomes their source. Raises ProjectError, and UsageError for text that is
    not a requirement.
    """

    def change(text: str, items: Sequence[str], **where: Any) -> str:  # noqa: ANN401 - of add_dependency
        edited = add_dependency(text, items, **where)
        if index is None:
            return edited
        names = [Requirement.parse(item).name for item in items]
        return add_index_sources(edited, names, index, path=where["path"])

    return _edit(settings, requirements, place, change)


def remove(settings: Settings, names: Sequence[str], place: Place) -> DependencyEdit:
    """Remove requirements from one list of the project file and keep its comments.

    Raises ProjectError, also if a project is not required there.
    """
    return _edit(settings, names, place, remove_dependency)


def then_lock(
    settings: Settings, edit: DependencyEdit, after: AfterEdit, reporter: Reporter
) -> DependencyEdit:
    """Lock an edited project, and sync an environment that polylock made.

    If locking fails, the project file is as before the edit. Raises what ``lock`` and
    ``sync`` raise.
    """
    if not (edit.changed and after.locks):
        return edit
    try:
        if after.bounds is not None:
            trial = lock(settings, LockRequest(dry_run=True), reporter)
            edit = _with_bounds(edit, trial.pylock, after.bounds)
        outcome = lock(settings, LockRequest(), reporter)
    except BaseException:
        write_atomically(edit.path, edit.before)
        raise
    edit = replace(edit, locked=outcome)
    if after.syncs and _has_environment(settings):
        edit = replace(edit, synced=sync(settings, after.sync_options, reporter))
    return edit


def _has_environment(settings: Settings) -> bool:
    """Return True if there is an environment that polylock made and synced."""
    path = environment_path(settings)
    if not is_environment(path):
        return False
    state = read_state(path)
    return state.created and state.target is not None


def _with_bounds(
    edit: DependencyEdit, pylock: Pylock, bounds: Bounds
) -> DependencyEdit:
    """Write limits for the requirements without a version, from what is locked."""
    versions = _lowest(pylock, str(edit.path))

    def added(text: str, items: Sequence[str]) -> str:
        return add_dependency(
            text,
            items,
            group=edit.place.group,
            extra=edit.place.extra,
            target=edit.place.target,
            path=str(edit.path),
        )

    items = tuple(
        # What was listed before keeps its limits.
        item
        if added(edit.before, [item]) == edit.before
        else _bounded(item, versions, bounds)
        for item in edit.items
    )
    if items == edit.items:
        return edit
    write_atomically(edit.path, added(read_text(edit.path), items))
    return replace(edit, items=items)


def _lowest(pylock: Pylock, path: str) -> Mapping[str, Version]:
    """Return the lowest locked version of each project, without its local part."""
    found: dict[str, Version] = {}
    for packages in installed(pylock, path).values():
        for name, side in packages.items():
            if side.version is not None:
                version = Version(Version(side.version).public)
                found[name] = min(found.get(name, version), version)
    return found


def _bounded(text: str, versions: Mapping[str, Version], bounds: Bounds) -> str:
    requirement = Requirement.parse(text)
    version = versions.get(canonicalize_name(requirement.name))
    if requirement.specifier or requirement.url is not None or version is None:
        return text
    head, semicolon, marker = text.partition(";")
    limit = "".join(_limit(version, bounds))
    return f"{head.strip()}{limit}{' ;' if semicolon else ''}{marker}"


def _limit(version: Version, bounds: Bounds) -> Iterator[str]:
    if bounds == "exact":
        yield f"=={version}"
        return
    yield f">={version}"
    if bounds == "major":
        # Before 1.0 a minor version may break what depends on it.
        nonzero = version.major > 0
        upper = (version.major + 1,) if nonzero else (0, version.minor + 1)
        yield f",<{'.'.join(map(str, upper))}"
    elif bounds == "minor":
        yield f",<{version.major}.{version.minor + 1}"


def read_requirements_of(path: Path) -> list[str]:
    """Return the requirements of a requirements file for ``add -r``.

    Raises UsageError for a line that is not a requirement by name: ``init --from
    requirements`` converts options, paths and indexes.
    """
    try:
        lines = read_requirement_lines(read_regular(path), str(path))
    except OSError as error:
        problem = error.strerror or str(error)
        raise UsageError(f"{path} cannot be read: {problem}") from error
    except LockFileInvalid as error:
        raise UsageError(str(error)) from error
    found: list[str] = []
    for line in lines:
        if line.option is not None or line.is_place:
            raise UsageError(
                f"{path}: line {line.number} is an option or a path",
                "`polylock init --from requirements` converts such a file",
            )
        found.append(line.value)
    return found


def _edit(
    settings: Settings, items: Sequence[str], place: Place, change: Callable[..., str]
) -> DependencyEdit:
    path = project_path(settings)
    text = read_text(path)
    edited = change(
        text,
        items,
        group=place.group,
        extra=place.extra,
        target=place.target,
        path=str(path),
    )
    if edited != text:
        write_atomically(path, edited)
    return DependencyEdit(
        path=path,
        place=place,
        items=tuple(items),
        changed=edited != text,
        before=text,
    )
