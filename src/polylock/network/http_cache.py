"""The HTTP cache: fresh responses, revalidation, offline use.

An entry has not the body but what the caller decoded from it (a project page, for
example), so that a warm run parses nothing. Cache-Control decides how long an entry is
fresh (RFC 9111), ten minutes without that header; then its ETag or Last-Modified is
sent, and status 304 makes it fresh again.

An entry is keyed by the URL and the credentials: a server may respond differently to
another user.
"""

from __future__ import annotations

import copy
import enum
import logging
import time
from typing import TYPE_CHECKING, assert_never

import msgspec

from polylock.errors import Offline
from polylock.network.answers import Response, status_error
from polylock.network.auth import redact
from polylock.network.limits import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from polylock.cache.store import Bucket, Stamp, Store
    from polylock.network.client import Client, Traffic

__all__ = ["CacheMode", "CachedResponse", "HttpCache", "Validators"]

logger = logging.getLogger(__name__)

_DEFAULT_LIFETIME = 600.0
_NIL = b"\xc0"
_ABSENT = frozenset({404, 410})


class CacheMode(enum.Enum):
    """The use of cached responses.

    REFRESH revalidates everything once per run; OFFLINE uses entries of any age and
    makes no request.
    """

    NORMAL = "normal"
    REFRESH = "refresh"
    OFFLINE = "offline"


class Validators(msgspec.Struct, frozen=True, array_like=True):
    """The freshness of a response, and the validators to revalidate it.

    ``fresh_until`` and ``stored`` are in seconds since 1970 UTC.
    """

    stored: float
    fresh_until: float
    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], now: float) -> Validators | None:
        """Parse the headers of a response; None if it must not be stored (no-store)."""
        directives = _directives(headers.get("cache-control", ""))
        if "no-store" in directives:
            return None
        lifetime = _DEFAULT_LIFETIME
        if "no-cache" in directives:
            lifetime = 0.0
        elif "max-age" in directives:
            age = _seconds(headers.get("age", "0"))
            lifetime = max(_seconds(directives["max-age"]) - age, 0.0)
        return cls(
            stored=now,
            fresh_until=now + lifetime,
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
        )

    def renewed(self, headers: Mapping[str, str], now: float) -> Validators:
        """Return the validators updated by a 304 response (RFC 9111, 4.3.4)."""
        new = Validators.of(headers, now) or Validators(now, now)
        return Validators(
            stored=new.stored,
            fresh_until=new.fresh_until,
            etag=new.etag or self.etag,
            last_modified=new.last_modified or self.last_modified,
        )

    def is_fresh(self, mode: CacheMode, *, started: float, now: float) -> bool:
        """Return True if the response may be used without revalidation.

        ``started`` is the time at which this run began.
        """
        match mode:
            case CacheMode.OFFLINE:
                return True
            case CacheMode.REFRESH:
                return self.stored >= started
            case CacheMode.NORMAL:
                # An entry from the future was written with a wrong clock.
                return self.stored <= now < self.fresh_until
            case _:
                assert_never(mode)

    @property
    def conditions(self) -> dict[str, str]:
        """Return the headers of a conditional request, empty without validators."""
        conditions = {}
        if self.etag is not None:
            conditions["if-none-match"] = self.etag
        if self.last_modified is not None:
            conditions["if-modified-since"] = self.last_modified
        return conditions


class CachedResponse(msgspec.Struct, frozen=True, array_like=True):
    """A cached response.

    ``raw`` is the decoded body as msgpack, nil for status 404 or 410. ``url`` is the
    final one, after redirects.
    """

    validators: Validators
    url: str
    raw: msgspec.Raw  # ``Raw | None`` would always decode as None

    @property
    def content(self) -> msgspec.Raw | None:
        """Return the decoded body, None if the index has no such page."""
        return self.raw if memoryview(self.raw) != _NIL else None


_decoder = msgspec.msgpack.Decoder(CachedResponse)
_encoder = msgspec.msgpack.Encoder()


