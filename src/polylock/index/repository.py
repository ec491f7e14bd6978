"""One index: ask for the page of a project, in the form the index prefers to give."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from polylock.cache.store import Bucket
from polylock.errors import IndexRequestError
from polylock.index.json_page import InvalidPage, parse_json_page
from polylock.index.releases import IndexPage, decode_releases, encode_releases
from polylock.network.auth import redact
from polylock.network.local_files import is_local

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from polylock.model.distributions import Releases, RemoteFile
    from polylock.model.inputs import IndexLocation
    from polylock.network.client import Response
    from polylock.network.http_cache import HttpCache, Kept

__all__ = ["UNKNOWN", "Repository", "Unknown", "page_rows"]

logger = logging.getLogger(__name__)

_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = ("application/vnd.pypi.simple.v1+html", "text/html", "application/xhtml+xml")
_ACCEPT = f"{_JSON}, {_HTML[0]};q=0.2, {_HTML[1]};q=0.01"  # PEP 691, negotiation


class Unknown:
    """The type of UNKNOWN."""


UNKNOWN = Unknown()
"""Only a request can tell whether the index has the project."""


class Repository:
    """The simple repository API of one index (PEP 503, PEP 691)."""

    def __init__(self, location: IndexLocation, cache: HttpCache) -> None:
        self.name = location.name
        self.explicit = location.explicit
        self.url = redact(location.url)
        self._request_url = location.url
        self._cache = cache

    def cached_releases(self, name: NormalizedName) -> Releases | Unknown | None:
        """Return what ``releases`` would without a request, UNKNOWN if it needs one."""
        kept = self._cache.cached(Bucket.PAGES, self._page_url(name))
        if kept is None:
            return UNKNOWN
        try:
            return self._decode(name, kept)
        except msgspec.DecodeError:
            return UNKNOWN

    def releases(self, name: NormalizedName) -> Releases | None:
        """Return the releases of a project, None where the index does not have it.

        Raises IndexRequestError, Offline and CacheUnusable.
        """

        def make(response: Response) -> bytes:
            return encode_releases(name, page_rows(response))

        def ask() -> Kept:
            return self._cache.get(
                Bucket.PAGES,
                self._page_url(name),
                make=make,
                headers={"accept": _ACCEPT},
            )

        kept = ask()
        try:
            return self._decode(name, kept)
        except msgspec.DecodeError:
            logger.debug("the page of %s is damaged in the cache", name)
            self._cache.forget(Bucket.PAGES, self._page_url(name))
        return self._decode(name, ask())

    def _page_url(self, name: NormalizedName) -> str:
        return f"{self._request_url.rstrip('/')}/{name}/"

    def _decode(self, name: NormalizedName, kept: Kept) -> Releases | None:
        if kept.content is None:
            return None
        page = IndexPage(name=name, index=self.name, index_url=self.url)
        return decode_releases(kept.content, page)


def page_rows(response: Response) -> list[RemoteFile]:
    """Return the files that an answer lists; raises IndexRequestError.

    A server has no say in what is read from the disk of its client: a link to a file
    of this machine is left out.
    """
    return [row for row in _parsed(response) if not is_local(row.url)]


def _parsed(response: Response) -> list[RemoteFile]:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == _JSON:
            return parse_json_page(response.content, response.url)
        if kind in _HTML:
            # Few indexes lack JSON by now, so its parser is not loaded at start.
            from polylock.index.html_page import parse_html_page  # noqa: PLC0415

            return parse_html_page(response.content, response.url)
    except InvalidPage as error:
        raise IndexRequestError(response.url, 200, str(error)) from error
    problem = f"{kind or 'an answer without a type'} is not a project page"
    raise IndexRequestError(response.url, 200, problem)
