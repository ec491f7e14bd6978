"""The cache, HTTP client, indexes and downloads of one run.

Lower layers cannot import this module, so each takes only the part that it needs. It
imports none of the wings: what needs a solve or an installation is in ``builds``.
"""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from functools import cached_property, partial
from typing import TYPE_CHECKING, Self

from polylock.cache.store import Store
from polylock.model.hashes import sha256_of
from polylock.values import replace

if TYPE_CHECKING:
    from polylock.index.metadata import SdistMetadata
    from polylock.index.source import PackageIndexes
    from polylock.model.distributions import RemoteFile
    from polylock.model.inputs import Inputs
    from polylock.network.client import Client, Traffic
    from polylock.network.download import Downloader
    from polylock.network.http_cache import CacheMode
    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = ["Context"]

_BUILDS = 4
"""Parallel builds: each compiler takes a processor or more, and much memory."""


class Context:
    """Cache, client and indexes of one run, each created lazily.

    Network modules are imported on first use, so that a sync with nothing to do does
    not pay for them. Each build of a source distribution holds ``building``, except
    builds for another build, which would deadlock. Unpacking a wheel holds
    ``unpacking``: it keeps a processor busy, and more threads than processors wait for
    the interpreter's lock again and again. ``resources`` closes everything at the end
    of the run.
    """

    def __init__(self, settings: Settings, inputs: Inputs, reporter: Reporter) -> None:
        self.settings = settings
        self.inputs = inputs
        self.reporter = reporter
        self.building = threading.BoundedSemaphore(min(os.cpu_count() or 1, _BUILDS))
        self.unpacking = threading.BoundedSemaphore(os.cpu_count() or 1)
        self.resources = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.resources.close()

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
            self.inputs.every_index,
            environment=self.settings.index_variables,
            netrc=self.settings.netrc,
            keyring=Keyring().password,
        )
        client = Client(authenticator, timeout=self.settings.timeout)
        return self.resources.enter_context(client)

    def indexes(
        self,
        inputs: Inputs,
        sdist_metadata: SdistMetadata,
        project: str | None = None,
    ) -> PackageIndexes:
        """Return the indexes of some inputs; the caller closes them.

        ``PackageIndexes`` is not thread-safe, so each build has its own.
        """
        from polylock.build.policy import refused_metadata  # noqa: PLC0415 - as below
        from polylock.index.source import PackageIndexes  # noqa: PLC0415 - see the class

        return PackageIndexes(
            self.store,
            self.client,
            inputs=inputs,
            mode=self._mode,
            reporter=self.reporter,
            threads=self.settings.threads,
            sdist_metadata=sdist_metadata,
            refusal=partial(refused_metadata, inputs),
            project=project,
        )

    def link_now(self, filename: str, sha256: str) -> str | None:
        """Return the current URL of a file on the project's indexes, None if gone."""
        # Only where a locked URL is refused.
        from polylock.index.source import current_link  # noqa: PLC0415 - see above
        from polylock.network.http_cache import HttpCache  # noqa: PLC0415

        cache = HttpCache(self.store, self.client, mode=self._mode)
        return current_link(
            self.inputs, cache, self.store, filename=filename, sha256=sha256
        )

    @cached_property
    def downloader(self) -> Downloader:
        """Return the downloader of whole files into the cache."""
        from polylock.network.download import Downloader  # noqa: PLC0415 - see the class

        return Downloader(
            self.store, self.client, mode=self._mode, reporter=self.reporter
        )

    @property
    def traffic(self) -> Traffic:
        """Return the request counts of this run."""
        return self.client.traffic

    def with_hash(self, file: RemoteFile) -> RemoteFile:
        """Return a file with size and SHA-256, downloading it if one is missing.

        Hashes of other algorithms are kept; the download is verified against the
        secure ones. Raises what ``Downloader.fetch`` does.
        """
        if sha256_of(file.hashes) is not None and file.size is not None:
            return file
        found = self.downloader.fetch(file)
        hashes = {**file.hashes, "sha256": found.sha256}
        return replace(file, hashes=hashes, size=found.size)

    @property
    def _mode(self) -> CacheMode:
        from polylock.network.http_cache import CacheMode  # noqa: PLC0415 - see the class

        if self.settings.offline:
            return CacheMode.OFFLINE
        return CacheMode.REFRESH if self.settings.refresh else CacheMode.NORMAL
