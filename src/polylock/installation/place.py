"""Where each file of a wheel goes in an environment, and putting it there."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from polylock.environment.exclusive import LOCK_FILE
from polylock.environment.installed import PARTIAL_RECORD
from polylock.environment.venv import STATE_FILE
from polylock.errors import ArchiveDamaged, EnvironmentBroken, FileCorrupt
from polylock.installation.archive import TREE
from polylock.installation.link import make_directories
from polylock.installation.record_format import RecordRow
from polylock.installation.records import installation_files, record_text, row_of
from polylock.installation.scripts import (
    launcher_kind,
    make_launcher,
    rewrite_shebang,
)

if TYPE_CHECKING:
    from polylock.environment.interpreter import Interpreter
    from polylock.installation.archive import ArchiveManifest, DataFile
    from polylock.installation.link import Linker
    from polylock.installation.plan import WantedDistribution

__all__ = ["Placement"]

_INTERPRETER_NAME = re.compile(r"(pythonw?|pypyw?)[0-9.]*t?(\.exe)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Written:
    """A file that is written outside of the linked tree.

    ``content`` is None for one that is copied from ``source`` in the tree.
    """

    target: Path
    row: RecordRow
    source: str
    content: bytes | None
    is_executable: bool


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A wheel and the place in an environment that it goes to."""

    wanted: WantedDistribution
    archive: Path
    manifest: ArchiveManifest
    interpreter: Interpreter

    @property
    def version(self) -> str:
        """Return the version that is installed."""
        return self.manifest.version

    @property
    def site(self) -> Path:
        """Return the directory that takes the root of the wheel (PEP 427)."""
        scheme = self.interpreter.scheme
        root = scheme.purelib if self.manifest.root_is_purelib else scheme.platlib
        return Path(root)

    @property
    def info(self) -> Path:
        """Return the ``.dist-info`` directory."""
        return self.site / self.manifest.dist_info

    @cached_property
    def written(self) -> tuple[_Written, ...]:
        """Return the scripts and data files, contents of scripts included.

        Raises FileCorrupt for a file that would take the place of one of the
        environment's own, ArchiveDamaged where the archive lacks a file.
        """
        found = [self._data_file(file) for file in self.manifest.data]
        found += self._launchers()
        for file in found:
            self._refuse_reserved(file.target)
        # A launcher takes the place of a script of its name, as with pip.
        return tuple({file.target: file for file in found}.values())

    def check(self) -> None:
        """Find what forbids to install the distribution; nothing is changed.

        Raises FileCorrupt, ArchiveDamaged.
        """
        placed = set(self.manifest.files)
        for file in self.written:
            if file.target.is_relative_to(self.site) and file.row.path in placed:
                raise FileCorrupt(self.wanted.filename, f"it has {file.row.path} twice")

    def _data_file(self, file: DataFile) -> _Written:
        target = self._scheme_directory(file.key) / file.path
        path = _relative(target, self.site)
        if file.key != "scripts":
            row = RecordRow(path, file.hash, str(file.size))
            return _Written(target, row, file.source, None, file.is_executable)
        content = self._read(file.source)
        rewritten = rewrite_shebang(content, self.interpreter.executable)
        row = row_of(path, rewritten)
        # PEP 427: "Unix installers may need to add the +x bit to these files if the
        # archive was created on Windows."
        return _Written(target, row, file.source, rewritten, is_executable=True)

    def _launchers(self) -> list[_Written]:
        if not self.manifest.entry_points:
            return []
        kind = launcher_kind(self.interpreter.platform)
        directory = Path(self.interpreter.scheme.scripts)
        found: list[_Written] = []
        for entry_point in self.manifest.entry_points:
            made = make_launcher(entry_point, self.interpreter.executable, kind)
            target = directory / made.filename
            row = row_of(_relative(target, self.site), made.content)
            found.append(_Written(target, row, "", made.content, is_executable=True))
        return found

    def _scheme_directory(self, key: str) -> Path:
        scheme = self.interpreter.scheme
        match key:
            case "purelib":
                return Path(scheme.purelib)
            case "platlib":
                return Path(scheme.platlib)
            case "scripts":
                return Path(scheme.scripts)
            case "headers":
                # "distribution name" (PEP 427), as the wheel spells it
                return Path(scheme.headers) / self.manifest.stem.rpartition("-")[0]
            case _:
                return Path(scheme.data)

    def _refuse_reserved(self, target: Path) -> None:
        """Refuse what would replace the Python or the mark of the environment."""
        scripts = Path(self.interpreter.scheme.scripts)
        prefix = Path(self.interpreter.prefix)
        own = {"pyvenv.cfg", STATE_FILE, LOCK_FILE}
        if (target.parent == scripts and _INTERPRETER_NAME.fullmatch(target.name)) or (
            target.parent == prefix
            and (target.name in own or target.name.startswith(".polylock"))
        ):
            raise FileCorrupt(
                self.wanted.filename,
                f"it would replace {target.name} of the environment",
            )

    def _read(self, source: str) -> bytes:
        try:
            return (self.archive / TREE / source).read_bytes()
        except OSError as error:
            raise self._damaged(source) from error

    def _damaged(self, source: str) -> ArchiveDamaged:
        return ArchiveDamaged(
            self.wanted.filename, f"{source} is missing", self.wanted.sha256
        )

    def put(self, linker: Linker) -> None:
        """Install the distribution; its place must be free.

        The partial RECORD lists every file before the first is written, and becomes
        RECORD when all are. Raises EnvironmentBroken, and ArchiveDamaged where the
        archive lacks a file.
        """
        added = installation_files(self.wanted)
        record = record_text(
            self.manifest.record,
            added,
            (file.row for file in self.written),
            dist_info=self.manifest.dist_info,
        )
        try:
            self.info.mkdir(parents=True, exist_ok=True)
            partial = self.info / PARTIAL_RECORD
            _create(partial, record.encode())
            make_directories(self.site, self.manifest.directories)
            self._link(linker)
            for file in self.written:
                self._write(file)
            for name, content in added.items():
                _create(self.info / name, content)
            partial.replace(self.info / "RECORD")
        except OSError as error:
            raise EnvironmentBroken(
                str(error.filename or self.info),
                f"cannot be written: {error.strerror}",
            ) from error

    def _link(self, linker: Linker) -> None:
        try:
            linker.link_files(self.archive / TREE, self.site, self.manifest.files)
        except FileNotFoundError as error:
            raise self._damaged(str(error.filename)) from error

    def _write(self, file: _Written) -> None:
        file.target.parent.mkdir(parents=True, exist_ok=True)
        if file.content is not None:
            _create(file.target, file.content, is_executable=file.is_executable)
            return
        try:
            with (self.archive / TREE / file.source).open("rb") as source:
                _create(file.target, source, is_executable=file.is_executable)
        except FileNotFoundError as error:
            raise self._damaged(file.source) from error


def _create(
    target: Path, content: bytes | BinaryIO, *, is_executable: bool = False
) -> None:
    """Write a new file in place of any other of that name.

    What is there is removed and never opened: it may be a hard link into the cache,
    or a symbolic link to anywhere.
    """
    target.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(target, flags, 0o777 if is_executable else 0o666)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
        if isinstance(content, bytes):
            file.write(content)
        else:
            shutil.copyfileobj(content, file)


def _relative(target: Path, site: Path) -> str:
    """Return the path of a file as RECORD has it: relative to site-packages, with /.

    Absolute where there is no relative one, as between two drives.
    """
    from os.path import relpath  # noqa: PLC0415, TID251 - pathlib's needs Python 3.12

    try:
        return Path(relpath(target, site)).as_posix()
    except ValueError:
        return target.as_posix()
