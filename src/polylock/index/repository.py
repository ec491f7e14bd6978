"""The pages of one index, in JSON or HTML as the index serves them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from polylock.cache.store import Bucket
from polylock.errors import IndexRequestError, ProjectPageRefused
from polylock.index.pack import Pack
from polylock.index.releases import IndexPage, decode_releases, encode_releases
from polylock.model.distributions import Release, Releases, RemoteFile
from polylock.network.auth import redact
from polylock.network.local_files import is_local

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from polylock.model.inputs import IndexLocation
    from polylock.network.answers import Response
    from polylock.network.http_cache import CachedResponse, HttpCache

__all__ = ["UNKNOWN", "Repository", "Unknown", "page_rows"]

logger = logging.getLogger(__name__)

_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = ("application/vnd.pypi.simple.v1+html", "text/html", "application/xhtml+xml")
_REFUSED = frozenset({401, 403})
_ACCEPT = f"{_JSON}, {_HTML[0]};q=0.2, {_HTML[1]};q=0.01"  # PEP 691, negotiation


class Unknown:
    """The type of UNKNOWN."""


UNKNOWN = Unknown()
"""The result if it takes a request to find out whether the index has a project."""


class Repository:
    """The simple repository API of one index (PEP 503, PEP 691)."""

    def __init__(
        self, location: IndexLocation, cache: HttpCache, pack: Pack | None = None
    ) -> None:
        self.name = location.name
        self.explicit = location.explicit
        self.url = redact(location.url)
        self._request_url = location.url
        self._cache = cache
        self._pack = Pack() if pack is None else pack
        self._whole: dict[NormalizedName, Releases | None] = {}

    def cached_releases(self, name: NormalizedName) -> Releases | Unknown | None:
        """Return the result of ``releases``, UNKNOWN if that takes a request."""
        packed = self._packed(name)
        if not isinstance(packed, Unknown):
            self._cache.traffic.count(from_cache=1)
            return packed
        kept = self._cache.cached(Bucket.PAGES, self._page_url(name))
        if kept is None:
            return UNKNOWN
        try:
            return self._noted(name, kept)
        except msgspec.DecodeError:
            return UNKNOWN

    def releases(self, name: NormalizedName) -> Releases | None:
        """Return the releases of a project, None if the index does not have it.

        Raises IndexRequestError, Offline and CacheUnusable.
        """

        def make(response: Response) -> bytes:
            return encode_releases(name, page_rows(response))

        def ask() -> CachedResponse:
            try:
                return self._cache.get(
                    Bucket.PAGES,
                    self._page_url(name),
                    make=make,
                    headers={"accept": _ACCEPT},
                )
            except IndexRequestError as error:
                if error.status not in _REFUSED or self.explicit:
                    raise
                raise ProjectPageRefused(
                    error.url, error.status, error.problem, self.name, name
                ) from error

        kept = ask()
        try:
            return self._noted(name, kept)
        except msgspec.DecodeError:
            logger.debug("the page of %s is damaged in the cache", name)
            self._cache.forget(Bucket.PAGES, self._page_url(name))
        return self._noted(name, ask())

    def _packed(self, name: NormalizedName) -> Releases | Unknown | None:
        """Return the releases in the pack, UNKNOWN if the entry has to be read."""
        url = self._page_url(name)
        packed = self._pack.page(redact(url))
        if (
            packed is None
            or not self._cache.is_fresh(packed.validators)
            or self._cache.stamp_now(Bucket.PAGES, url) != packed.stamp
        ):
            return UNKNOWN
        if not packed.is_there:
            return None

        def rest(position: int) -> Release:
            return self._rest(name, versions[position])

        releases = packed.decode(self._page(name), rest)
        versions = releases.versions
        return releases

    def _rest(self, name: NormalizedName, version: str) -> Release:
        """Return a release that is not in the pack.

        Another process may have stored a newer page since the run began. A version that
        it no longer has becomes a release without files.
        """
        whole = self._whole.get(name)
        if whole is None:
            whole = self._whole[name] = self.releases(name)
        if whole is not None and version in whole.versions:
            return whole.release(list(whole.versions).index(version))
        return Release(name=name, version=version, index=self.name, wheels=())

    def _noted(self, name: NormalizedName, kept: CachedResponse) -> Releases | None:
        url = self._page_url(name)
        releases = self._decode(name, kept)
        stamp = self._cache.stamp_taken(Bucket.PAGES, url)
        if stamp is not None:
            self._pack.note_page(
                redact(url),
                stamp=stamp,
                validators=kept.validators,
                releases=releases,
            )
        return releases

    def _page(self, name: NormalizedName) -> IndexPage:
        return IndexPage(name=name, index=self.name, index_url=self.url)

    def _page_url(self, name: NormalizedName) -> str:
        return f"{self._request_url.rstrip('/')}/{name}/"

    def _decode(self, name: NormalizedName, kept: CachedResponse) -> Releases | None:
        if kept.content is None:
            return None
        return decode_releases(kept.content, self._page(name))


def page_rows(response: Response) -> list[RemoteFile]:
    """Return the files that a page lists; raises IndexRequestError.

    A link to a file on this machine is left out: a server must not decide what is read
    from the disk of its client.
    """
    return [row for row in _parsed(response) if not is_local(row.url)]


def _parsed(response: Response) -> list[RemoteFile]:
    # A warm run parses no page.
    from polylock.index.json_page import (  # noqa: PLC0415
        InvalidPage,
        parse_json_page,
    )

    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == _JSON:
            return parse_json_page(response.content, response.url)
        if kind in _HTML:
            # Few indexes lack JSON, so this is imported when needed.
            from polylock.index.html_page import parse_html_page  # noqa: PLC0415

            return parse_html_page(response.content, response.url)
    except InvalidPage as error:
        raise IndexRequestError(redact(response.url), 200, str(error)) from error
    problem = f"{kind or 'an answer without a type'} is not a project page"
    raise IndexRequestError(redact(response.url), 200, problem)
