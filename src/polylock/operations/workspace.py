"""The project file and its lock file: found, read and compared."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.cache.entries import digest, entry_path
from polylock.cache.regular_files import read_regular
from polylock.cache.store import Bucket, Store
from polylock.errors import (
    CacheUnusable,
    LockFileInvalid,
    LockFileOutdated,
    NoSuchTarget,
    ProjectError,
    UsageError,
)
from polylock.lockfile.binary import from_binary, rules, to_binary
from polylock.lockfile.freshness import Difference, differences
from polylock.lockfile.record import inputs_of_record
from polylock.lockfile.vouching import direct_packages, source_of
from polylock.model.inputs import Inputs
from polylock.project.direct_sources import relative_path
from polylock.project.pyproject import ProjectFile, load_project, project_path
from polylock.project.script import is_script
from polylock.providers.derive import build_target
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.lockfile.pylock import Pylock
    from polylock.model.target import Target
    from polylock.project.settings import Settings

__all__ = [
    "Workspace",
    "cache_lock",
    "environment_path",
    "lock_path",
    "open_workspace",
    "outdated_warning",
    "own_environments",
    "place_of_environment",
    "project_of_lock",
    "project_path",
    "read_files",
    "read_lock",
    "recorded_policy",
    "refuse_untrusted_sources",
    "require_lock",
    "require_target",
]


class Workspace(Value, frozen=True, kw_only=True):
    """A project file, its targets, and the path of its lock file.

    ``opened`` is the time from which a span of ``exclude-newer`` counts back, in
    microseconds since 1970 UTC.
    """

    project: ProjectFile
    targets: tuple[Target, ...]
    lock_path: Path
    opened: int = 0

    def differences(
        self, pylock: Pylock, inputs: Inputs | None = None, besides: Sequence[str] = ()
    ) -> tuple[Difference, ...]:
        """Return the differences of a lock file from the project; none: up to date."""
        return differences(
            pylock,
            self.project.inputs if inputs is None else inputs,
            self.targets,
            besides=besides,
            lock_path=self._path_in_lock,
        )

    def as_locked(self, *pylocks: Pylock | None) -> Workspace:
        """Return the workspace with the times that lock files have for its spans.

        If they differ, the latest: what was locked before it still counts.
        """
        return replace(self, project=_dated(self.project, self.opened, pylocks))

    def _path_in_lock(self, path: str) -> str:
        try:
            project = self.project.path.absolute().parent
            return relative_path(project / path, self.lock_path.parent)
        except ValueError:  # on another drive: there is no relative path
            return path


def environment_path(settings: Settings, project: ProjectFile | None = None) -> Path:
    """Return the path of the environment; raises EnvironmentBroken.

    It is ``place_of_environment``, or the one that a file in that place names.
    """
    # Not loaded by ``check`` and ``lock``.
    from polylock.environment.venv import linked_environment  # noqa: PLC0415 - 8 ms

    return linked_environment(place_of_environment(settings, project))


def place_of_environment(
    settings: Settings, project: ProjectFile | None = None
) -> Path:
    """Return the path of the environment, or of a file that names it.

    It is that of --venv, else the ``venv`` of the target in the settings, else
    ``.venv`` beside the lock file. If no target is named, there is no ``.venv`` and
    only one of the targets' own environments, it is that. That of a script is in the
    cache: scripts share a directory.
    """
    if settings.venv is None and settings.project and is_script(settings.project):
        directory = settings.cache_dir.absolute() / Bucket.ENVIRONMENTS.directory
        return Path(entry_path(str(directory), bytes(settings.project.resolve())))
    if settings.venv is not None:
        return settings.venv.absolute()
    usual = lock_path(settings).with_name(".venv").absolute()
    own = {} if project is None else own_environments(project)
    if settings.target is not None:
        return own.get(settings.target, usual)
    if own:
        # Not loaded by a project without the key.
        from polylock.environment.venv import is_environment  # noqa: PLC0415 - 8 ms

        there = {place for place in own.values() if is_environment(place)}
        if len(there) == 1 and not is_environment(usual):
            return there.pop()
    return usual


def own_environments(project: ProjectFile) -> dict[str, Path]:
    """Return the environments of the targets that have ``venv``, by target."""
    root = project.path.absolute().parent
    return {
        each.name: root / each.venv
        for each in project.descriptions
        if each.venv is not None
    }


def lock_path(settings: Settings) -> Path:
    """Return the path of the lock file.

    Without a project file, as in an image with only the lock file, it is that of the
    current directory.
    """
    if settings.lock_file is not None:
        return settings.lock_file.absolute()
    if settings.project is None and Path("pylock.toml").is_file():
        return Path("pylock.toml").absolute()
    return settings.lock_path(project_path(settings))


def with_trees(project: ProjectFile) -> ProjectFile:
    """Add what the source trees of a project require now."""
    inputs = project.inputs
    named = any(entry.direct for each in inputs.sources.values() for entry in each)
    if not named and all(each.requirement.url is None for each in inputs.requirements):
        return project
    # 10 ms, for a project with direct sources alone.
    from polylock.operations.trees import tree_records  # noqa: PLC0415 - see above

    trees = tree_records(inputs, project.path.absolute().parent)
    return replace(project, inputs=replace(inputs, trees=trees)) if trees else project


def read_files(project: ProjectFile) -> tuple[tuple[Path, ...], ...] | None:
    """Return the files beside the project file that decide what is locked.

    The second are directories whose entries do. None if they are too many.
    """
    members = project.members
    if members.listed is None:
        return None
    files = members.files
    if project.inputs.trees:
        from polylock.operations.trees import deciding_files  # noqa: PLC0415 - as above

        place = project.path.absolute().parent
        files = (*files, *deciding_files(project.inputs, place))
    return tuple(dict.fromkeys(files)), members.listed


def open_workspace(settings: Settings, now: int | None = None) -> Workspace:
    """Read the project file and derive its targets; raises ProjectError.

    ``now`` is in microseconds since 1970 UTC, None for the clock's.
    """
    path = project_path(settings)
    project = with_trees(load_project(path, settings=settings))
    opened = time.time_ns() // 1000 if now is None else now
    return Workspace(
        opened=opened,
        project=_dated(project, opened, ()),
        targets=tuple(build_target(found) for found in project.descriptions),
        lock_path=settings.lock_path(path).absolute(),
    )


def _dated(
    project: ProjectFile, now: int, pylocks: Sequence[Pylock | None]
) -> ProjectFile:
    """Return a project whose spans have a time, that of a lock file if it has one."""
    spans = project.inputs.exclude_newer_spans
    if not spans:
        return project
    # Not imported for a project without spans.
    from polylock.model.cutoffs import dated  # noqa: PLC0415 - see above

    kept: dict[str, int] = {}
    for pylock in pylocks:
        if pylock is not None and pylock.polylock is not None:
            for name, (span, at) in pylock.polylock.inputs.kept_cutoffs().items():
                if spans.get(name) == span:
                    kept[name] = max(at, kept.get(name, at))
    return replace(project, inputs=dated(project.inputs, now, kept))


def project_of_lock(
    settings: Settings, pylock: Pylock, path: Path, *, frozen: bool
) -> ProjectFile | None:
    """Return the project of a lock file, None without one.

    An image may have only the lock file. A bundle inside a project's directory is not
    the lock file of that project: it records no inputs and has no project file beside
    it. Raises LockFileOutdated for an outdated lock file unless frozen, ProjectError.
    """
    alone = settings.project is None and not path.with_name("pyproject.toml").exists()
    if alone and pylock.polylock is None:
        return None
    try:
        workspace = open_workspace(settings).as_locked(pylock)
    except ProjectError:
        if alone:
            return None
        raise
    if not frozen and workspace.lock_path == path:
        found = workspace.differences(pylock)
        if found:
            raise LockFileOutdated(str(path), [str(difference) for difference in found])
    return workspace.project


def refuse_untrusted_sources(
    settings: Settings, pylock: Pylock, path: Path, project: ProjectFile | None
) -> None:
    """Raise UsageError for a direct source that no project file names.

    Building a source tree or an archive runs its code. A lock file beside its project
    file is compared with it; without one its direct sources are not trusted.
    """
    if project is not None and settings.lock_path(project.path).absolute() == path:
        return
    for package in direct_packages(pylock):
        raise UsageError(
            f"{path} installs {package.name} from {source_of(package)}, and there is "
            "no project file beside it that names this source",
            "use --frozen to trust the lock file",
        )


def outdated_warning(settings: Settings, pylock: Pylock, path: Path) -> str | None:
    """Return a warning for a lock file that is out of date, else None.

    Without a project file it is not out of date. An unreadable project file is not an
    error here.
    """
    try:
        project_of_lock(settings, pylock, path, frozen=False)
    except LockFileOutdated:
        return (
            f"{path} is out of date: this shows the last `polylock lock`; "
            "`polylock check` says what differs"
        )
    except ProjectError:
        pass
    return None


def recorded_policy(pylock: Pylock) -> Inputs:
    """Return inputs with the build policy that a lock file records."""
    if pylock.polylock is None:
        return Inputs()
    recorded = inputs_of_record(pylock.polylock.inputs)
    return Inputs(
        build=recorded.build,
        build_packages=recorded.build_packages,
        no_build_packages=recorded.no_build_packages,
        builds=recorded.builds,
    )


def read_lock(path: Path, settings: Settings | None = None) -> Pylock | None:
    """Read a lock file, None if there is none; raises LockFileInvalid.

    With settings its parsed values are cached.
    """
    try:
        content = read_regular(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        problem = error.strerror or str(error)
        raise LockFileInvalid(str(path), "", f"cannot be read: {problem}") from error
    found = None if settings is None else _cached_lock(content, settings)
    if found is None:
        # 10 ms, with the parser of markers.
        from polylock.lockfile.read import read_pylock  # noqa: PLC0415 - see above

        found = read_pylock(content, str(path))
        if settings is not None:
            cache_lock(found, content, settings)
    return found


def cache_lock(pylock: Pylock, content: bytes, settings: Settings) -> None:
    """Cache the parsed values of a lock file: parsing TOML takes ten times as long."""
    binary = to_binary(pylock)
    if binary is not None:
        with suppress(CacheUnusable):  # a full or read-only cache is no failure
            store = Store(settings.cache_dir)
            store.write(Bucket.LOCK_FILES, _lock_key(content), binary)


def _cached_lock(content: bytes, settings: Settings) -> Pylock | None:
    with suppress(CacheUnusable):
        kept = Store(settings.cache_dir).read(Bucket.LOCK_FILES, _lock_key(content))
        return None if kept is None else from_binary(kept)
    return None


def _lock_key(content: bytes) -> str:
    return f"{rules()}, {digest(content)}"


def require_lock(path: Path, settings: Settings | None = None) -> Pylock:
    """Read a lock file; raises UsageError if there is none, LockFileInvalid."""
    pylock = read_lock(path, settings)
    if pylock is None:
        named = settings.project if settings else None
        of_script = f" --project {named}" if named and is_script(named) else ""
        raise UsageError(f"{path} does not exist", f"run `polylock lock{of_script}`")
    return pylock


def require_target(pylock: Pylock, name: str) -> None:
    """Raise NoSuchTarget unless the lock file has the target."""
    if name not in pylock.target_names:
        raise NoSuchTarget("target", name, pylock.target_names)
