"""The parts that talk to the world, made from settings and closed together.

The one bag of parts: lower layers cannot import it, so each takes just the part that
it needs.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import ExitStack, suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from polylock.cache.store import Bucket, Store
from polylock.errors import CacheUnusable
from polylock.model.hashes import sha256_of

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from polylock.environment.interpreter import Interpreter
    from polylock.index.metadata import SdistMetadata
    from polylock.index.source import PackageIndexes
    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import Release, RemoteFile, Unusable
    from polylock.model.inputs import Inputs
    from polylock.network.client import Client
    from polylock.network.download import Downloader
    from polylock.network.http_cache import CacheMode
    from polylock.network.traffic import Traffic
    from polylock.operations.builds.sdists import SdistBuilds
    from polylock.ports import Reporter
    from polylock.project.settings import Settings
    from polylock.resolution.memory import Memory

__all__ = ["Context"]

_BUILDS = 4
"""Builds at a time: compilers take a processor or more, and much memory, each."""


class Context:
    """Cache, client and indexes of one run; each is made when it is first used.

    Nothing is imported for the network before something is asked of it: a sync with
    nothing to do must not pay for that. ``building`` is held by each build of a source
    distribution, but by none that serves another one: that would wait for ever.
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
        self.settings = settings
        self.inputs = inputs
        self.reporter = reporter
        self._project = project
        self.building = threading.BoundedSemaphore(min(os.cpu_count() or 1, _BUILDS))
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @cached_property
    def store(self) -> Store:
        """Return the cache."""
        return Store(self.settings.cache_dir)

    @cached_property
    def client(self) -> Client:
        """Return the HTTP client."""
        from polylock.network.auth import Authenticator  # noqa: PLC0415 - see the class
        from polylock.network.client import Client  # noqa: PLC0415 - see the class
        from polylock.network.keyring import Keyring  # noqa: PLC0415 - see the class

        authenticator = Authenticator(
            self.inputs.indexes,
            environment=self.settings.index_variables,
            netrc=self.settings.netrc,
            keyring=Keyring().password,
        )
        client = Client(authenticator, timeout=self.settings.timeout)
        return self._open.enter_context(client)

    @cached_property
    def source(self) -> PackageIndexes:
        """Return the indexes that the project names."""
        indexes = self.indexes(self.inputs, self._sdist_metadata, self._project)
        return self._open.enter_context(indexes)

    def indexes(
        self,
        inputs: Inputs,
        sdist_metadata: SdistMetadata,
        project: str | None = None,
    ) -> PackageIndexes:
        """Return the indexes that some inputs name, for the caller to close.

        A ``PackageIndexes`` is for one thread, so a build has its own.
        """
        from polylock.index.source import PackageIndexes  # noqa: PLC0415 - see the class

        return PackageIndexes(
            self.store,
            self.client,
            inputs=inputs,
            mode=self._mode,
            reporter=self.reporter,
            threads=self.settings.threads,
            sdist_metadata=sdist_metadata,
            refusal=partial(_refusal, inputs),
            project=project,
        )

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

    def builds(self, interpreter: Interpreter) -> SdistBuilds:
        """Return what builds source distributions for a Python."""
        from polylock.operations.builds.sdists import SdistBuilds  # noqa: PLC0415 - rare

        return SdistBuilds(context=self, interpreter=interpreter)

    @property
    def metadata_builds(self) -> SdistBuilds:
        """Return what builds metadata while locking."""
        return self.builds(self._interpreter)

    def _sdist_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Build metadata where the project allows it; called from any thread."""
        refused = _refusal(self.inputs, release.name)
        if refused is not None:
            return refused
        return self.builds(self._interpreter).metadata(file)

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

    @cached_property
    def downloader(self) -> Downloader:
        """Return what fetches whole files into the cache."""
        from polylock.network.download import Downloader  # noqa: PLC0415 - see the class

        return Downloader(
            self.store, self.client, mode=self._mode, reporter=self.reporter
        )

    @property
    def traffic(self) -> Traffic:
        """Return the counts of this run."""
        return self.client.traffic

    def with_hash(self, file: RemoteFile) -> RemoteFile:
        """Return a file with size and SHA-256, downloading it where one is missing.

        A hash of another algorithm is kept beside it; the download is verified
        against the secure ones. Raises what ``Downloader.fetch`` does.
        """
        if sha256_of(file.hashes) is not None and file.size is not None:
            return file
        found = self.downloader.fetch(file)
        hashes = {**file.hashes, "sha256": found.sha256}
        return msgspec.structs.replace(file, hashes=hashes, size=found.size)

    @property
    def _mode(self) -> CacheMode:
        from polylock.network.http_cache import CacheMode  # noqa: PLC0415 - see the class

        if self.settings.offline:
            return CacheMode.OFFLINE
        return CacheMode.REFRESH if self.settings.refresh else CacheMode.NORMAL


def _refusal(inputs: Inputs, name: NormalizedName) -> Unusable | None:
    from polylock.operations.builds.sdists import refused_metadata  # noqa: PLC0415 - rare

    return refused_metadata(inputs, name)
