"""Builds source distributions and trees in isolated environments."""

from __future__ import annotations

import logging
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from polylock.build.backend import BuildSystem, InvalidBuildSystem
from polylock.build.frontend import Frontend, HookFailed, build_variables
from polylock.build.sdist import unpack_sdist
from polylock.cache.store import Bucket, Store
from polylock.environment.venv import create
from polylock.errors import (
    BuildFailed,
    CacheUnusable,
    FileCorrupt,
    NoSolution,
    ProjectNotFound,
)
from polylock.model.core_metadata import CoreMetadata, InvalidCoreMetadata
from polylock.model.filenames import InvalidFilename, SdistFilename, WheelFilename
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from polylock.environment.interpreter import Interpreter
    from polylock.ports import Provisioner

__all__ = ["IsolatedBuilder", "wheel_metadata"]

_LIMIT = 1 << 24


def wheel_metadata(path: Path) -> bytes:
    """Return METADATA of a built wheel; raises HookFailed if it cannot be read.

    The rest of the wheel is verified when it is unpacked, like any other.
    """
    try:
        parsed = WheelFilename.parse(path.name)
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                directory, _, name = info.filename.partition("/")
                stem, suffix = directory.partition("-")[0], ".dist-info"
                if (
                    name == "METADATA"
                    and directory.endswith(suffix)
                    and canonicalize_name(stem) == parsed.name
                    and info.file_size <= _LIMIT
                ):
                    return archive.read(info)
    except InvalidFilename as error:
        raise HookFailed(f"build_wheel wrote no wheel: {error}") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,  # an encrypted member
        OSError,
    ) as error:
        step = f"build_wheel wrote {path.name}, which is not a readable wheel"
        raise HookFailed(step) from error
    raise HookFailed(f"build_wheel wrote {path.name}, which has no METADATA")


_REQUIREMENTS_ADVICE = (
    "add the index that has them: [[tool.polylock.index]], or constrain the project "
    "to a version that has a wheel for the target"
)

_TREE_ADVICE = (
    "fix the source tree as its build backend reports; "
    "if it is the project itself, --no-install-project skips it"
)
"""Advice for a directory or checkout, which has no other version."""

_BESIDE_ADVICE = (
    "it is built without isolation, among what is locked for the target: its build "
    "requirements must be locked as well, as in a dependency group"
)

logger = logging.getLogger(__name__)


class IsolatedBuilder(Value, frozen=True, kw_only=True):
    """Implements ``SdistBuilder`` with a virtual environment for each build.

    ``interpreter`` creates the environments, ``provisioner`` installs into them;
    ``variables`` are the environment variables of this process. Everything is in a
    temporary directory of the cache, so that files can be linked from there.
    ``requires`` are requirements besides those of the build system. Without
    ``isolated`` the environment gets no build requirements: the provisioner knows what
    else it has. ``config`` are the ``config_settings`` of the hooks.
    """

    store: Store
    interpreter: Interpreter
    provisioner: Provisioner
    variables: Mapping[str, str]
    requires: tuple[str, ...] = ()
    isolated: bool = True
    config: Mapping[str, str | list[str]] = field(default_factory=dict)

    def metadata(self, path: Path, filename: str) -> CoreMetadata:
        """Return the core metadata; raises BuildFailed, FileCorrupt, CacheUnusable.

        A backend without the hook for it builds the whole wheel.
        """
        with self._prepared(path, filename) as build:
            return build.metadata()

    def wheel(self, path: Path, filename: str, destination: Path) -> Path:
        """Build a wheel in ``destination``; raises what ``metadata`` raises."""
        with self._prepared(path, filename) as build:
            return build.wheel_into(destination)

    def tree_metadata(self, tree: Path, name: str) -> CoreMetadata:
        """Return the core metadata of a source tree of a project.

        Raises what ``metadata`` raises.
        """
        with self._prepared_tree(_Subject(name), tree) as build:
            return build.metadata()

    def tree_wheel(
        self, tree: Path, name: str, destination: Path, *, editable: bool = False
    ) -> Path:
        """Build a wheel of a source tree, in place; raises what ``metadata`` raises."""
        subject = _Subject(name, editable=editable)
        with self._prepared_tree(subject, tree) as build:
            return build.wheel_into(destination)

    @contextmanager
    def _prepared(self, path: Path, filename: str) -> Iterator[_Build]:
        """Yield a build of an unpacked source distribution; see ``_prepared_tree``."""
        try:
            parsed = SdistFilename.parse(filename)
        except InvalidFilename as error:
            raise FileCorrupt(filename, "it is not a source distribution") from error
        root = self.store.root / Bucket.BUILDS.directory
        with self.store.temporary_directory(root) as work:
            tree = unpack_sdist(path, work / "source", filename=filename)
            subject = _Subject(parsed.name, parsed.version)
            with self._prepared_tree(subject, tree) as build:
                yield build

    @contextmanager
    def _prepared_tree(self, subject: _Subject, tree: Path) -> Iterator[_Build]:
        """Yield a build in a new environment; its failures become BuildFailed."""
        root = self.store.root / Bucket.BUILDS.directory
        with self.store.temporary_directory(root) as work:
            try:
                system = BuildSystem.read(tree)
                logger.info("building %s", subject.name)
                frontend = self._environment(
                    work, tree, system, editable=subject.editable
                )
                yield _Build(subject, work, frontend)
            except (
                HookFailed,
                InvalidBuildSystem,
                InvalidCoreMetadata,
                NoSolution,
                ProjectNotFound,
            ) as error:
                raise _failure(subject, error, isolated=self.isolated) from error

    def _environment(
        self, work: Path, tree: Path, system: BuildSystem, *, editable: bool
    ) -> Frontend:
        """Return the frontend of an environment that meets all build requirements."""
        directory = work / "environment"
        create(directory, self.interpreter)
        wanted = (*system.requires, *self.requires) if self.isolated else ()
        python = self.provisioner.provision(wanted, directory)
        frontend = Frontend(
            tree=tree,
            system=system,
            python=python,
            variables=build_variables(self.variables, python.parent),
            log=work / "output.txt",
            config=self.config,
        )
        further = frontend.requires(editable=editable) if self.isolated else ()
        if further:
            wanted = (*wanted, *further)
            self.provisioner.provision(tuple(dict.fromkeys(wanted)), directory)
        return frontend


