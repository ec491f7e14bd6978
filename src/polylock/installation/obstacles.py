"""What stands in the way of an installation, found before the first change.

Files and links are replaced. A directory where a file has to be, and a file where a
directory has to be, is somebody's, unless it goes with what is removed first.
"""

from __future__ import annotations

import os
import stat
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.errors import EnvironmentBroken
from polylock.installation.uninstall import Boundary, listed_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.environment.installed import InstalledDistribution
    from polylock.installation.place import Placement

__all__ = ["Obstacles"]


class Obstacles:
    """Looks for what is in the way of distributions while others leave."""

    def __init__(
        self, leaving: Sequence[InstalledDistribution], boundary: Boundary
    ) -> None:
        self._leaving = leaving
        self._boundary = boundary
        self._directories: set[str] = set()
        """Directories that are free to be written to."""

    def refuse(self, placement: Placement) -> None:
        """Raise EnvironmentBroken where a file or directory cannot take its place."""
        self._refuse_in_tree(placement)
        for file in placement.written:
            self._refuse_file(file.target, placement.wanted.filename)
            self._refuse_above(file.target, placement.wanted.filename)

    def _refuse_in_tree(self, placement: Placement) -> None:
        """Look where something is already; in a new directory there is nothing."""
        filename = placement.wanted.filename
        there, missing = {""}, set[str]()
        for directory in placement.manifest.directories:
            if directory.rpartition("/")[0] in missing:
                missing.add(directory)
                continue
            place = placement.place(directory)
            status = _status(place)
            if status is None:
                missing.add(directory)
            elif stat.S_ISDIR(status.st_mode):
                there.add(directory)
            elif self._goes(place):
                missing.add(directory)
            else:
                raise _in_the_way(place, "no directory", filename, "a directory")
        for file in placement.manifest.files:
            if file.rpartition("/")[0] in there:
                self._refuse_file(placement.place(file), filename)

    def _refuse_file(self, place: str, filename: str) -> None:
        status = _status(place)
        if status is None or not stat.S_ISDIR(status.st_mode):
            return
        for directory, names, files in os.walk(place):
            held = [*files, *(n for n in names if Path(directory, n).is_symlink())]
            is_compiled = Path(directory).name == "__pycache__"
            if (
                held
                and not is_compiled
                and not all(self._goes(f"{directory}{os.sep}{name}") for name in held)
            ):
                raise _in_the_way(place, "a directory", filename, "a file")
        if self._boundary.holds_root(place) or not self._is_emptied(place):
            raise _in_the_way(place, "a directory", filename, "a file")

    def _refuse_above(self, place: str, filename: str) -> None:
        """Look at the directories that have to be there for a file."""
        directory = place.rpartition(os.sep)[0]
        while directory and directory not in self._directories:
            self._directories.add(directory)
            if _is_taken(directory) and not self._goes(directory):
                raise _in_the_way(directory, "no directory", filename, "a directory")
            directory = directory.rpartition(os.sep)[0]

    def _goes(self, path: str) -> bool:
        """Return whether a file is removed before anything is installed."""
        return path in self._files

    def _is_emptied(self, directory: str) -> bool:
        """Return whether a directory goes when the files go that are removed."""
        inside = f"{directory}{os.sep}"
        return any(path.startswith(inside) for path in self._files)

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(
            path
            for distribution in self._leaving
            for path in listed_files(distribution)
            if self._boundary.contains(path)
        )


def _is_taken(directory: str) -> bool:
    """Return whether something else has the name of a directory, links followed."""
    status = _status(directory)
    return status is not None and not Path(directory).is_dir()


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise EnvironmentBroken(path, f"cannot be read: {error.strerror}") from error


def _in_the_way(path: str, found: str, filename: str, wanted: str) -> EnvironmentBroken:
    return EnvironmentBroken(
        path,
        f"is in the way: it is {found}, and {filename} has {wanted} there",
        "remove it, or make the environment anew; if it belongs there, lock another "
        "version or file",
    )
