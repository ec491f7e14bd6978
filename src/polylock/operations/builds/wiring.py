"""Wires builds to the solver, and provides the context of runs that may build.

A build needs a solve and an installation, and a solve may need a build. This cycle is
closed here and nowhere else: the builder gets the provisioner and vice versa.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.cache.store import Bucket
from polylock.errors import CacheUnusable
from polylock.model.distributions import Unusable
from polylock.model.reasons import NeedsBuild
from polylock.operations.context import Context

if TYPE_CHECKING:
    from polylock.environment.interpreter import Interpreter
    from polylock.index.source import PackageIndexes
    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import Release, RemoteFile
    from polylock.model.inputs import Inputs
    from polylock.operations.builds.build_inputs import BuildInputs, LockedSet
    from polylock.operations.builds.sdists import SdistBuilds
    from polylock.ports import Provisioner, Reporter
    from polylock.project.settings import Settings
    from polylock.resolution.memory import Memory

__all__ = ["IndexContext", "machine_builds"]


def machine_builds(
    context: Context, interpreter: Interpreter, locked: LockedSet | None = None
) -> SdistBuilds:
    """Return a builder of source distributions on this machine for a Python.

    ``locked`` is what is locked for the target, None while it is being locked.
    """
    from polylock.operations.builds.sdists import SdistBuilds  # noqa: PLC0415 - rare

    return SdistBuilds(
        context=context,
        interpreter=interpreter,
        provisioner=_provisioner,
        locked=locked,
    )


def _provisioner(builds: SdistBuilds, inputs: BuildInputs) -> Provisioner:
    # The solver takes 40 ms, and cached builds do not need it.
    from polylock.operations.builds.provision import MachineProvisioner  # noqa: PLC0415

    return MachineProvisioner(builds=builds, inputs=inputs)


class IndexContext(Context):
    """The context of a run that asks the indexes and may build metadata.

    ``project`` is the key under which results are remembered; None: they are not.
    Without ``builds`` metadata that needs a build is unusable, whatever is allowed.
    """

    def __init__(
        self,
        settings: Settings,
        inputs: Inputs,
        reporter: Reporter,
        *,
        project: str | None = None,
        builds: bool = True,
    ) -> None:
        super().__init__(settings, inputs, reporter)
        self._project = project
        self._builds = builds

    @cached_property
    def source(self) -> PackageIndexes:
        """Return the indexes that the project names."""
        indexes = self.indexes(self.inputs, self._sdist_metadata, self._project)
        return self.resources.enter_context(indexes)

    @cached_property
    def memory(self) -> Memory:
        """Return the results of earlier locks of the project."""
        from polylock.resolution.memory import Memory  # noqa: PLC0415 - see the class

        if self._project is None:
            return Memory()
        kept = self.store.read(Bucket.MEMORIES, f"{Memory.rules()}, {self._project}")
        return Memory(b"" if kept is None else kept)

    def remember(self) -> None:
        """Store the pages and results of this run for the next lock."""
        self.source.remember()
        memory = self.memory
        if self._project is not None and memory.learned:
            key = f"{memory.rules()}, {self._project}"
            with suppress(CacheUnusable):  # a full or read-only cache is no failure
                self.store.write(Bucket.MEMORIES, key, memory.encode())

    @property
    def metadata_builds(self) -> SdistBuilds:
        """Return the builder of metadata for a lock."""
        return machine_builds(self, self._interpreter)

    def _sdist_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Build metadata if the project allows it; called from any thread."""
        from polylock.build.policy import refused_metadata  # noqa: PLC0415 - rare

        refused = refused_metadata(self.inputs, release.name)
        if refused is not None:
            return refused
        if not self._builds:
            return Unusable(NeedsBuild())
        return self.metadata_builds.metadata(file)

    @cached_property
    def _interpreter(self) -> Interpreter:
        """Return the Python that builds metadata for a lock.

        It is the user's choice or the one that runs polylock. Metadata that depends on
        the Python would be wrong for some target with any choice.
        """
        # Imported only for builds.
        from polylock.environment.discovery import (  # noqa: PLC0415
            find_python,
            managed_path,
        )
        from polylock.environment.interpreter import probe  # noqa: PLC0415

        if self.settings.python is None:
            return probe(Path(sys.executable), store=self.store)
        search_path = os.environ.get("PATH", "")
        return find_python(
            self.settings.python,
            search_path=search_path,
            managed=partial(managed_path, os.environ),
            store=self.store,
        )