class _Subject(Value, frozen=True):
    """The project to build; the version is None for a source tree."""

    name: str
    version: str | None = None
    editable: bool = False


class _Build(Value, frozen=True):
    """A prepared build; its result must match the subject."""

    subject: _Subject
    work: Path
    frontend: Frontend

    def metadata(self) -> CoreMetadata:
        """Return the core metadata, from a wheel if the backend has no hook for it."""
        content = self.frontend.metadata(self.make("metadata"))
        if content is None:
            content = wheel_metadata(self.frontend.wheel(self.make("wheel")))
        metadata = CoreMetadata.parse(content)
        self.check(metadata)
        return metadata

    def wheel_into(self, destination: Path) -> Path:
        """Build a wheel and move it to a directory."""
        built = self.frontend.wheel(self.make("wheel"), editable=self.subject.editable)
        self.check(CoreMetadata.parse(wheel_metadata(built)))
        target = destination / built.name
        try:
            built.replace(target)
        except OSError as error:
            problem = error.strerror or str(error)
            raise CacheUnusable(str(destination), problem) from error
        return target

    def make(self, name: str) -> Path:
        """Create a directory for the backend's output."""
        directory = self.work / name
        try:
            directory.mkdir()
        except OSError as error:
            problem = error.strerror or str(error)
            raise CacheUnusable(str(directory), problem) from error
        return directory

    def check(self, metadata: CoreMetadata) -> None:
        """Raise HookFailed if name or version are not those of the subject."""
        wanted = self.subject.version
        try:
            found = Version(metadata.version)
            same = wanted is None or found == Version(wanted)
        except ValueError:
            same = False
        if not same or canonicalize_name(metadata.name) != self.subject.name:
            raise HookFailed(f"the build produced {metadata.name} {metadata.version}")


def _failure(subject: _Subject, error: Exception, *, isolated: bool) -> BuildFailed:
    step = str(error)
    output: tuple[str, ...] = ()
    advice = None
    match error:
        case HookFailed():
            output = error.output
            advice = None if subject.version else _TREE_ADVICE
            if not isolated:
                advice = _BESIDE_ADVICE
        case InvalidCoreMetadata():
            step = f"its metadata is invalid: {error}"
        case NoSolution():
            step = "its build requirements cannot be met"
            output = tuple(error.explanation)
            advice = error.hint() or _REQUIREMENTS_ADVICE
        case ProjectNotFound():
            step = f"its build requirements cannot be met: {error}"
            advice = error.hint()
        case _:
            pass
    version = subject.version or "(unversioned)"
    return BuildFailed(subject.name, version, step, output, advice)
