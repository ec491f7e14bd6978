"""Link the files of an archive into site-packages without copying their content.

A clone shares its blocks with the archive until one of the two is written, so it is
tried first; few file systems support it. A hard link *is* the file in the cache:
editing an installed file in place edits the archive and every environment that links to
it. polylock never does that. Files that an installation changes (RECORD, scripts,
direct_url.json) are new files, files that people edit (``etc`` of a wheel's data) are
copied, and existing files are removed, never opened. Python, pip and uv replace files
too. The archive's files keep their ordinary mode: read-only files would stop an editor,
but on Windows also every tool that removes an environment. ``--link-mode copy`` is for
people who edit installed files. A symbolic link points into the cache and breaks with
it, so it is used only on request, for instance if cache and environment are on
different devices.

So an archive's file is not trusted: its size and modification time are compared just
before it is linked. A file whose mode differs from that of a new file, because the
archive was unpacked under another umask, is copied.
"""

from __future__ import annotations

import enum
import errno
import logging
import os
import stat
import sys
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING

from polylock.errors import EnvironmentBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from polylock.installation.archive import Stamp, TreeFiles

    _Links = Callable[[TreeFiles, int], int]
    """Links files from a position on; returns the first position that failed."""

__all__ = ["FileChanged", "LinkMode", "Linker", "check_file", "make_directories"]

logger = logging.getLogger(__name__)


class LinkMode(enum.StrEnum):
    """The way to place files in an environment; ``auto`` takes the first that works."""

    AUTO = "auto"
    CLONE = "clone"
    HARDLINK = "hardlink"
    COPY = "copy"
    SYMLINK = "symlink"


class FileChanged(Exception):
    """A file of an archive was changed after unpacking; the text is its path."""


_AUTO = (LinkMode.CLONE, LinkMode.HARDLINK, LinkMode.COPY)

_FICLONE = 0x40049409
"""``_IOW(0x94, 9, int)`` of linux/fs.h, the same on x86-64 and AArch64."""


class Linker:
    """Links trees in one mode, with a fallback for each pair of devices.

    One thread: eight were three to four times slower at hard links (a directory is
    locked while it is written). ``used`` holds the modes that were used.
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

    def link_files(
        self, source: Path, target: Path, tree: TreeFiles, *, mode: int | None = None
    ) -> None:
        """Link files, given relative to both directories with /.

        Their directories must exist in ``target``. An existing file or link is
        replaced. ``mode`` is the ``st_mode`` of a new file in ``target``, or None if
        modes do not count: a file with another mode is copied, unless a specific link
        mode was requested.

        Raises FileChanged for a file that was changed after unpacking,
        FileNotFoundError, with its name, for one that ``source`` lacks, and
        EnvironmentBroken if no link mode works or a directory is in the way.
        """
        if not tree.files:
            return
        from_root, to_root = f"{source}{os.sep}", f"{target}{os.sep}"
        count, position = len(tree.files), 0

        def link_next() -> int:
            file, stamp = tree.files[position], tree.stamp(position)
            self.link_file(from_root + file, to_root + file, stamp, mode=mode)
            return position + 1

        while (link_mode := self._mode(str(source), str(target))) is None:
            position = link_next()
            if position == count:
                return
        self.used.add(link_mode)
        link = self._links[link_mode]
        with _many_links(source, target, link, mode) as link_from:
            # A file that cannot be linked like the others is linked on its own.
            while (position := link_from(tree, position)) < count:
                position = link_next()

    def link_file(
        self, source: str, target: str, stamp: Stamp, *, mode: int | None = None
    ) -> None:
        """Link one file; otherwise like ``link_files``."""
        has_mode = check_file(source, stamp, mode)
        if not has_mode and LinkMode.COPY in self._modes:
            self._copy(source, target)
            return
        directories = source.rpartition(os.sep)[0], target.rpartition(os.sep)[0]
        link_mode = self._mode(*directories)
        if link_mode is None:
            link_mode = self._choose(source, target)
            self._working[self._devices(*directories)] = link_mode
            self.used.add(link_mode)
            return
        self.used.add(link_mode)
        try:
            self._links[link_mode](source, target)
        except OSError as error:
            self._retry(error, link_mode, source, target)

    def copy_file(self, source: str, target: str, stamp: Stamp) -> None:
        """Copy one file, whatever the link mode is; raises like ``link_file``."""
        check_file(source, stamp, None)
        _make_room(target)
        _copy(source, target)

    def _copy(self, source: str, target: str) -> None:
        """Copy a file that cannot be linked, and record that copies were used."""
        self.used.add(LinkMode.COPY)
        try:
            _make_room(target)
            _copy(source, target)
        except FileNotFoundError:
            raise
        except OSError as failure:
            raise _unwritable(target, failure) from failure

    def _mode(self, source: str, target: str) -> LinkMode | None:
        """Return the link mode known to work between two directories' devices."""
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
                logger.info("files are linked by %s", mode)
                return mode
        raise EnvironmentBroken(
            target,
            f"cannot be written ({'; '.join(failures)})",
            "check the permissions and the free space, or use --link-mode copy",
        )

    def _retry(self, error: OSError, mode: LinkMode, source: str, target: str) -> None:
        """Link one file whose first attempt failed."""
        if isinstance(error, FileNotFoundError):
            raise error
        try:
            if isinstance(error, FileExistsError):
                _make_room(target)
                self._links[mode](source, target)
            elif error.errno in _ONE_FILE and LinkMode.COPY in self._modes:
                # A file has at most 1,023 links on NTFS and 65,000 on ext4.
                with suppress(FileNotFoundError):
                    os.unlink(target)  # noqa: PTH108 - a str, as all here
                _copy(source, target)
                self.used.add(LinkMode.COPY)
            else:
                raise error
        except OSError as failure:
            raise _unwritable(target, failure) from failure


