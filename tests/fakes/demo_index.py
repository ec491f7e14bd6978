"""An index with one project, and readers of its metadata."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from fakes.resolutions import make_target
from fakes.wheels import build_wheel
from polylock.explain.words import clause
from polylock.index.metadata import MetadataReader
from polylock.index.metadata_cache import MetadataCache
from polylock.index.metadata_files import MetadataFiles
from polylock.index.repository import Repository
from polylock.index.variant_files import VariantFiles
from polylock.model.distributions import Unusable
from polylock.model.inputs import IndexLocation
from polylock.network.download import Downloader
from polylock.network.http_cache import CacheMode, HttpCache

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fakes.server import Index, Server
    from polylock.cache.store import Store
    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import Release, RemoteFile
    from polylock.network.client import Client
    from polylock.variants.variant_json import VariantMetadata

__all__ = ["World", "large_wheel", "reason_of"]


def large_wheel(directory: Path) -> Path:
    """Build demo 1.0 with 228 kB of data, which requires dep."""
    large = {"demo/data": bytes(100_000) + hashlib.sha256(b"x").digest() * 4000}
    return build_wheel(directory, "demo", "1.0", requires=["dep>=1"], files=large)


def reason_of(found: object) -> str:
    """Return why something is unusable, sure that it is."""
    assert isinstance(found, Unusable)
    return clause(found.reason)


@dataclass
class World:
    """An index with one project, and readers that share a cache."""

    server: Server
    index: Index
    store: Store
    client: Client

    def serve(self, files: Sequence[Path], **keywords: Any) -> None:  # noqa: ANN401
        """Put demo with these files on the index."""
        self.index.add("demo", files, **keywords)

    def release(self) -> Release:
        """Return the only release of demo."""
        cache = HttpCache(self.store, self.client, mode=CacheMode.REFRESH)
        location = IndexLocation(name="a", url=self.index.url)
        found = Repository(location, cache).releases(canonicalize_name("demo"))
        assert found is not None
        assert len(found.versions) == 1
        self.server.log.clear()
        return found.release(0)

    def reader(
        self,
        mode: CacheMode = CacheMode.NORMAL,
        build: Callable[[Release, RemoteFile], CoreMetadata | Unusable] | None = None,
    ) -> MetadataReader:
        """Return the reader of a new run."""
        return MetadataReader(
            MetadataCache(
                self.store, self.client.traffic, user_of=self.client.credentials_digest
            ),
            self._files(mode),
            self.variant_files(mode),
            sdist_metadata=build,
        )

    def variant_files(self, mode: CacheMode = CacheMode.NORMAL) -> VariantFiles:
        """Return the reader of variant metadata of a new run."""
        cache = HttpCache(self.store, self.client, mode=mode)
        kept = MetadataCache(
            self.store, self.client.traffic, user_of=self.client.credentials_digest
        )
        return VariantFiles(kept, cache, self._files(mode))

    def read(
        self, mode: CacheMode = CacheMode.NORMAL
    ) -> tuple[CoreMetadata | Unusable, list[str]]:
        """Read the metadata of demo's first file; return the paths asked for too."""
        release = self.release()
        file = release.wheels[0] if release.wheels else release.sdist
        assert file is not None
        found = self.reader(mode).core_metadata(release, file)
        return found, [received.path for received in self.server.log]

    def variants(
        self, mode: CacheMode = CacheMode.NORMAL
    ) -> tuple[VariantMetadata | Unusable, list[str]]:
        """Read the variant metadata of demo; return the paths asked for too."""
        release = self.release()
        found = self.variant_files(mode).metadata(release, make_target("linux"))
        return found, [received.path for received in self.server.log]

    def _files(self, mode: CacheMode) -> Callable[[], MetadataFiles]:
        downloader = Downloader(self.store, self.client, mode=mode)
        made = MetadataFiles(self.client, downloader, mode=mode)
        return lambda: made
