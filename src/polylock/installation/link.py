"""Put the tree of an archive into site-packages without writing its content again.

A clone shares its blocks with the archive until one of them is written, so it is
tried first; few file systems have it. A hard link *is* the file in the cache: to
edit an installed file in place edits the archive and every environment that links to
it. Nothing here does that: what an installation has to change (RECORD, scripts,
direct_url.json) is written anew, what people edit (``etc`` of a wheel's data) is
copied, what stands in the way is removed and not opened,
and Python, pip and uv replace files instead of writing into them. The archive's files
keep their ordinary mode: read-only ones would stop an editor, but on Windows also
every tool that removes an environment. ``--link-mode copy`` is for those who edit. A
symbolic link leads into the cache, so the environment lives as long as that: it is for
those who ask for it, as where cache and environment are on different devices.
"""

from __future__ import annotations

import enum
import errno
import logging
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from polylock.errors import EnvironmentBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["LinkMode", "Linker", "copy_file", "make_directories"]

logger = logging.getLogger(__name__)


class LinkMode(enum.StrEnum):
    """How files get into an environment; ``auto`` takes the first that works."""

    AUTO = "auto"
    CLONE = "clone"
    HARDLINK = "hardlink"
    COPY = "copy"
    SYMLINK = "symlink"


_AUTO = (LinkMode.CLONE, LinkMode.HARDLINK, LinkMode.COPY)

_FICLONE = 0x40049409
"""``_IOW(0x94, 9, int)`` of linux/fs.h, the same on x86-64 and AArch64."""


class Linker:
    """Links trees in one mode, falling back for each pair of devices.

    One thread: eight made hard links three to four times slower (a directory is
    locked while it is written). ``used`` holds the modes that did the work.
    """

    def __init__(
        self, mode: LinkMode = LinkMode.AUTO, *, platform: str = sys.platform
    ) -> None:
        self.used: set[LinkMode] = set()
        self._modes = _AUTO if mode is LinkMode.AUTO else (mode,)
        self._working: dict[tuple[int, int], LinkMode] = {}
        self._known_devices: dict[str, int] = {}
        self._links: dict[LinkMode, Callable[[str, str], None]] = {
            LinkMode.CLONE: _clone_for(platform),
            LinkMode.HARDLINK: os.link,
            LinkMode.COPY: _copy,
            LinkMode.SYMLINK: os.symlink,
        }

    def link_files(self, source: Path, target: Path, files: Sequence[str]) -> None:
        """Link files, given relative to both directories with /.

        Their directories must exist in ``target``. A file or link that stands in
        the way is replaced. Raises FileNotFoundError, with its name, for a file that
        ``source`` lacks, and EnvironmentBroken where no mode works or a directory
        stands in the way.
        """
        if not files:
            return
        from_root, to_root = f"{source}{os.sep}", f"{target}{os.sep}"
        mode = self._mode(str(source), str(target))
        position = 0
        if mode is None:
            self.link_file(from_root + files[0], to_root + files[0])
            mode = self._mode(str(source), str(target))
            assert mode is not None
            position = 1
        self.used.add(mode)
        link = self._links[mode]
        for file in files[position:] if position else files:
            try:
                link(from_root + file, to_root + file)
            except OSError as error:
                self._retry(error, mode, from_root + file, to_root + file)

    def link_file(self, source: str, target: str) -> None:
        """Link one file; as ``link_files`` in all else."""
        directories = source.rpartition(os.sep)[0], target.rpartition(os.sep)[0]
        mode = self._mode(*directories)
        if mode is None:
            mode = self._choose(source, target)
            self._working[self._devices(*directories)] = mode
            self.used.add(mode)
            return
        self.used.add(mode)
        try:
            self._links[mode](source, target)
        except OSError as error:
            self._retry(error, mode, source, target)

    def _mode(self, source: str, target: str) -> LinkMode | None:
        """Return the mode that works between the devices of two directories."""
        return self._working.get(self._devices(source, target))

    def _devices(self, source: str, target: str) -> tuple[int, int]:
        return self._device(source), self._device(target)

    def _device(self, directory: str) -> int:
        device = self._known_devices.get(directory)
        if device is None:
            device = os.stat(directory).st_dev  # noqa: PTH116 - a str, as all here
            self._known_devices[directory] = device
        return device

    def _choose(self, source: str, target: str) -> LinkMode:
        """Link one file in the first mode that works, and return that mode."""
        _make_room(target)
        failures: list[str] = []
        for mode in self._modes:
            try:
                self._links[mode](source, target)
            except FileNotFoundError:
                raise
            except OSError as error:
                failures.append(f"{mode}: {error.strerror}")
                logger.debug("no %s to %s: %s", mode, target, error.strerror)
                with suppress(FileNotFoundError):
                    os.unlink(target)  # noqa: PTH108 - a str, as all here
            else:
                logger.info("files are put into the environment by %s", mode)
                return mode
        raise EnvironmentBroken(
            target,
            f"cannot be written ({'; '.join(failures)})",
            "check the permissions and the free space, or use --link-mode copy",
        )

    def _retry(self, error: OSError, mode: LinkMode, source: str, target: str) -> None:
        """Link one file whose first try failed."""
        if isinstance(error, FileNotFoundError):
            raise error
        try:
            if isinstance(error, FileExistsError):
                _make_room(target)
                self._links[mode](source, target)
            elif error.errno in _ONE_FILE and LinkMode.COPY in self._modes:
                # A file has 1,023 links on NTFS and 65,000 on ext4, no more.
                with suppress(FileNotFoundError):
                    os.unlink(target)  # noqa: PTH108 - a str, as all here
                _copy(source, target)
                self.used.add(LinkMode.COPY)
            else:
                raise error
        except OSError as failure:
            raise EnvironmentBroken(
                target,
                f"cannot be written: {failure.strerror}",
                "check the permissions and the free space, or use --link-mode copy",
            ) from failure


