"""The place of each file of a wheel in an environment, and its installation there."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from polylock.environment.installed import PARTIAL_RECORD
from polylock.errors import ArchiveDamaged, EnvironmentBroken, FileCorrupt
from polylock.installation.archive import TREE, ArchiveManifest, DataFile
from polylock.installation.link import FileChanged, Linker, make_directories
from polylock.installation.record import (
    RecordRow,
    has_hash,
    installation_files,
    record_text,
    row_of,
)
from polylock.installation.scripts import (
    launcher_kind,
    make_launcher,
    rewrite_shebang,
)
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polylock.environment.interpreter import Interpreter
    from polylock.installation.own_files import OwnFiles
    from polylock.installation.plan import WantedDistribution

__all__ = ["Placement", "ignores_case"]

_LONGEST_NAME = 255  # bytes
_LONGEST_PATH = 1023 if sys.platform == "darwin" else 4095  # bytes
_BYTES_OF_A_CHARACTER = 4  # at most, in UTF-8


class _Written(NamedTuple):
    """A file installed outside of the wheel's tree: a script or a data file.

    ``content`` is None for a file that is linked or copied from ``source`` in the
    archive. Any other is written, with the executable bit.
    """

    target: str
    row: RecordRow
    source: DataFile | None
    content: bytes | None
    is_copied: bool = False


class Placement(Value, frozen=True, kw_only=True, dict=True):
    """A wheel and its place in an environment.

    ``own`` are the environment's own files, one object for all of its placements.
    """

    wanted: WantedDistribution
    archive: Path
    manifest: ArchiveManifest
    interpreter: Interpreter
    own: OwnFiles

    @property
    def version(self) -> str:
        """Return the version in the wheel's metadata."""
        return self.manifest.version

    @cached_property
    def tops(self) -> frozenset[str]:
        """Return the names that the wheel's root has in site-packages."""
        manifest = self.manifest
        found = {path for path in manifest.directories if "/" not in path}
        found.update(path for path in manifest.files if "/" not in path)
        return frozenset(found)

    @cached_property
    def site(self) -> Path:
        """Return the directory that the wheel's root is installed into (PEP 427)."""
        scheme = self.interpreter.scheme
        root = scheme.purelib if self.manifest.root_is_purelib else scheme.platlib
        return Path(root)

    @cached_property
    def info(self) -> Path:
        """Return the ``.dist-info`` directory."""
        return self.site / self.manifest.dist_info

    @cached_property
    def written(self) -> tuple[_Written, ...]:
        """Return the scripts and data files, with the contents of scripts.

        Raises FileCorrupt for a file that would replace one of the environment's own,
        ArchiveDamaged if the archive lacks a file.
        """
        found = [self._data_file(file) for file in self.manifest.data]
        found += self._launchers()
        for file in found:
            self._refuse_reserved(file)
        # A launcher replaces a script of the same name, as with pip.
        return tuple({file.target: file for file in found}.values())

    def check(self) -> None:
        """Raise FileCorrupt or ArchiveDamaged if the wheel must not be installed."""
        written = {file.row.path for file in self.written}
        for path in sorted(written.intersection(self.manifest.files)):
            raise FileCorrupt(self.wanted.filename, f"it has {path} twice")
        if self.manifest.clash and ignores_case(self.site):
            # The file system of the cache may tell the names apart.
            from polylock.model.archive_checks import differ_in_case  # noqa: PLC0415 - 2 ms

            raise FileCorrupt(
                self.wanted.filename, differ_in_case(*self.manifest.clash)
            )
        if self._may_be_too_long:
            longest = max(self.places, key=lambda place: len(os.fsencode(place)))
            if len(os.fsencode(longest)) > _LONGEST_PATH:
                raise FileCorrupt(
                    self.wanted.filename, f"the path {longest} is too long here"
                )

    @property
    def _may_be_too_long(self) -> bool:
        """Return True if the characters of a path may need too many bytes."""
        files = max(map(len, self.manifest.files), default=0)
        written = max((len(file.target) for file in self.written), default=0)
        longest = max(len(self._site_text) + 1 + files, written)
        return longest * _BYTES_OF_A_CHARACTER > _LONGEST_PATH

    @property
    def paths(self) -> Iterator[str]:
        """Yield the paths of all files as RECORD has them, except RECORD itself."""
        yield from self.manifest.files
        for file in self.written:
            yield file.row.path

    @property
    def places(self) -> Iterator[str]:
        """Yield the absolute paths of all files, scripts included."""
        for file in self.manifest.files:
            yield _join(self._site_text, file)
        for written in self.written:
            yield written.target

    @property
    def places_outside_info(self) -> Iterator[str]:
        """Yield the absolute paths of all files outside ``.dist-info``."""
        own = _join(self._site_text, f"{self.manifest.dist_info}/")
        return (place for place in self.places if not place.startswith(own))

    def place(self, path: str) -> str:
        """Return the absolute path of a file in site-packages."""
        return _join(self._site_text, path)

    def _data_file(self, file: DataFile) -> _Written:
        target = self._real(_join(self._scheme_directory(file.key), file.path))
        path = self._recorded(target)
        if file.key != "scripts":
            row = RecordRow(path, file.hash, str(file.size))
            # People edit configuration, and a hard link is the cache's file.
            is_copied = file.key == "data" and file.path.startswith("etc/")
            return _Written(target, row, file, None, is_copied)
        content = self._read(file)
        rewritten = rewrite_shebang(content, self.interpreter.executable)
        # PEP 427: "Unix installers may need to add the +x bit to these files if the
        # archive was created on Windows."
        return _Written(target, row_of(path, rewritten), file, rewritten)

    def _launchers(self) -> list[_Written]:
        if not self.manifest.entry_points:
            return []
        kind = launcher_kind(self.interpreter.platform)
        directory = self._scheme_directory("scripts")
        found: list[_Written] = []
        for entry_point in self.manifest.entry_points:
            made = make_launcher(entry_point, self.interpreter.executable, kind)
            target = _join(directory, made.filename)
            row = row_of(self._recorded(target), made.content)
            found.append(_Written(target, row, None, made.content))
        return found

    def _scheme_directory(self, key: str) -> str:
        """Return the directory of a key in ``.data``, spelled as ``Path`` does."""
        scheme = self.interpreter.scheme
        match key:
            case "purelib":
                return _spelled(scheme.purelib)
            case "platlib":
                return _spelled(scheme.platlib)
            case "scripts":
                return _spelled(scheme.scripts)
            case "headers":
                # "distribution name" (PEP 427), as the wheel spells it
                name = self.manifest.stem.rpartition("-")[0]
                return _join(_spelled(scheme.headers), name)
            case _:
                return _spelled(scheme.data)

    @cached_property
    def _site_text(self) -> str:
        return str(self.site)

    @cached_property
    def _info_text(self) -> str:
        return _join(self._site_text, self.manifest.dist_info)

    @cached_property
    def _tree_text(self) -> str:
        return f"{self.archive}{os.sep}{TREE}"

    def _real(self, target: str) -> str:
        """Return a path, spelled relative to site-packages if it lies inside it.

        ``lib64`` is a link to ``lib`` in many environments.
        """
        directory, _, name = target.rpartition(os.sep)
        inside = self._inside(directory)
        if inside is None:
            return target
        return f"{self._site_text}{inside}{os.sep}{name}"

    def _inside(self, directory: str) -> str | None:
        """Return the part of a directory below site-packages, or None outside."""
        real = self.own.real_directory(directory)
        site = self.own.real_directory(self._site_text)
        if real != site and not real.startswith(f"{site}{os.sep}"):
            return None
        return real[len(site) :]

    def _recorded(self, target: str) -> str:
        """Return the path of a file as RECORD has it."""
        directory, _, name = target.rpartition(os.sep)
        found = _relative(directory, self._site_text)
        return name if found == "." else f"{found}/{name}"

    def _refuse_reserved(self, file: _Written) -> None:
        """Refuse a file that replaces the environment's Python or a marker file.

        Refuse also a file in a ``.dist-info``, which says what is installed and what
        to remove.
        """
        directory, _, name = file.target.rpartition(os.sep)
        filename = self.wanted.filename
        if self.own.is_vital(self.own.real_directory(directory), name):
            raise FileCorrupt(filename, f"it would replace {name} of the environment")
        top = file.row.path.partition("/")[0]
        if top.casefold().endswith(".dist-info"):
            raise FileCorrupt(filename, f"it would write into {top} through .data")
        if len(os.fsencode(name)) > _LONGEST_NAME:
            raise FileCorrupt(filename, f"the name {name} is too long")

    def _read(self, file: DataFile) -> bytes:
        """Return the content of a script, compared with its hash in RECORD."""
        try:
            content = Path(self._tree_text, file.source).read_bytes()
        except OSError as error:
            raise self._damaged(f"{file.source} is missing") from error
        if not has_hash(content, file.hash):
            raise self._damaged(f"{file.source} was changed")
        return content

    def _damaged(self, problem: str) -> ArchiveDamaged:
        return ArchiveDamaged(self.wanted.filename, problem, self.wanted.sha256)

    def put(self, linker: Linker) -> None:
        """Install the distribution; its place must be free.

        This runs the four steps below in order. Each raises EnvironmentBroken, and
        ArchiveDamaged if the archive lacks a file. ``put_tree`` and ``put_others`` can
        be repeated after a failure, in any order.
        """
        self.begin()
        self.put_tree(linker)
        self.put_others(linker)
        self.finish()

    def begin(self) -> None:
        """Write the partial RECORD, which lists every file before the first exists."""
        record = record_text(
            self.manifest.record,
            self._added,
            (file.row for file in self.written),
            dist_info=self.manifest.dist_info,
        )
        with self._writing():
            _make_directory(self._info_text)
            _create(_join(self._info_text, PARTIAL_RECORD), record.encode())

    def put_tree(self, linker: Linker) -> None:
        """Link the files that go to site-packages unchanged."""
        with self._writing():
            make_directories(self.site, self.manifest.directories)
            self._link(linker)

    def put_others(self, linker: Linker) -> None:
        """Write and link the scripts, the data files and the added metadata."""
        with self._writing():
            made: set[str] = set()
            for file in self.written:
                directory = file.target.rpartition(os.sep)[0]
                if directory not in made:
                    _make_directory(directory)
                    made.add(directory)
                self._write(file, linker)
            for name, content in self._added.items():
                _create(_join(self._info_text, name), content)

    def finish(self) -> None:
        """Rename the partial RECORD to RECORD: every file is installed."""
        with self._writing():
            partial = _join(self._info_text, PARTIAL_RECORD)
            os.replace(partial, _join(self._info_text, "RECORD"))  # noqa: PTH105 - a str

    @cached_property
    def _added(self) -> dict[str, bytes]:
        return installation_files(self.wanted, self.tops - {self.manifest.dist_info})

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EnvironmentBroken(
                str(error.filename or self.info),
                f"cannot be written: {error.strerror}",
            ) from error

    def _link(self, linker: Linker) -> None:
        with self._reading():
            linker.link_files(
                self.archive / TREE,
                self.site,
                self.manifest.tree_files,
                mode=self._new_file_mode,
            )

    @cached_property
    def _new_file_mode(self) -> int | None:
        """Return the mode of a new file here, or None on Windows."""
        if os.name == "nt":
            return None
        partial = _join(self._info_text, PARTIAL_RECORD)
        return os.stat(partial).st_mode  # noqa: PTH116 - a str

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Raise ArchiveDamaged if a file of the archive is missing or was changed."""
        try:
            yield
        except FileNotFoundError as error:
            raise self._damaged(f"{error.filename} is missing") from error
        except FileChanged as error:
            raise self._damaged(f"{error} was changed") from error

    def _write(self, file: _Written, linker: Linker) -> None:
        if file.content is not None:
            _create(file.target, file.content, 0o777)
            return
        assert file.source is not None
        source = _join(self._tree_text, file.source.source)
        stamp = file.source.stamp
        with self._reading():
            if file.is_copied:
                linker.copy_file(source, file.target, stamp)
            else:
                linker.link_file(source, file.target, stamp, mode=self._new_file_mode)


def ignores_case(directory: Path) -> bool:
    """Return True if the file system of a directory is case-insensitive."""
    swapped = directory.with_name(directory.name.swapcase())
    with suppress(OSError):
        return swapped != directory and swapped.samefile(directory)
    return False


def _make_directory(directory: str) -> None:
    """Make a directory and its parents, unless they exist."""
    try:
        os.mkdir(directory)  # noqa: PTH102 - a str, and its parent mostly exists
    except OSError:
        Path(directory).mkdir(parents=True, exist_ok=True)


def _create(target: str, content: bytes, mode: int = 0o666) -> None:
    """Write a new file, replacing any other of that name.

    An existing file is removed, never opened: it may be a hard link into the cache
    or a symbolic link to anywhere.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(target, flags, mode)
    except FileExistsError:
        os.unlink(target)  # noqa: PTH108 - a str, as all here
        descriptor = os.open(target, flags, mode)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
    finally:
        os.close(descriptor)


def _join(directory: str, path: str) -> str:
    """Return the native path of a relative path with / in a directory."""
    if os.sep != "/":
        path = path.replace("/", os.sep)
    return f"{directory}{os.sep}{path}"


@lru_cache(maxsize=64)
def _spelled(directory: str) -> str:
    """Return a directory, spelled as ``Path`` does."""
    return str(Path(directory))


@lru_cache(maxsize=1024)
def _relative(directory: str, site: str) -> str:
    """Return the path from site-packages to a directory, with /.

    The path is absolute if there is no relative one, as between two drives.
    """
    from os.path import relpath  # noqa: PLC0415, TID251 - pathlib's needs Python 3.12

    try:
        return Path(relpath(directory, site)).as_posix()
    except ValueError:
        return Path(directory).as_posix()
