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

So no file of an archive is believed to be what was unpacked: its size and the time of
its last change are looked at just before it is linked. One that has another mode than
the umask gives to a new file here, since the archive was unpacked under another, is
copied.
"""

from __future__ import annotations

import enum
import errno
import logging
import os
import stat
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from polylock.errors import EnvironmentBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from polylock.installation.archive import Stamp, TreeFiles

    _Links = Callable[[TreeFiles, int], int]
    """Links files from a position on; returns that of the first it could not link."""

__all__ = ["FileChanged", "LinkMode", "Linker", "check_file", "make_directories"]

logger = logging.getLogger(__name__)


class LinkMode(enum.StrEnum):
    """How files get into an environment; ``auto`` takes the first that works."""

    AUTO = "auto"
    CLONE = "clone"
    HARDLINK = "hardlink"
    COPY = "copy"
    SYMLINK = "symlink"


class FileChanged(Exception):
    """A file of an archive is not what was unpacked; the text is its path."""


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

    def link_files(
        self, source: Path, target: Path, tree: TreeFiles, *, mode: int | None = None
    ) -> None:
        """Link files, given relative to both directories with /.

        Their directories must exist in ``target``. A file or link that stands in
        the way is replaced. ``mode`` is the one of a new file in ``target`` as
        ``st_mode`` has it, None where modes do not count: a file that has another is
        copied, unless one mode of linking was asked for.

        Raises FileChanged for a file that is not what was unpacked,
        FileNotFoundError, with its name, for one that ``source`` lacks, and
        EnvironmentBroken where no mode works or a directory stands in the way.
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
            # What cannot be linked as all others are is done by itself.
            while (position := link_from(tree, position)) < count:
                position = link_next()

    def link_file(
        self, source: str, target: str, stamp: Stamp, *, mode: int | None = None
    ) -> None:
        """Link one file; as ``link_files`` in all else."""
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
        """Copy one file, whatever the mode of linking is; as ``link_file``."""
        check_file(source, stamp, None)
        _make_room(target)
        _copy(source, target)

    def _copy(self, source: str, target: str) -> None:
        """Copy a file that cannot be linked, and say that some were."""
        self.used.add(LinkMode.COPY)
        try:
            _make_room(target)
            _copy(source, target)
        except FileNotFoundError:
            raise
        except OSError as failure:
            raise _unwritable(target, failure) from failure

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
            raise _unwritable(target, failure) from failure


def _unwritable(target: str, failure: OSError) -> EnvironmentBroken:
    return EnvironmentBroken(
        target,
        f"cannot be written: {failure.strerror}",
        "check the permissions and the free space, or use --link-mode copy",
    )


_ONE_FILE = frozenset({errno.EMLINK, errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP})


def check_file(path: str, stamp: Stamp, mode: int | None) -> bool:
    """Return whether a file of an archive has the mode of a new file.

    Raises FileChanged where it is not what was unpacked, FileNotFoundError.
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
    """Return the mode of a new file; one to be run may be run by all who may read."""
    return mode | (mode & 0o444) >> 2 if is_executable else mode


@contextmanager
def _many_links(
    source: Path, target: Path, link: Callable[[str, str], None], mode: int | None
) -> Iterator[_Links]:
    """Give what links many files between two directories.

    Hard links are made, and files looked at, from open directories where the system
    can: paths are shorter then, and what that saves pays for the looking.
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
        files, sizes, mtimes, executable = tree
        position = start
        try:
            for position in range(start, len(files)):
                file = files[position]
                found = look(file, dir_fd=origin, follow_symlinks=False)
                if (
                    found.st_mtime_ns != mtimes[position]
                    or found.st_size != sizes[position]
                    or found.st_mode != (runnable if file in executable else mode)
                ):
                    return position
                link(file, file, src_dir_fd=origin, dst_dir_fd=place)
        except OSError:
            return position
        return len(files)

    return links


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
    """Copy content; mode and times are those of a new file.

    Only a new file is written. ``shutil.copyfile`` would write into one that is
    there, and through a hard link into the cache.
    """
    import shutil  # noqa: PLC0415 - 2 ms, where nothing is linked

    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with open(source, "rb") as origin:  # noqa: PTH123 - a str, as all here
        descriptor = os.open(target, flags, _new_mode(origin.fileno()))
        with open(descriptor, "wb") as copy:  # noqa: PTH123 - a descriptor
            shutil.copyfileobj(origin, copy, _CHUNK)


def _new_mode(descriptor: int) -> int:
    """Return the mode to ask for in a copy; the umask takes its part of it."""
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