def _unwritable(target: str, failure: OSError) -> EnvironmentBroken:
    return EnvironmentBroken(
        target,
        f"cannot be written: {failure.strerror}",
        "check the permissions and the free space, or use --link-mode copy",
    )


_ONE_FILE = frozenset({errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP})


def check_file(path: str, stamp: Stamp, mode: int | None) -> bool:
    """Return True if a file of an archive has the mode of a new file.

    Raises FileChanged if it was changed after unpacking, FileNotFoundError.
    """
    found = os.lstat(path)
    if (found.st_size, found.st_mtime_ns) != (stamp.size, stamp.mtime):
        raise FileChanged(path)
    if not stat.S_ISREG(found.st_mode):
        raise FileChanged(path)
    if mode is None or found.st_mode == _mode_of(
        mode, is_executable=stamp.is_executable
    ):
        return True
    if not found.st_mode & stat.S_IRUSR:
        raise FileChanged(path)
    if bool(found.st_mode & stat.S_IXUSR) != stamp.is_executable:
        raise FileChanged(path)
    return False


def _mode_of(mode: int, *, is_executable: bool) -> int:
    """Return the mode of a new file; executable for everyone who may read it."""
    return mode | (mode & 0o444) >> 2 if is_executable else mode


@contextmanager
def _many_links(
    source: Path, target: Path, link: Callable[[str, str], None], mode: int | None
) -> Iterator[_Links]:
    """Provide a function that links many files between two directories.

    Where the system can, files are hard-linked and examined relative to open
    directories: the shorter paths save as much time as examining the files costs.
    """
    if link is not os.link or link not in os.supports_dir_fd or mode is None:
        yield _by_path(f"{source}{os.sep}", f"{target}{os.sep}", link, mode)
        return
    origin = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        place = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield _by_descriptor(origin, place, mode)
        finally:
            os.close(place)
    finally:
        os.close(origin)


def _by_descriptor(origin: int, place: int, mode: int) -> _Links:
    link, look = os.link, os.stat
    runnable = _mode_of(mode, is_executable=True)

    def links(tree: TreeFiles, start: int) -> int:
        executable = tree.executable
        position = start
        try:
            for file, size, mtime in _from(tree, start):
                found = look(file, dir_fd=origin, follow_symlinks=False)
                if (
                    found.st_mtime_ns != mtime
                    or found.st_size != size
                    or found.st_mode != (runnable if file in executable else mode)
                ):
                    break
                link(file, file, src_dir_fd=origin, dst_dir_fd=place)
                position += 1
        except OSError:
            pass
        return position

    return links


def _from(tree: TreeFiles, start: int) -> Iterator[tuple[str, int, int]]:
    """Return the files of a tree from a position on, with their sizes and times."""
    columns = (tree.files, tree.sizes, tree.mtimes)
    return zip(*(islice(column, start, None) for column in columns), strict=True)


def _by_path(
    from_root: str, to_root: str, link: Callable[[str, str], None], mode: int | None
) -> _Links:
    def links(tree: TreeFiles, start: int) -> int:
        position = start
        try:
            for position in range(start, len(tree.files)):
                source = from_root + tree.files[position]
                if not check_file(source, tree.stamp(position), mode):
                    return position
                link(source, to_root + tree.files[position])
        except OSError:
            return position
        return len(tree.files)

    return links


def make_directories(root: Path, directories: Sequence[str]) -> None:
    """Make directories under ``root``, given parents first with /.

    Raises EnvironmentBroken if a file or a symbolic link has the name: through a link
    the installation would write somewhere else.
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
                    "remove it, or recreate the environment",
                ) from error
        except OSError as error:
            raise EnvironmentBroken(
                path, f"cannot be made: {error.strerror}"
            ) from error


def _is_directory(status: os.stat_result) -> bool:
    """Return True if this is a directory, not a link or a junction."""
    import stat  # noqa: PLC0415 - only where directories exist already

    reparse = getattr(status, "st_file_attributes", 0) & 0x400
    return stat.S_ISDIR(status.st_mode) and not reparse


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
            "remove it, or recreate the environment",
        ) from error


def _copy(source: str, target: str) -> None:
    """Copy content into a new file, with the mode and times of a new file.

    ``shutil.copyfile`` would write into an existing file, and through a hard link
    into the cache.
    """
    import shutil  # noqa: PLC0415 - 2 ms, where nothing is linked

    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with open(source, "rb") as origin:  # noqa: PTH123 - a str, as all here
        descriptor = os.open(target, flags, _new_mode(origin.fileno()))
        with open(descriptor, "wb") as copy:  # noqa: PTH123 - a descriptor
            shutil.copyfileobj(origin, copy, _CHUNK)


def _new_mode(descriptor: int) -> int:
    """Return the mode to request for a copy, before the umask is applied."""
    executable = os.fstat(descriptor).st_mode & stat.S_IXUSR
    return 0o777 if executable else 0o666


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
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        copy = os.open(target, flags, _new_mode(origin))
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
