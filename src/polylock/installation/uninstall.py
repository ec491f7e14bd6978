"""Remove a distribution: what its RECORD lists, inside the environment, no more."""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.environment.installed import PARTIAL_RECORD, Form
from polylock.errors import EnvironmentBroken
from polylock.installation.record_format import InvalidRecord, parse_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from polylock.environment.installed import InstalledDistribution

__all__ = ["Boundary", "listed_files", "refuse_unremovable", "uninstall"]

logger = logging.getLogger(__name__)

_KNOWN_INSTALLERS = frozenset({"", "pip", "uv", "polylock"})


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where files may be removed: in these directories, which stay themselves."""

    roots: tuple[Path, ...]
    _real: tuple[Path, ...] = field(init=False)
    _known: dict[Path, bool] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        real = tuple(dict.fromkeys(root.resolve() for root in self.roots))
        object.__setattr__(self, "_real", real)

    def contains(self, path: Path) -> bool:
        """Return whether a file is inside, links on the way to it followed.

        The file itself may be a link to anywhere: it is the link that is removed.
        """
        parent = path.parent
        known = self._known.get(parent)
        if known is None:
            real = parent.resolve()
            known = any(real.is_relative_to(root) for root in self._real)
            self._known[parent] = known
        return known

    def is_root(self, directory: Path) -> bool:
        """Return whether a directory stays although it is empty."""
        return directory in self.roots or directory.resolve() in self._real


def refuse_unremovable(distribution: InstalledDistribution) -> None:
    """Raise EnvironmentBroken for a distribution that cannot be removed safely.

    The legacy forms list no files. The same holds without RECORD for what another
    installer than pip, uv and polylock put there: an operating system's packages.
    """
    if distribution.form is not Form.DIST_INFO:
        raise EnvironmentBroken(
            str(distribution.path),
            f"{distribution.name} was installed in the legacy form "
            f"{distribution.form}, which does not say what its files are",
            f"remove {distribution.name} with the tool that installed it, or make "
            "the environment anew",
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


def listed_files(distribution: InstalledDistribution) -> Iterator[Path]:
    """Yield the absolute paths that RECORD lists, ``..`` worked out; may be anywhere.

    Raises EnvironmentBroken where RECORD cannot be read; without one there is nothing.
    """
    site = distribution.path.parent
    for name in ("RECORD", PARTIAL_RECORD):
        record = distribution.path / name
        try:
            text = record.read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise EnvironmentBroken(
                str(record), "cannot be read", "make the environment anew"
            ) from error
        try:
            for row in parse_rows(text):
                yield _absolute(site, row.path)
        except InvalidRecord as error:
            raise EnvironmentBroken(
                str(record), str(error), "make the environment anew"
            ) from error
        return


def uninstall(
    distribution: InstalledDistribution,
    boundary: Boundary,
    *,
    shared: Collection[Path] = (),
) -> list[Path]:
    """Remove a distribution; return what was left because it lies outside.

    Files in ``shared`` belong to another distribution as well and stay. The compiled
    code of removed modules and directories that became empty go too. RECORD is
    renamed first and goes last, so what is interrupted can be taken up again.
    Raises EnvironmentBroken.
    """
    refuse_unremovable(distribution)
    listed = list(dict.fromkeys(listed_files(distribution)))
    info = distribution.path
    if info.is_symlink():
        raise EnvironmentBroken(
            str(info), "is a link", "remove the link, or make the environment anew"
        )
    try:
        with suppress(FileNotFoundError):
            (info / "RECORD").replace(info / PARTIAL_RECORD)
        outside = [path for path in listed if not boundary.contains(path)]
        inside = [
            path for path in listed if info not in path.parents and path not in shared
        ]
        removed = [path for path in inside if path not in set(outside)]
        for path in removed:
            _unlink(path)
        _remove_compiled(removed)
        _remove_empty(removed, boundary)
        _remove_info(info)
    except OSError as error:
        raise EnvironmentBroken(
            str(error.filename or info), f"cannot be removed: {error.strerror}"
        ) from error
    for path in outside:
        logger.warning("%s is outside of the environment and stays", path)
    return outside


def _absolute(site: Path, path: str) -> Path:
    """Return the path that a row means, without asking the file system."""
    joined = site / path
    if ".." not in joined.parts:
        return joined
    parts: list[str] = []
    for part in joined.parts[1:]:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
    return Path(joined.parts[0], *parts)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except (IsADirectoryError, PermissionError):
        if not path.is_dir() or path.is_symlink():
            raise
        # Some tools list directories; they go when they are empty.


def _remove_compiled(removed: Iterable[Path]) -> None:
    """Remove what Python compiled from modules that are gone."""
    modules: dict[Path, set[str]] = {}
    for path in removed:
        if path.suffix == ".py":
            modules.setdefault(path.parent, set()).add(path.stem)
    for directory, stems in modules.items():
        cache = directory / "__pycache__"
        try:
            names = os.listdir(cache)  # noqa: PTH208 - names alone
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            # module.cpython-312.pyc, module.cpython-312.opt-1.pyc
            if name.endswith(".pyc") and name.partition(".")[0] in stems:
                (cache / name).unlink(missing_ok=True)
        with suppress(OSError):
            cache.rmdir()


def _remove_empty(removed: Iterable[Path], boundary: Boundary) -> None:
    """Remove the directories of removed files that became empty, deepest first."""
    directories: set[Path] = set()
    for path in removed:
        for parent in path.parents:
            if parent in directories or boundary.is_root(parent):
                break
            directories.add(parent)
    for directory in sorted(
        directories, key=lambda path: len(path.parts), reverse=True
    ):
        with suppress(OSError):
            directory.rmdir()


def _remove_info(info: Path) -> None:
    """Remove the ``.dist-info`` directory, all of which is the distribution's own."""
    for path in sorted(info.iterdir()):
        if path.name == PARTIAL_RECORD:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    (info / PARTIAL_RECORD).unlink(missing_ok=True)
    info.rmdir()
