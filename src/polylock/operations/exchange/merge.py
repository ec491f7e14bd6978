"""``polylock merge``: merge two lock files that were changed on different branches.

A clean merge of lines need not be a solution: one branch may have raised a version that
the other depends on. So pins are merged instead of lines, target by target, and the
merged project is locked again with these pins as preferences. The result does not
depend on which branch is merged into which.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from packaging.version import Version

from polylock.cache.regular_files import read_regular
from polylock.errors import LockFileInvalid, UsageError
from polylock.explain.words import note
from polylock.lockfile.read import read_pylock
from polylock.lockfile.record import record_target
from polylock.lockfile.select import preferences
from polylock.model.pins import Preference
from polylock.operations.files import attempt, write_atomically
from polylock.operations.inspect.git_repository import Repository, Sides
from polylock.operations.lock.request import LockRequest
from polylock.operations.workspace import Workspace, open_workspace, project_path
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.utils import NormalizedName

    from polylock.lockfile.pylock import Package, Pylock
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = ["DriverFiles", "install_driver", "merge_conflict", "merge_files"]

_ATTRIBUTES = ("pylock.toml merge=polylock", "pylock.*.toml merge=polylock")
_DRIVER = {
    "merge.polylock.name": "pins of both sides, locked again",
    "merge.polylock.driver": "polylock merge %O %A %B %P",
}
_LATER = "merge the project file first, then run `polylock merge`"

Pins = dict["NormalizedName", Preference]


class DriverFiles(Value, frozen=True, kw_only=True):
    """The arguments of a git merge driver: three files, and the path of the result.

    The driver writes to ``ours``; ``path`` is relative to the top of the working tree.
    """

    base: Path
    ours: Path
    theirs: Path
    path: str


class _Locks(Value, frozen=True, kw_only=True):
    """The three lock files; ``base`` is None if both branches added the file."""

    base: Pylock | None
    ours: Pylock
    theirs: Pylock


def merge_files(
    settings: Settings,
    files: DriverFiles,
    variables: Mapping[str, str],
    reporter: Reporter,
) -> Path:
    """Write the merged lock file to ``ours``, as git's merge driver.

    Raises UsageError if the project file is not merged yet, LockFileInvalid, and the
    errors of locking; ``ours`` is then unchanged.
    """
    repository = Repository(directory=Path.cwd(), variables=variables)
    path = repository.root / files.path
    base, ours, theirs = map(_read, (files.base, files.ours, files.theirs))
    project = path.with_name("pyproject.toml")
    merged = repository.merged(project, path, theirs)
    if merged is None:
        raise UsageError(
            f"{files.path} cannot be merged before {project.name} is merged", _LATER
        )
    locks = _decode(Sides(base=base, ours=ours, theirs=theirs), files.path)
    workspace = _workspace_of(merged, project, path, settings)
    write_atomically(files.ours, _lock(settings, workspace, locks, reporter))
    return path


def merge_conflict(
    settings: Settings, variables: Mapping[str, str], reporter: Reporter
) -> Path:
    """Resolve a git conflict in the lock file; the project file must be merged.

    Raises UsageError if there is no conflict, ProjectError, LockFileInvalid, and the
    errors of locking; the lock file is then unchanged.
    """
    path = settings.lock_path(project_path(settings)).absolute()
    repository = Repository(directory=path.parent, variables=variables)
    sides = repository.conflict(path)
    if sides is None:
        raise UsageError(
            f"git reports no conflict in {path}",
            "`polylock merge --install` makes git call it for conflicts",
        )
    workspace = open_workspace(settings)
    locks = _decode(sides, str(path))
    write_atomically(path, _lock(settings, workspace, locks, reporter))
    return path


def install_driver(settings: Settings, variables: Mapping[str, str]) -> Path:
    """Make git merge lock files with polylock; return the path of ``.gitattributes``.

    The attributes belong to the repository, the driver to the configuration of this
    clone: git reads no commands from a repository.
    """
    repository = Repository(
        directory=project_path(settings).absolute().parent, variables=variables
    )
    path = repository.root / ".gitattributes"
    for key, value in _DRIVER.items():
        repository.configure(key, value)
    try:
        text = read_regular(path).decode() if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    missing = [line for line in _ATTRIBUTES if line not in text.splitlines()]
    if missing:
        ended = text if not text or text.endswith("\n") else f"{text}\n"
        write_atomically(path, ended + "".join(f"{line}\n" for line in missing))
    return path


def _lock(
    settings: Settings, workspace: Workspace, locks: _Locks, reporter: Reporter
) -> str:
    # Half of the start-up, not needed for --install.
    from polylock.operations.lock.resolve import resolve  # noqa: PLC0415 - see above

    workspace = workspace.as_locked(locks.ours, locks.theirs)
    request = LockRequest(preferences=_merged_pins(workspace, locks))
    for choice in _conflicting_pins(workspace, locks):
        reporter.noting(choice)
    both = replace(locks.ours, packages=tuple(_direct_packages(locks)))
    found = resolve(settings, workspace, both, request, reporter)
    for each in found.notes:
        reporter.noting(f"note: {note(each)}")
    return found.text


def _merged_pins(workspace: Workspace, locks: _Locks) -> dict[str, Pins]:
    """Return the pins of both branches to try first, by target.

    If both changed a pin, the higher version is taken. For a target that neither side
    describes as the project does now, only the versions are taken.
    """
    base = {} if locks.base is None else preferences(locks.base)
    ours, theirs = preferences(locks.ours), preferences(locks.theirs)
    records = [
        record
        for lock in (locks.ours, locks.theirs)
        if lock.polylock is not None
        for record in lock.polylock.targets
    ]
    merged: dict[str, Pins] = {}
    for target in workspace.targets:
        name = target.name
        pins = merge_pins(base.get(name, {}), ours.get(name, {}), theirs.get(name, {}))
        if record_target(target) not in records:
            pins = {p: Preference(version=pins[p].version) for p in pins}
        merged[name] = pins
    return merged


def merge_pins(
    base: Mapping[NormalizedName, Preference],
    ours: Mapping[NormalizedName, Preference],
    theirs: Mapping[NormalizedName, Preference],
) -> Pins:
    """Merge the pins of one target; the result is symmetric in the sides."""
    found: Pins = {}
    for name in sorted({*ours, *theirs}):
        was, left, right = base.get(name), ours.get(name), theirs.get(name)
        sides = [side for side in (left, right) if side is not None]
        if left != right and was in {left, right} and was is not None:
            sides = [side for side in sides if side != was]
        if sides:
            found[name] = max(
                sides, key=lambda side: (Version(side.version), side.filenames)
            )
    return found


def _conflicting_pins(workspace: Workspace, locks: _Locks) -> Iterator[str]:
    """Yield a line for each pin that the branches changed differently."""
    base = {} if locks.base is None else preferences(locks.base)
    ours, theirs = preferences(locks.ours), preferences(locks.theirs)
    found: dict[tuple[str, str, str], list[str]] = {}
    for target in workspace.targets:
        was, left, right = (
            {pin: wanted.version for pin, wanted in side.get(target.name, {}).items()}
            for side in (base, ours, theirs)
        )
        for name in sorted(left.keys() & right.keys()):
            if left[name] != right[name] and was.get(name) not in {
                left[name],
                right[name],
            }:
                lower, higher = sorted((left[name], right[name]), key=Version)
                found.setdefault((name, higher, lower), []).append(target.name)
    for (project, higher, lower), targets in found.items():
        yield (
            f"{project} was changed on both branches: {higher} is tried before "
            f"{lower}, for {', '.join(targets)}"
        )


def _direct_packages(locks: _Locks) -> list[Package]:
    """Return the direct sources whose commits and hashes are kept.

    Each is that of ours if ours has changed it, else that of theirs.
    """

    def entries(lock: Pylock | None) -> dict[NormalizedName, list[Package]]:
        found: dict[NormalizedName, list[Package]] = {}
        for package in () if lock is None else lock.packages:
            if package.vcs is not None or package.archive is not None:
                found.setdefault(package.name, []).append(package)
        return found

    base, ours, theirs = entries(locks.base), entries(locks.ours), entries(locks.theirs)
    return [
        package
        for name in sorted({*ours, *theirs})
        for package in (
            theirs.get(name, [])
            if ours.get(name, []) == base.get(name, [])
            else ours.get(name, [])
        )
    ]


def _decode(sides: Sides, path: str) -> _Locks:
    if sides.ours is None or sides.theirs is None:
        raise UsageError(
            f"one side removed {path}", "keep or remove it, then run `polylock lock`"
        )
    base = None
    if sides.base:
        try:
            base = read_pylock(sides.base, path)
        except LockFileInvalid:
            base = None  # an invalid base counts as no base
    return _Locks(
        base=base,
        ours=read_pylock(sides.ours, path),
        theirs=read_pylock(sides.theirs, path),
    )


def _workspace_of(
    content: bytes, project: Path, lock_path: Path, settings: Settings
) -> Workspace:
    """Read a project file from its content, as if it were at ``project``.

    It is written beside that path temporarily, so that its relative paths hold.
    """
    with attempt(f"write beside {project}"):
        with NamedTemporaryFile(
            dir=project.parent, prefix=".pyproject.", suffix=".toml", delete=False
        ) as file:
            file.write(content)
        temporary = Path(file.name)
        try:
            found = open_workspace(replace(settings, project=temporary))
        finally:
            temporary.unlink()
    return replace(
        found, project=replace(found.project, path=project), lock_path=lock_path
    )


def _read(path: Path) -> bytes:
    with attempt(f"read {path}"):
        return read_regular(path)
