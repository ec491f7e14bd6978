"""Remove a distribution: the files in its RECORD that lie inside the environment."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.environment.installed import PARTIAL_RECORD, Form, InstalledDistribution
from polylock.errors import EnvironmentBroken
from polylock.installation.record import InvalidRecord, RecordRow, parse_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from polylock.installation.own_files import OwnFiles

__all__ = [
    "Boundary",
    "listed_among",
    "listed_files",
    "listed_rows",
    "outside_info",
    "refuse_unremovable",
    "uninstall",
]

_KNOWN_INSTALLERS = frozenset({"", "pip", "uv", "polylock"})

_FEW = 16
"""Up to this number of names, searching all RECORDs is faster than parsing them."""


class Boundary:
    """The directories inside which files may be removed.

    The directories themselves stay, and so do the environment's ``own`` files.
    """

    def __init__(self, roots: Iterable[Path], own: OwnFiles | None = None) -> None:
        self._own = own
        self._roots = {str(root) for root in roots}
        self._real = tuple(sorted({Path(root).resolve() for root in self._roots}))
        self._known: dict[str, tuple[bool, str]] = {}

    def contains(self, path: str) -> bool:
        """Return True if a file may be removed, links to its directory resolved.

        The file itself may be a link to anywhere: the link is removed.
        """
        parent, _, name = path.rpartition(os.sep)
        found = self._known.get(parent)
        if found is None:
            real = Path(parent or os.sep).resolve()
            inside = any(real.is_relative_to(root) for root in self._real)
            found = self._known[parent] = (inside, str(real))
        inside, place = found
        return inside and not (self._own and self._own.is_own(place, name))

    def holds_root(self, directory: str) -> bool:
        """Return True if a directory is one of the directories or contains one."""
        real = Path(directory).resolve()
        return any(root.is_relative_to(real) for root in self._real)

    def is_root(self, directory: str) -> bool:
        """Return True if a directory stays even if it is empty."""
        return directory in self._roots or Path(directory).resolve() in self._real


def refuse_unremovable(distribution: InstalledDistribution) -> None:
    """Raise EnvironmentBroken for a distribution that cannot be removed safely.

    The legacy forms list no files. Without a RECORD the same holds for distributions of
    installers other than pip, uv and polylock, such as an operating system's packages.
    """
    if distribution.form is not Form.DIST_INFO:
        raise EnvironmentBroken(
            str(distribution.path),
            f"{distribution.name} was installed in the legacy form "
            f"{distribution.form}, which does not say what its files are",
            f"remove {distribution.name} with the tool that installed it, or "
            "recreate the environment",
        )
    if (
        not distribution.is_complete
        and distribution.installer not in _KNOWN_INSTALLERS
        and not (distribution.path / PARTIAL_RECORD).is_file()
    ):
        raise EnvironmentBroken(
            str(distribution.path),
            f"{distribution.name} has no RECORD and was installed by "
            f"{distribution.installer}",
            f"remove it with {distribution.installer}",
        )


def listed_files(distribution: InstalledDistribution) -> list[str]:
    """Return the absolute paths that RECORD lists, with ``..`` resolved.

    They may lie anywhere. They are text, not ``Path``, because a large environment has
    tens of thousands. Without a RECORD the list is empty. Raises EnvironmentBroken if
    RECORD cannot be read.
    """
    return [path for path, _ in listed_rows(distribution)]


def listed_rows(distribution: InstalledDistribution) -> list[tuple[str, RecordRow]]:
    """Return the paths of ``listed_files``, each with its row."""
    for name in ("RECORD", PARTIAL_RECORD):
        record = distribution.path / name
        try:
            return _rows(record, record.read_bytes())
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _unreadable(record, "cannot be read") from error
    return []


def outside_info(
    distribution: InstalledDistribution,
) -> list[tuple[str, RecordRow]]:
    """Return the listed rows outside ``.dist-info``."""
    own = f"{distribution.path}{os.sep}"
    rows = listed_rows(distribution)
    return [(path, row) for path, row in rows if not path.startswith(own)]


def listed_among(
    paths: Collection[str], site: str, staying: Iterable[InstalledDistribution]
) -> Iterator[tuple[InstalledDistribution, str, RecordRow]]:
    """Yield each kept distribution that lists one of the paths, with path and row.

    The paths are absolute. Examples are the ``__init__.py`` files of old namespace
    packages. Parsing 197 RECORDs takes 55 ms; searching their bytes for the names of
    one distribution takes 5 ms, and a row contains the name of its file. Raises
    EnvironmentBroken if a RECORD cannot be read.
    """
    if not paths:
        return
    names = _search_names(paths, site)
    is_quick = len(names) <= _FEW and not any(b'"' in name for name in names)
    for distribution in staying:
        if distribution.form is not Form.DIST_INFO:
            continue
        rows = (
            _listed_by_name(distribution, names)
            if is_quick
            else listed_rows(distribution)
        )
        for path, row in rows:
            if path in paths:
                yield distribution, path, row


def _search_names(paths: Iterable[str], site: str) -> set[bytes]:
    """Return names such that a row for one of the paths contains one of them."""
    prefix = f"{site}{os.sep}"
    names: set[bytes] = set()
    for path in paths:
        if path.startswith(prefix):
            top, slash, _ = path[len(prefix) :].partition(os.sep)
            names.add(os.fsencode(f"{top}/" if slash else top))
        else:  # its row begins with ``../`` or is an absolute path
            names.add(os.fsencode(f"/{path.rpartition(os.sep)[2]}"))
    return names


def _listed_by_name(
    distribution: InstalledDistribution, names: Collection[bytes]
) -> list[tuple[str, RecordRow]]:
    """Return at least the ``listed_rows`` that contain one of the names."""
    record = distribution.path / "RECORD"
    try:
        with open(record, "rb", buffering=0) as file:  # noqa: PTH123 - hot path
            content = file.read()
    except OSError:
        return listed_rows(distribution)  # reads the partial RECORD, or raises
    # A quoted row may span lines, and a backslash counts as a slash.
    if b"\\" in content or b'"' in content:
        return _rows(record, content)
    lines = {line for name in names for line in _lines_with(name, content)}
    return _rows(record, b"\n".join(sorted(lines))) if lines else []


def _lines_with(name: bytes, content: bytes) -> Iterator[bytes]:
    """Yield the lines that contain a name, possibly more than once."""
    found = content.find(name)
    while found >= 0:
        end = content.find(b"\n", found)
        end = len(content) if end < 0 else end
        yield content[content.rfind(b"\n", 0, found) + 1 : end]
        found = content.find(name, end)


def _rows(record: Path, content: bytes) -> list[tuple[str, RecordRow]]:
    """Return the rows in ``content`` with their absolute paths.

    Raises EnvironmentBroken if they cannot be read.
    """
    site = str(record.parent.parent)
    try:
        rows = parse_rows(content.decode())
        return [(_absolute(site, row.path), row) for row in rows if row.path]
    except UnicodeDecodeError as error:
        raise _unreadable(record, "cannot be read") from error
    except InvalidRecord as error:
        raise _unreadable(record, str(error)) from error


def _unreadable(record: Path, problem: str) -> EnvironmentBroken:
    return EnvironmentBroken(str(record), problem, "recreate the environment")


def uninstall(
    distribution: InstalledDistribution,
    boundary: Boundary,
    *,
    shared: Collection[str] = (),
) -> list[str]:
    """Remove a distribution; return the listed files outside of the boundary.

    These are not removed. Files in ``shared`` belong to another distribution as well
    and stay too. Compiled files of removed modules and directories that became empty
    are removed. RECORD is renamed first and removed last, so an interrupted removal
    can be resumed. Raises EnvironmentBroken.
    """
    refuse_unremovable(distribution)
    info = distribution.path
    if info.is_symlink():
        raise EnvironmentBroken(
            str(info), "is a link", "remove the link, or recreate the environment"
        )
    listed = [path for path, _ in outside_info(distribution)]
    outside = [path for path in listed if not boundary.contains(path)]
    left = {*outside, *shared}
    removed = [path for path in listed if path not in left]
    try:
        with suppress(FileNotFoundError):
            (info / "RECORD").replace(info / PARTIAL_RECORD)
        for path in removed:
            _unlink(path)
        _remove_compiled(removed)
        _remove_empty(removed, boundary)
        _remove_info(info)
    except OSError as error:
        raise EnvironmentBroken(
            str(error.filename or info), f"cannot be removed: {error.strerror}"
        ) from error
    return outside


def _absolute(site: str, path: str) -> str:
    """Return the absolute path of a row without accessing the file system."""
    if os.sep != "/":
        path = path.replace("/", os.sep)
    if not path.startswith(os.sep) and ":" not in path and ".." not in path:
        return f"{site}{os.sep}{path}"
    joined = Path(site, path)
    parts: list[str] = []
    for part in joined.parts[1:]:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
    return str(Path(joined.parts[0], *parts))


def _unlink(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108 - a str, tens of thousands of times
    except FileNotFoundError:
        pass
    except (IsADirectoryError, PermissionError):
        # Some tools list directories; these are removed when they are empty.
        if not Path(path).is_dir() or Path(path).is_symlink():
            raise


def _remove_compiled(removed: Iterable[str]) -> None:
    """Remove the compiled files of removed modules."""
    modules: dict[str, set[str]] = {}
    for path in removed:
        if path.endswith(".py"):
            directory, _, file = path.rpartition(os.sep)
            modules.setdefault(directory, set()).add(file[: -len(".py")])
    for directory, stems in modules.items():
        cache = Path(directory, "__pycache__")
        if cache.is_symlink():
            continue
        try:
            names = os.listdir(cache)  # noqa: PTH208 - names alone
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            # module.cpython-312.pyc, module.cpython-312.opt-1.pyc
            if name.endswith(".pyc") and name.partition(".")[0] in stems:
                (cache / name).unlink(missing_ok=True)
        _remove_if_empty(cache)


def _remove_empty(removed: Iterable[str], boundary: Boundary) -> None:
    """Remove the directories of removed files that became empty, deepest first."""
    directories: set[str] = set()
    for path in removed:
        parent = path.rpartition(os.sep)[0]
        while parent and parent not in directories and not boundary.is_root(parent):
            directories.add(parent)
            parent = parent.rpartition(os.sep)[0]
    for directory in sorted(directories, key=len, reverse=True):
        _remove_if_empty(Path(directory))


def _remove_if_empty(directory: Path) -> None:
    """Remove a directory if it is empty; raises OSError if that fails."""
    try:
        directory.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        # For a directory that is not empty, in one that is not writable, Linux reports
        # EACCES, not ENOTEMPTY.
        if next(directory.iterdir(), None) is None:
            raise


def _remove_info(info: Path) -> None:
    """Remove the ``.dist-info`` directory with everything in it."""
    for path in sorted(info.iterdir()):
        if path.name == PARTIAL_RECORD:
            continue
        if path.is_dir() and not path.is_symlink():
            import shutil  # noqa: PLC0415 - 2 ms, for few distributions

            shutil.rmtree(path)
        else:
            path.unlink()
    (info / PARTIAL_RECORD).unlink(missing_ok=True)
    info.rmdir()
