"""The parts that talk to the world, made from settings and closed together.

The one bag of parts: lower layers cannot import it, so each takes just the part that
it needs.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Self

import msgspec

from polylock.cache.store import Store

if TYPE_CHECKING:
    from polylock.index.source import PackageIndexes
    from polylock.model.distributions import RemoteFile
    from polylock.model.inputs import Inputs
    from polylock.network.client import Client, Traffic
    from polylock.network.download import Downloader
    from polylock.network.http_cache import CacheMode
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = ["Context"]


class Context:
    """Cache, client and indexes of one run; each is made when it is first used.

    Nothing is imported for the network before something is asked of it: a sync with
    nothing to do must not pay for that.
    """

    def __init__(self, settings: Settings, inputs: Inputs, reporter: Reporter) -> None:
        self._settings = settings
        self._inputs = inputs
        self._reporter = reporter
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @cached_property
    def store(self) -> Store:
        """Return the cache."""
        return Store(self._settings.cache_dir)

    @cached_property
    def client(self) -> Client:
        """Return the HTTP client."""
        from polylock.network.auth import Authenticator  # noqa: PLC0415 - see the class
        from polylock.network.client import Client  # noqa: PLC0415 - see the class

        authenticator = Authenticator(
            self._inputs.indexes,
            environment=self._settings.index_variables,
            netrc=self._settings.netrc,
        )
        client = Client(authenticator, timeout=self._settings.timeout)
        return self._open.enter_context(client)

    @cached_property
    def source(self) -> PackageIndexes:
        """Return the indexes that the project names."""
        from polylock.index.source import PackageIndexes  # noqa: PLC0415 - see the class

        source = PackageIndexes(
            self.store,
            self.client,
            inputs=self._inputs,
            mode=self._mode,
            reporter=self._reporter,
            threads=self._settings.threads,
        )
        return self._open.enter_context(source)

    @cached_property
    def downloader(self) -> Downloader:
        """Return what fetches whole files into the cache."""
        from polylock.network.download import Downloader  # noqa: PLC0415 - see the class

        return Downloader(
            self.store, self.client, mode=self._mode, reporter=self._reporter
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
        if "sha256" in file.hashes and file.size is not None:
            return file
        found = self.downloader.fetch(file)
        hashes = {**file.hashes, "sha256": found.sha256}
        return msgspec.structs.replace(file, hashes=hashes, size=found.size)

    @property
    def _mode(self) -> CacheMode:
        from polylock.network.http_cache import CacheMode  # noqa: PLC0415 - see the class

        if self._settings.offline:
            return CacheMode.OFFLINE
        return CacheMode.REFRESH if self._settings.refresh else CacheMode.NORMAL
