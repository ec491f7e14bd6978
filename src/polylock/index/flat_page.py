"""An index that is one page with links to the files of all projects (find-links)."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from polylock.cache.store import Bucket
from polylock.errors import IndexRequestError
from polylock.index.releases import IndexPage, decode_releases, encode_releases
from polylock.index.repository import UNKNOWN, Unknown, page_rows
from polylock.model.distributions import Releases, RemoteFile
from polylock.network.auth import redact

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from polylock.model.inputs import IndexLocation
    from polylock.network.answers import Response
    from polylock.network.http_cache import CachedResponse, HttpCache

__all__ = ["FlatPage"]

logger = logging.getLogger(__name__)

_ACCEPT = "text/html, application/xhtml+xml;q=0.9"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[RemoteFile])


class FlatPage:
    """The releases that one page links to; thread-safe."""

    def __init__(self, location: IndexLocation, cache: HttpCache) -> None:
        self.name = location.name
        self.explicit = location.explicit
        self.url = redact(location.url)
        self._request_url = location.url
        self._cache = cache

    def cached_releases(self, name: NormalizedName) -> Releases | Unknown | None:
        """Return the result of ``releases``, UNKNOWN if that takes a request."""
        if "_rows" not in self.__dict__:
            kept = self._cache.cached(Bucket.RESPONSES, self._request_url)
            if kept is None:
                return UNKNOWN
        return self.releases(name)

    def releases(self, name: NormalizedName) -> Releases | None:
        """Return the releases of a project, None if the page links to none.

        Raises IndexRequestError, Offline and CacheUnusable.
        """
        page = IndexPage(name=name, index=self.name, index_url=self.url)
        releases = decode_releases(encode_releases(name, self._rows), page)
        return releases if releases.versions else None

    @cached_property
    def _rows(self) -> list[RemoteFile]:
        try:
            return self._decode(self._ask())
        except msgspec.DecodeError:
            logger.debug("the page of %s is damaged in the cache", self.name)
            self._cache.forget(Bucket.RESPONSES, self._request_url)
        return self._decode(self._ask())

    def _ask(self) -> CachedResponse:
        def make(response: Response) -> bytes:
            return _encoder.encode(page_rows(response))

        return self._cache.get(
            Bucket.RESPONSES,
            self._request_url,
            make=make,
            headers={"accept": _ACCEPT},
        )

    def _decode(self, kept: CachedResponse) -> list[RemoteFile]:
        if kept.content is None:
            raise IndexRequestError(self.url, 404, "there is no such page")
        return _decoder.decode(kept.content)
