"""Where the parts of a build are joined, and the context of those who may need one.

To build takes a solve and an install, and to solve may take a build. The knot is tied
here and nowhere else: what builds is handed what provisions, and the other way round.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.cache.store import Bucket
from polylock.errors import CacheUnusable
from polylock.operations.context import Context

if TYPE_CHECKING:
    from polylock.environment.interpreter import Interpreter
    from polylock.index.source import PackageIndexes
    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import Release, RemoteFile, Unusable
    from polylock.model.inputs import Inputs
    from polylock.operations.builds.sdists import SdistBuilds
    from polylock.ports import Provisioner, Reporter
    from polylock.project.settings import Settings
    from polylock.resolution.memory import Memory

__all__ = ["IndexContext", "machine_builds"]


def machine_builds(context: Context, interpreter: Interpreter) -> SdistBuilds:
    """Return what builds source distributions on this machine for a Python."""
    from polylock.operations.builds.sdists import SdistBuilds  # noqa: PLC0415 - rare

    return SdistBuilds(
        context=context, interpreter=interpreter, provisioner=_provisioner
    )


def _provisioner(builds: SdistBuilds) -> Provisioner:
    # A solver, 40 ms, that is not wanted for what was built before.
    from polylock.operations.builds.provision import MachineProvisioner  # noqa: PLC0415

    return MachineProvisioner(builds=builds)


class IndexContext(Context):
    """The context of a run that asks the indexes, and may have to build for answers.

    ``project`` names what is locked, None where nothing of it is to be remembered.
    """

    def __init__(
        self,
        settings: Settings,
        inputs: Inputs,
        reporter: Reporter,
        *,
        project: str | None = None,
    ) -> None:
        super().__init__(settings, inputs, reporter)
        self._project = project

    @cached_property
    def source(self) -> PackageIndexes:
        """Return the indexes that the project names."""
        indexes = self.indexes(self.inputs, self._sdist_metadata, self._project)
        return self.resources.enter_context(indexes)

    @cached_property
    def memory(self) -> Memory:
        """Return what earlier locks of the project worked out."""
        from polylock.resolution.memory import Memory  # noqa: PLC0415 - see the class

        if self._project is None:
            return Memory()
        kept = self.store.read(Bucket.MEMORIES, f"{Memory.rules()}, {self._project}")
        return Memory(b"" if kept is None else kept)

    def remember(self) -> None:
        """Keep what this run needed and worked out for the next lock."""
        self.source.remember()
        memory = self.memory
        if self._project is not None and memory.learned:
            key = f"{memory.rules()}, {self._project}"
            with suppress(CacheUnusable):  # a cache that is full or read-only serves on
                self.store.write(Bucket.MEMORIES, key, memory.encode())

    @property
    def metadata_builds(self) -> SdistBuilds:
        """Return what builds metadata while locking."""
        return machine_builds(self, self._interpreter)

    def _sdist_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Build metadata where the project allows it; called from any thread."""
        from polylock.build.policy import refused_metadata  # noqa: PLC0415 - rare

        refused = refused_metadata(self.inputs, release.name)
        if refused is not None:
            return refused
        return self.metadata_builds.metadata(file)

    @cached_property
    def _interpreter(self) -> Interpreter:
        """Return the Python that builds metadata while locking.

        The user's choice, else the one that runs polylock: metadata that depends on
        the Python would be wrong for some target whichever was taken.
        """
        # Only to build, and not at start-up.
        from polylock.environment.discovery import find_python  # noqa: PLC0415
        from polylock.environment.interpreter import probe  # noqa: PLC0415

        if self.settings.python is None:
            return probe(Path(sys.executable), store=self.store)
        search_path = os.environ.get("PATH", "")
        return find_python(
            self.settings.python, search_path=search_path, store=self.store
        )
