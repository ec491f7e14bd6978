"""What was read of the metadata of files, kept in the cache and in the pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.cache.store import Bucket
from polylock.index.pack import Pack
from polylock.model.hashes import strongest
from polylock.network.auth import redact

if TYPE_CHECKING:
    import msgspec

    from polylock.cache.store import Store
    from polylock.model.distributions import RemoteFile
    from polylock.network.traffic import Traffic

__all__ = ["MetadataCache", "identity"]


class MetadataCache:
    """Entries by kind and file; they hold as long as the file, which never changes."""

    def __init__(
        self, store: Store, traffic: Traffic, *, pack: Pack | None = None
    ) -> None:
        self.traffic = traffic
        self._store = store
        self._pack = Pack() if pack is None else pack

    def read(self, kind: str, file: RemoteFile) -> memoryview | msgspec.Raw | None:
        """Return an entry, None where there is none."""
        key = f"{kind} {identity(file)}"
        packed = self._pack.metadata(key)
        if packed is not None:
            return packed
        content = self._store.read(Bucket.METADATA, key)
        if content is not None:
            self._pack.note_metadata(key, content)
        return content

    def write(self, kind: str, file: RemoteFile, content: bytes) -> None:
        """Keep an entry."""
        key = f"{kind} {identity(file)}"
        self._store.write(Bucket.METADATA, key, content)
        self._pack.note_metadata(key, content)


def identity(file: RemoteFile) -> str:
    """Return what names the bytes of a file: its hash, else its URL."""
    wanted = strongest(file.hashes)
    return f"{wanted[0]}:{wanted[1]}" if wanted else f"url:{redact(file.url)}"
