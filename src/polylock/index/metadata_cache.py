"""A cache of the metadata of files, in the store and in the pack.

It is not keyed by the hash of the file. The page gives that hash, but the metadata may
come from a separate file (PEP 658) or a part of the wheel, which is not compared with
the hash of the whole. So an index could give the hash of another index's wheel with
metadata of its own, and its metadata would be used for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from polylock.cache.store import Bucket, Store
from polylock.index.pack import Pack
from polylock.model.hashes import digest
from polylock.network.auth import redact

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylock.model.distributions import RemoteFile
    from polylock.network.client import Traffic

__all__ = ["MetadataCache", "origin_of"]

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_DIGEST_BYTES = 20


class MetadataCache:
    """Entries by kind and file; they do not expire, because files do not change.

    ``user_of`` returns an identifier of the user of a URL: users with different
    credentials do not share entries.
    """

    def __init__(
        self,
        store: Store,
        traffic: Traffic,
        *,
        user_of: Callable[[str], str],
        pack: Pack | None = None,
    ) -> None:
        self.traffic = traffic
        self._user_of = user_of
        self._store = store
        self._pack = Pack() if pack is None else pack

    def read(self, kind: str, file: RemoteFile) -> memoryview | msgspec.Raw | None:
        """Return an entry, None if there is none."""
        key = self._key(kind, file)
        packed = self._pack.metadata(key)
        if packed is not None:
            return packed
        content = self._store.read(Bucket.METADATA, key)
        if content is not None:
            self._pack.note_metadata(key, content)
        return content

    def write(self, kind: str, file: RemoteFile, content: bytes) -> None:
        """Write an entry to the store and the pack."""
        key = self._key(kind, file)
        self._store.write(Bucket.METADATA, key, content)
        self._pack.note_metadata(key, content)

    def _key(self, kind: str, file: RemoteFile) -> str:
        return f"{kind} {origin_of(file, self._user_of(file.url))}"


def origin_of(file: RemoteFile, user: str = "") -> str:
    """Return a digest of everything on which the metadata of a file depends.

    That is its URL, the user, and the name and hashes that the page gives.
    """
    parts = (redact(file.url), file.filename, file.hashes, file.core_metadata, user)
    return digest(_encoder.encode(parts), _DIGEST_BYTES)
