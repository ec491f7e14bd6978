"""Builds a source distribution in an environment that holds nothing else."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from polylock.build.backend import BuildSystem, InvalidBuildSystem
from polylock.build.frontend import Frontend, HookFailed, build_variables
from polylock.build.sdist import unpack_sdist
from polylock.build.wheel import wheel_metadata
from polylock.cache.store import Bucket
from polylock.environment.venv import create
from polylock.errors import (
    BuildFailed,
    CacheUnusable,
    FileCorrupt,
    NoSolution,
    ProjectNotFound,
)
from polylock.model.core_metadata import CoreMetadata, InvalidCoreMetadata
from polylock.model.filenames import InvalidFilename, SdistFilename

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from polylock.cache.store import Store
    from polylock.environment.interpreter import Interpreter
    from polylock.ports import Provisioner

__all__ = ["IsolatedBuilder"]

_REQUIREMENTS_ADVICE = (
    "add the index that has them: [[tool.polylock.index]], or constrain the project "
    "to a version that has a wheel for the target"
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolatedBuilder:
    """Implements ``SdistBuilder``: a virtual environment for each build.

    ``interpreter`` makes the environments, ``provisioner`` fills them;
    ``variables`` are the environment variables of this process. Everything lies in
    a temporary directory of the cache, so that what is installed can be linked.
    """

    store: Store
    interpreter: Interpreter
    provisioner: Provisioner
    variables: Mapping[str, str]

    def metadata(self, path: Path, filename: str) -> CoreMetadata:
        """Return the core metadata; raises BuildFailed, FileCorrupt, CacheUnusable.

        A backend without the hook for it builds the whole wheel.
        """
        with self._prepared(path, filename) as build:
            place = build.make("metadata")
            content = build.frontend.metadata(place)
            if content is None:
                content = wheel_metadata(build.frontend.wheel(build.make("wheel")))
            metadata = CoreMetadata.parse(content)
            build.check(metadata)
            return metadata

    def wheel(self, path: Path, filename: str, destination: Path) -> Path:
        """Build a wheel into ``destination``; raises as ``metadata`` does."""
        with self._prepared(path, filename) as build:
            built = build.frontend.wheel(build.make("wheel"))
            build.check(CoreMetadata.parse(wheel_metadata(built)))
            target = destination / built.name
            try:
                built.replace(target)
            except OSError as error:
                problem = error.strerror or str(error)
                raise CacheUnusable(str(destination), problem) from error
            return target

    @contextmanager
    def _prepared(self, path: Path, filename: str) -> Iterator[_Build]:
        """Unpack, make the environment and fill it; tell failures of the block."""
        try:
            parsed = SdistFilename.parse(filename)
        except InvalidFilename as error:
            raise FileCorrupt(filename, "it is no source distribution") from error
        root = self.store.root / Bucket.BUILDS.directory
        with self.store.temporary_directory(root) as work:
            tree = unpack_sdist(path, work / "source", filename=filename)
            try:
                system = BuildSystem.read(tree)
                logger.info("building %s", filename)
                frontend = self._environment(work, tree, system)
                yield _Build(parsed.name, parsed.version, work, frontend)
            except (
                HookFailed,
                InvalidBuildSystem,
                InvalidCoreMetadata,
                NoSolution,
                ProjectNotFound,
            ) as error:
                raise _failure(parsed, error) from error

    def _environment(self, work: Path, tree: Path, system: BuildSystem) -> Frontend:
        """Return the frontend of an environment with all that the build needs."""
        directory = work / "environment"
        create(directory, self.interpreter)
        python = self.provisioner.provision(system.requires, directory)
        frontend = Frontend(
            tree=tree,
            system=system,
            python=python,
            variables=build_variables(self.variables, python.parent),
            log=work / "output.txt",
        )
        further = frontend.requires()
        if further:
            wanted = (*system.requires, *further)
            self.provisioner.provision(tuple(dict.fromkeys(wanted)), directory)
        return frontend


@dataclass(frozen=True, slots=True)
class _Build:
    """A build under way, of what the file name says."""

    name: str
    version: str
    work: Path
    frontend: Frontend

    def make(self, name: str) -> Path:
        """Make a directory for what the backend writes."""
        directory = self.work / name
        try:
            directory.mkdir()
        except OSError as error:
            problem = error.strerror or str(error)
            raise CacheUnusable(str(directory), problem) from error
        return directory

    def check(self, metadata: CoreMetadata) -> None:
        """Refuse another project or version than the file name says."""
        try:
            same = Version(metadata.version) == Version(self.version)
        except InvalidVersion:
            same = False
        if not same or canonicalize_name(metadata.name) != self.name:
            raise HookFailed(f"it became {metadata.name} {metadata.version}")


def _failure(parsed: SdistFilename, error: Exception) -> BuildFailed:
    step = str(error)
    output: tuple[str, ...] = ()
    advice = None
    match error:
        case HookFailed():
            output = error.output
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
    return BuildFailed(parsed.name, parsed.version, step, output, advice)