_ONE_FILE = frozenset({errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP})


def make_directories(root: Path, directories: Sequence[str]) -> None:
    """Make directories under ``root``, given parents first with /.

    Raises EnvironmentBroken where a file or a symbolic link has the name: through a
    link the installation would write to another place.
    """
    prefix = f"{root}{os.sep}"
    for directory in directories:
        path = prefix + directory
        try:
            os.mkdir(path)  # noqa: PTH102 - a str, thousands of times
        except FileExistsError as error:
            status = os.lstat(path)
            if not _is_directory(status):
                raise EnvironmentBroken(
                    path,
                    "is in the way: a directory of that name has to be installed",
                    "remove it, or make the environment anew",
                ) from error
        except OSError as error:
            raise EnvironmentBroken(
                path, f"cannot be made: {error.strerror}"
            ) from error


def _is_directory(status: os.stat_result) -> bool:
    """Return whether this is a directory, no link and no junction."""
    import stat  # noqa: PLC0415 - only where directories exist already

    reparse = getattr(status, "st_file_attributes", 0) & 0x400
    return stat.S_ISDIR(status.st_mode) and not reparse


def copy_file(source: str, target: str) -> None:
    """Copy a file, mode included; a file or link in its place is replaced.

    Raises OSError, and EnvironmentBroken where a directory stands in the way.
    """
    _make_room(target)
    _copy(source, target)


def _make_room(target: str) -> None:
    """Remove a file or link of this name, if there is one."""
    try:
        os.unlink(target)  # noqa: PTH108 - a str, as all here
    except FileNotFoundError:
        pass
    except OSError as error:
        raise EnvironmentBroken(
            target,
            f"is in the way and cannot be removed: {error.strerror}",
            "remove it, or make the environment anew",
        ) from error


def _copy(source: str, target: str) -> None:
    """Copy content and mode; times are those of the installation.

    Only a new file is written. ``shutil.copyfile`` would write into one that is
    there, and through a hard link into the cache.
    """
    import shutil  # noqa: PLC0415 - 2 ms, where nothing is linked

    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with open(source, "rb") as origin:  # noqa: PTH123 - a str, as all here
        mode = os.fstat(origin.fileno()).st_mode & 0o777
        descriptor = os.open(target, flags, mode)
        with open(descriptor, "wb") as copy:  # noqa: PTH123 - a descriptor
            shutil.copyfileobj(origin, copy, _CHUNK)


_CHUNK = 1024 * 1024


def _clone_for(platform: str) -> Callable[[str, str], None]:
    if platform == "linux":
        return _clone_linux
    if platform == "darwin":
        return _clone_macos
    return _clone_nowhere


def _clone_linux(source: str, target: str) -> None:
    """Clone by FICLONE: Btrfs, XFS, bcachefs and overlays of them."""
    import fcntl  # noqa: PLC0415 - not on Windows

    origin = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        mode = os.fstat(origin).st_mode & 0o777
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        copy = os.open(target, flags, mode)
        try:
            fcntl.ioctl(copy, _FICLONE, origin)
        finally:
            os.close(copy)
    finally:
        os.close(origin)


def _clone_macos(source: str, target: str) -> None:
    """Clone by clonefile(2) of APFS."""
    import ctypes  # noqa: PLC0415 - only on macOS

    library = ctypes.CDLL(None, use_errno=True)
    if library.clonefile(os.fsencode(source), os.fsencode(target), 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), source, None, target)


def _clone_nowhere(source: str, target: str) -> None:
    raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), source, None, target)
