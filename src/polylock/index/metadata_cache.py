"""What was read of the metadata of files, kept in the cache and in the pack.

It is not keyed by the hash of the file. That hash is what a page says: the metadata may
come from a file beside the wheel or from a part of it, and nothing compares these with
the hash of the whole. An index that gives the hash of another's wheel, and metadata of
its own, would answer for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from polylock.cache.store import Bucket
from polylock.index.pack import Pack
from polylock.model.hashes import digest
from polylock.network.auth import redact

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylock.cache.store import Store
    from polylock.model.distributions import RemoteFile
    from polylock.network.client import Traffic

__all__ = ["MetadataCache", "origin_of"]

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_DIGEST_BYTES = 20


class MetadataCache:
    """Entries by kind and file; they hold as long as the file, which never changes.

    ``asker`` says who asks for a URL: what one user is shown answers for no other.
    """

    def __init__(
        self,
        store: Store,
        traffic: Traffic,
        *,
        asker: Callable[[str], str],
        pack: Pack | None = None,
    ) -> None:
        self.traffic = traffic
        self._asker = asker
        self._store = store
        self._pack = Pack() if pack is None else pack

    def read(self, kind: str, file: RemoteFile) -> memoryview | msgspec.Raw | None:
        """Return an entry, None where there is none."""
        key = self._key(kind, file)
        packed = self._pack.metadata(key)
        if packed is not None:
            return packed
        content = self._store.read(Bucket.METADATA, key)
        if content is not None:
            self._pack.note_metadata(key, content)
        return content

    def write(self, kind: str, file: RemoteFile, content: bytes) -> None:
        """Keep an entry."""
        key = self._key(kind, file)
        self._store.write(Bucket.METADATA, key, content)
        self._pack.note_metadata(key, content)

    def _key(self, kind: str, file: RemoteFile) -> str:
        return f"{kind} {origin_of(file, self._asker(file.url))}"


def origin_of(file: RemoteFile, asker: str = "") -> str:
    """Return a digest of all that decides what is read of a file.

    Where it is, who asks, and all that its page says of it: no page that says anything
    else has the same.
    """
    said = (redact(file.url), file.filename, file.hashes, file.core_metadata, asker)
    return digest(_encoder.encode(said), _DIGEST_BYTES)
