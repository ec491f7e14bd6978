"""The HTTP client, the only module that uses httpx: redirects, retries, TLS.

httpx is imported for the first request, so a command that needs only the cache does not
load it. The system's trust store checks certificates. Proxies come from the standard
variables (``proxies``).
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from polylock import __version__
from polylock.errors import (
    IndexRequestError,
    NetworkSettingInvalid,
    ProxyFailed,
    TlsFailed,
)
from polylock.network.answers import Response, Streaming, status_error
from polylock.network.auth import Authenticator, Origin, origin, redact, without_user
from polylock.network.limits import (
    LARGEST,
    Deadline,
    in_time,
    redirected,
    whole_body,
)
from polylock.values import Value

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping

    import httpx

    from polylock.network.proxies import Proxy

__all__ = [
    "Client",
    "Failure",
    "RetryPolicy",
    "Traffic",
    "explain",
    "retry_after",
]


class Traffic:
    """Counts of requests, for ``--verbose``, tests and benchmarks.

    ``received`` is in bytes over the network. ``from_cache`` counts cache hits without
    a request, ``revalidated`` those that the index confirmed as unchanged.
    """

    __slots__ = ("_lock", "from_cache", "received", "requests", "revalidated")

    def __init__(self) -> None:
        self.requests = 0
        self.received = 0
        self.from_cache = 0
        self.revalidated = 0
        self._lock = threading.Lock()

    def count(
        self,
        *,
        requests: int = 0,
        received: int = 0,
        from_cache: int = 0,
        revalidated: int = 0,
    ) -> None:
        """Add to the counts; thread-safe."""
        with self._lock:
            self.requests += requests
            self.received += received
            self.from_cache += from_cache
            self.revalidated += revalidated


class RetryPolicy(Value, frozen=True, kw_only=True):
    """The number of retries of a request, and the waits between them.

    ``attempts`` includes the first one. The wait doubles from ``first_wait`` seconds. A
    Retry-After header is obeyed up to ``longest_wait``; a longer one is an error.
    """

    attempts: int = 4
    first_wait: float = 0.25
    longest_wait: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def wait(self, attempt: int, retry_after: float | None) -> float | None:
        """Return the seconds to wait after an attempt, from 1; None to give up."""
        if attempt >= self.attempts:
            return None
        wait = self.first_wait * 2.0 ** (attempt - 1)
        if retry_after is not None:
            wait = max(wait, retry_after)
        return wait if wait <= self.longest_wait else None


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - rarely needed

    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None  # not a date, or not a valid one


logger = logging.getLogger(__name__)
T = TypeVar("T")

_MAX_REDIRECTS = 20
_MAX_CAUSES = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_UNAUTHORIZED = 401
_HEADER_TIMEOUTS = 2
"""Timeouts until all headers must have arrived: one to connect, one to respond. A
server that sends a byte now and then never reaches the timeout of httpx."""


class Failure(Value, frozen=True):
    """The reason for a missing response; ``transient`` if a retry may succeed."""

    problem: str
    transient: bool


def explain(error: Exception) -> Failure | None:
    """Return the failure that an exception of httpx means, None for any other."""
    import httpx  # see Client

    failures: tuple[tuple[type[Exception], str, bool], ...] = (
        # More specific classes first. These messages have no URL, which may contain
        # credentials; {} is the message of httpx, redacted.
        (httpx.PoolTimeout, "no connection became free in time", True),
        (httpx.ConnectTimeout, "connecting took too long", True),
        (httpx.TimeoutException, "no data came in time", True),
        (httpx.UnsupportedProtocol, "only http and https URLs can be requested", False),
        (httpx.ProxyError, "the proxy refused: {}", False),
        (httpx.LocalProtocolError, "the request cannot be sent: {}", False),
        (httpx.RemoteProtocolError, "the connection was cut short: {}", True),
        (httpx.ProtocolError, "the server does not speak HTTP: {}", False),
        (httpx.NetworkError, "{}", True),
        (httpx.DecodingError, "the response cannot be decompressed", False),
        (httpx.TooManyRedirects, "too many redirects", False),
        (httpx.InvalidURL, "the URL is not valid", False),
        (httpx.CookieConflict, "the server set contradictory cookies", False),
        (httpx.StreamError, "the response was read twice or too late", False),
        (httpx.HTTPError, "the request failed: {}", False),
    )
    for kind, problem, transient in failures:
        if isinstance(error, kind):
            words = redact(str(error)) or type(error).__name__
            # A refused certificate will be refused again.
            return Failure(problem.format(words), transient and not _is_tls(error))
    return None


class _Transient(Exception):
    """A failed attempt; another one may succeed."""

    def __init__(self, error: IndexRequestError, retry_after: float | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after = retry_after


class _Answer(Value, frozen=True):
    """A response whose body is unread, and its connection.

    ``url`` is without credentials.
    """

    url: str
    response: httpx.Response
    origin: Origin | None
    connection: httpx.Client


class Client:
    """An HTTP client with reused connections; thread-safe.

    ``timeout`` is the longest silence of the network, in seconds.
    """

    user_agent: ClassVar[str] = f"polylock/{__version__}"

    def __init__(
        self,
        authenticator: Authenticator | None = None,
        *,
        traffic: Traffic | None = None,
        retry: RetryPolicy | None = None,
        timeout: float = 30.0,
    ) -> None:
        self.traffic = traffic or Traffic()
        self._authenticator = authenticator or Authenticator()
        self._retry = retry or RetryPolicy()
        self._timeout = timeout
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._idle: dict[Origin | None, list[httpx.Client]] = {}
        self._proxies: dict[Origin, Proxy | None] = {}

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        largest: int = LARGEST,
    ) -> Response:
        """Request a URL and return the whole response; redirects are followed.

        A response with an error status is returned too, unless a retry may help. Raises
        IndexRequestError if there is no response or all attempts fail, and
        AnswerTooLong for more than ``largest`` bytes.
        """

        def read(answer: Streaming) -> Response:
            content = whole_body(answer, largest=largest)
            return Response(answer.url, answer.status, answer.headers, content)

        return self.stream(url, read, headers=headers)

    def stream(
        self,
        url: str,
        consume: Callable[[Streaming], T],
        *,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Pass the response to ``consume`` before its body is read; return its result.

        If the connection breaks, ``consume`` gets an exception and is called again with
        the response of the next attempt, so it must be able to start over. ``headers``
        are read for each attempt, so the caller can change them to request the rest.
        Raises as ``get`` does, and what ``consume`` raises.
        """
        attempt = 1
        while True:
            try:
                return self._attempt(url, consume, {} if headers is None else headers)
            except _Transient as failure:
                wait = self._retry.wait(attempt, failure.retry_after)
                if wait is None:
                    raise failure.error from failure.__cause__
                logger.debug("%s; retrying in %.2f s", failure, wait)
            self._retry.sleep(wait)
            attempt += 1

    def credentials_digest(self, url: str) -> str:
        """Return a digest of the credentials for a URL, empty without credentials."""
        return self._authenticator.credentials_digest(url)

    def close(self) -> None:
        """Close all connections that are not in use."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _attempt(
        self,
        url: str,
        consume: Callable[[Streaming], T],
        headers: Mapping[str, str],
    ) -> T:
        answer = self._follow(url, headers)
        response = answer.response
        try:
            if response.status_code in _TRANSIENT:
                error = status_error(answer.url, response.status_code)
                raise _Transient(
                    error, retry_after(response.headers.get("retry-after"))
                )
            if "," in response.headers.get("content-encoding", ""):
                # Each coding multiplies the size that few bytes can decompress to.
                problem = "the response is compressed more than once"
                raise IndexRequestError(
                    redact(answer.url), response.status_code, problem
                )
            return consume(
                Streaming(
                    answer.url,
                    response.status_code,
                    dict(response.headers),
                    self._chunks(response, answer.url),
                )
            )
        finally:
            self.traffic.count(received=response.num_bytes_downloaded)
            self._close(answer)

    def _follow(self, url: str, headers: Mapping[str, str]) -> _Answer:
        """Return the first response that is not a redirect, its body unread.

        Redirects are followed here rather than by httpx, to choose the credentials of
        each origin and to refuse a redirect from https to http, which anyone on the
        network could intercept.
        """
        place, own = url, self._authenticator.credentials(url)
        for _ in range(_MAX_REDIRECTS):
            sent = dict(headers)
            if origin(place) == origin(url):
                credentials = own
            else:
                credentials = self._authenticator.credentials(place)
            if credentials is not None:
                sent["authorization"] = credentials.header
            answer = self._send(place, sent)
            if answer.response.status_code == _UNAUTHORIZED:
                answer = self._send_again(
                    answer, url if origin(place) == origin(url) else place, sent
                )
            status = answer.response.status_code
            location = answer.response.headers.get("location")
            if status not in _REDIRECTS or location is None:
                return answer
            self._close(answer)
            place = redirected(place, location, status)
        raise IndexRequestError(redact(url), None, "too many redirects")

    def _send_again(
        self, refused: _Answer, url: str, headers: Mapping[str, str]
    ) -> _Answer:
        """Retry a refused request with other credentials, if there are any."""
        if "authorization" not in headers:
            return refused  # no credentials for this origin
        found = self._authenticator.after_refusal(url)
        if found is None or found.header == headers["authorization"]:
            return refused
        self._close(refused)
        return self._send(refused.url, {**headers, "authorization": found.header})

    def _send(self, url: str, headers: Mapping[str, str]) -> _Answer:
        bare = without_user(url)
        place = origin(bare)
        connection = self._take(place)
        self.traffic.count(requests=1)
        deadline = Deadline(_HEADER_TIMEOUTS * self._timeout, connection.close)
        try:
            with deadline:
                request = connection.build_request("GET", bare, headers=headers)
                response = connection.send(request, stream=True)
        except Exception as error:
            if deadline.passed:
                seconds = _HEADER_TIMEOUTS * self._timeout
                problem = f"the server did not respond within {seconds:g} seconds"
                raise IndexRequestError(redact(bare), None, problem) from error
            self._give_back(place, connection)
            mapped = _mapped(bare, error, self._proxy(place))
            if mapped is None:
                raise
            raise mapped from error
        return _Answer(bare, response, place, connection)

    def _close(self, answer: _Answer) -> None:
        answer.response.close()
        self._give_back(answer.origin, answer.connection)

    def _chunks(self, response: httpx.Response, url: str) -> Iterator[bytes]:
        try:
            yield from in_time(response.iter_bytes(), url, seconds=self._timeout)
        except IndexRequestError:
            raise
        except Exception as error:
            mapped = _mapped(url, error)
            if mapped is None:
                raise
            raise mapped from error

    def _take(self, place: Origin | None) -> httpx.Client:
        """Return an idle connection to an origin, the last used, or a new one.

        httpx's own pool polls every idle connection with a system call before and after
        each request: with eight threads that took as long as the request.
        """
        with self._lock:
            idle = self._idle.get(place)
            return idle.pop() if idle else self._connection(place)

    def _give_back(self, place: Origin | None, connection: httpx.Client) -> None:
        with self._lock:
            self._idle.setdefault(place, []).append(connection)

    def _proxy(self, place: Origin | None) -> Proxy | None:
        """Return the proxy for an origin; raises NetworkSettingInvalid."""
        if place is None:
            return None  # not a URL; httpx raises an error
        from polylock.network.proxies import proxy_for  # noqa: PLC0415 - loads urllib

        if place not in self._proxies:
            self._proxies[place] = proxy_for(place)
        return self._proxies[place]

    def _connection(self, place: Origin | None) -> httpx.Client:
        """Return a client of httpx, to be used for one request at a time.

        Raises NetworkSettingInvalid.
        """
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
        import httpx  # 60 ms; 100 with its command line, which needs rich

        from polylock.network.trust import trust_store  # noqa: PLC0415 - loads ssl

        if self._context is None:
            self._context = trust_store()
        proxy = self._proxy(place)
        try:
            return httpx.Client(
                verify=self._context,
                timeout=self._timeout,
                headers={"user-agent": self.user_agent},
                follow_redirects=False,
                event_hooks={"response": [_check_redirect]},
                trust_env=False,
                proxy=None if proxy is None else proxy.url,
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            if proxy is None:
                raise
            shown = redact(proxy.url)
            raise NetworkSettingInvalid(proxy.variable, shown, str(error)) from error


def _check_redirect(response: httpx.Response) -> None:
    """Raise IndexRequestError for a redirect that may not be followed.

    httpx parses the target before it returns the response, and its own error does not
    say where the redirect leads.
    """
    location = response.headers.get("location")
    if response.status_code in _REDIRECTS and location is not None:
        redirected(str(response.request.url), location, response.status_code)


def _mapped(url: str, error: Exception, proxy: Proxy | None = None) -> Exception | None:
    """Return the exception to raise instead of one of httpx, None for others.

    With a proxy, a failed connection is one to the proxy.
    """
    failure = explain(error)
    if failure is None:
        return None
    url = redact(url)
    mapped = IndexRequestError(url, None, failure.problem)
    if _is_tls(error):
        mapped = TlsFailed(url, None, failure.problem)
    elif proxy is not None and _is_of_proxy(error):
        shown = redact(proxy.url)
        mapped = ProxyFailed(url, None, failure.problem, shown, proxy.variable)
    return _Transient(mapped, None) if failure.transient else mapped


def _is_of_proxy(error: Exception) -> bool:
    import httpx  # see Client

    kinds = (httpx.ProxyError, httpx.ConnectError, httpx.ConnectTimeout)
    return isinstance(error, kinds)


def _is_tls(error: BaseException | None) -> bool:
    """Return True if a TLS handshake failed.

    httpx wraps the exception of ``ssl`` more than once. A closed connection does not
    count, although ``ssl`` has exceptions for it.
    """
    import ssl  # noqa: PLC0415 - loaded with the first connection

    for _ in range(_MAX_CAUSES):
        if error is None:
            break
        if isinstance(error, ssl.SSLError):
            return not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        error = error.__cause__ or error.__context__
    return False