class HttpCache:
    """An HTTP client with a cache; thread-safe.

    ``clock`` returns the seconds since 1970 UTC.
    """

    def __init__(
        self,
        store: Store,
        client: Client,
        *,
        mode: CacheMode = CacheMode.NORMAL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.mode = mode
        self._store = store
        self._client = client
        self._clock = clock
        self._started = clock()
        self._stamps: dict[tuple[Bucket, str], Stamp] = {}
        self._absent = _ABSENT

    def where_absent(self, statuses: Iterable[int]) -> HttpCache:
        """Return this cache with further statuses that mean 404.

        Its entries have their own keys, so that they are not used without these
        statuses.
        """
        cache = copy.copy(self)
        cache._absent = _ABSENT.union(statuses)  # noqa: SLF001 - of the same class
        return cache

    @property
    def traffic(self) -> Traffic:
        """Return the counts of requests and cache hits."""
        return self._client.traffic

    def cached(self, bucket: Bucket, url: str) -> CachedResponse | None:
        """Return a cached response that needs no request, else None."""
        kept = self._read(bucket, url)
        if kept is None or not self.is_fresh(kept.validators):
            return None
        self.traffic.count(from_cache=1)
        return kept

    def get(
        self,
        bucket: Bucket,
        url: str,
        *,
        make: Callable[[Response], bytes],
        headers: Mapping[str, str] | None = None,
        largest: int = LARGEST,
    ) -> CachedResponse:
        """Return a response decoded by ``make``, from the cache or requested.

        ``make`` returns msgpack. Statuses 404, 410 and those of ``where_absent`` are
        cached and revalidated too. Raises Offline, AnswerTooLong for more than
        ``largest`` bytes, and IndexRequestError for any other status but 200.
        """
        kept = self._read(bucket, url)
        if kept is not None and self.is_fresh(kept.validators):
            self.traffic.count(from_cache=1)
            return kept
        if self.mode is CacheMode.OFFLINE:
            raise Offline(redact(url), None, "not in the cache")
        conditions = kept.validators.conditions if kept is not None else {}
        response = self._client.get(
            url, headers={**(headers or {}), **conditions}, largest=largest
        )
        if response.status == 304 and kept is not None:
            self.traffic.count(revalidated=1)
            validators = kept.validators.renewed(response.headers, self._clock())
            renewed = CachedResponse(validators, kept.url, kept.raw)
            return self._keep(bucket, url, renewed)
        if response.status in self._absent:
            content = None
        elif response.status == 200:
            content = make(response)
        else:
            raise status_error(response.url, response.status)
        now = self._clock()
        fresh = Validators.of(response.headers, now)
        raw = msgspec.Raw(_NIL if content is None else content)
        made = CachedResponse(fresh or Validators(now, now), response.url, raw)
        return made if fresh is None else self._keep(bucket, url, made)

    def stamp_taken(self, bucket: Bucket, url: str) -> Stamp | None:
        """Return the stamp of the entry that this run last read or wrote."""
        return self._stamps.get((bucket, self._key(url)))

    def stamp_now(self, bucket: Bucket, url: str) -> Stamp | None:
        """Return the stamp of the entry as it is on disk, None if there is none."""
        return self._store.stamp(bucket, self._key(url))

    def forget(self, bucket: Bucket, url: str) -> None:
        """Remove an entry whose content is damaged."""
        self._store.remove(bucket, self._key(url))

    def is_fresh(self, validators: Validators) -> bool:
        """Return True if an entry may be used without a request."""
        return validators.is_fresh(self.mode, started=self._started, now=self._clock())

    def _key(self, url: str) -> str:
        parts = [redact(url), self._client.credentials_digest(url)]
        further = sorted(self._absent - _ABSENT)
        if further:
            parts.append(f"absent:{further}")
        return " ".join(filter(None, parts))

    def _read(self, bucket: Bucket, url: str) -> CachedResponse | None:
        key = self._key(url)
        found = self._store.read_stamped(bucket, key)
        if found is None:
            return None
        content, self._stamps[bucket, key] = found
        try:
            return _decoder.decode(content)
        except msgspec.DecodeError:
            logger.debug("the cache entry of %s is damaged", redact(url))
            return None

    def _keep(self, bucket: Bucket, url: str, kept: CachedResponse) -> CachedResponse:
        key = self._key(url)
        content = _encoder.encode(kept)
        self._stamps[bucket, key] = self._store.write(bucket, key, content)
        return kept


def _directives(header: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in header.lower().split(","))
    return {name.strip(): value.strip(' "') for name, _, value in pairs}


def _seconds(text: str) -> float:
    """Return a number of seconds, 0 if it is invalid, which means not fresh."""
    return float(text) if text.isdecimal() else 0.0
