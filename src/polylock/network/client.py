"""The only module that speaks HTTP: connections, redirects, retries, TLS.

httpx is imported when the first request is made, so a command that is answered by
the cache does not pay for it. Certificates are checked by the system's trust store.
Proxies come from the standard variables (``proxies``).
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, ClassVar, TypeVar

from polylock import __version__
from polylock.errors import (
    IndexRequestError,
    NetworkSettingInvalid,
    ProxyFailed,
    TlsFailed,
)
from polylock.network.answers import Response, Streaming, status_error
from polylock.network.auth import Authenticator, origin, redact
from polylock.network.limits import (
    LARGEST,
    Deadline,
    in_time,
    redirected,
    whole_body,
)
from polylock.network.traffic import Traffic
from polylock.values import Value

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping
    from typing import Self

    import httpx

    from polylock.network.auth import Origin
    from polylock.network.proxies import Proxy

__all__ = ["Client", "Failure", "RetryPolicy", "explain", "retry_after"]


class RetryPolicy(Value, frozen=True, kw_only=True):
    """How often and how patiently a request is made again.

    ``attempts`` counts the first one. The wait doubles from ``first_wait`` seconds;
    a Retry-After header is obeyed up to ``longest_wait``, and a longer one ends the
    attempts, for a person would rather be told.
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
        return None  # no date at all, or one of no calendar


logger = logging.getLogger(__name__)
T = TypeVar("T")

_MAX_REDIRECTS = 20
_MAX_CAUSES = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_UNAUTHORIZED = 401
_HEADERS = 2
"""How many times the timeout may pass until all headers are there: once to connect, and
once to answer. A server that sends a byte now and then is never silent for long."""


class Failure(Value, frozen=True):
    """Why no answer came; ``transient`` where another attempt may succeed."""

    problem: str
    transient: bool


def explain(error: Exception) -> Failure | None:
    """Return what an exception of httpx means, None for any other exception."""
    import httpx  # see Client

    failures: tuple[tuple[type[Exception], str, bool], ...] = (
        # More specific classes first. These messages carry no URL, which might
        # hold credentials, unless {} puts the library's own words in.
        (httpx.PoolTimeout, "no connection became free in time", True),
        (httpx.ConnectTimeout, "connecting took too long", True),
        (httpx.TimeoutException, "no data came in time", True),
        (httpx.UnsupportedProtocol, "only http and https URLs can be asked", False),
        (httpx.ProxyError, "the proxy refused: {}", False),
        (httpx.LocalProtocolError, "the request cannot be sent: {}", False),
        (httpx.RemoteProtocolError, "the connection was cut short: {}", True),
        (httpx.ProtocolError, "the server does not speak HTTP: {}", False),
        (httpx.NetworkError, "{}", True),
        (httpx.DecodingError, "the answer cannot be decompressed", False),
        (httpx.TooManyRedirects, "too many redirects", False),
        (httpx.InvalidURL, "the URL is not valid", False),
        (httpx.CookieConflict, "the server set contradictory cookies", False),
        (httpx.StreamError, "the answer was read twice or too late", False),
        (httpx.HTTPError, "the request failed: {}", False),
    )
    for kind, problem, transient in failures:
        if isinstance(error, kind):
            words = redact(str(error)) or type(error).__name__
            # A certificate that is refused now is refused in a second as well.
            return Failure(problem.format(words), transient and not _is_tls(error))
    return None


class _Again(Exception):
    """The attempt failed in a way that may pass."""

    def __init__(self, error: IndexRequestError, retry_after: float | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after = retry_after


class _Answer(Value, frozen=True):
    """An answer whose body is unread, and the connection that it comes over.

    ``url`` has no credentials in it.
    """

    url: str
    response: httpx.Response
    origin: Origin | None
    connection: httpx.Client


class Client:
    """Makes requests from any thread over shared connections.

    ``timeout`` is how many seconds the network may be silent. ``traffic`` counts.
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
        """Ask for a URL and read the whole answer, following redirects.

        An answer of any status that trying again would not change is returned, an
        error status too. Raises IndexRequestError where none came, where the server
        kept failing, and AnswerTooLong for more than ``largest`` bytes, unread.
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
        """Hand the answer to ``consume`` before its body is read; return its result.

        Where the connection breaks, ``consume`` is left by an exception and called
        again with the answer of the next attempt, so it must start anew each time.
        ``headers`` are read anew too: who keeps what came may ask for the rest.
        Raises as ``get`` does, and what ``consume`` raises.
        """
        attempt = 1
        while True:
            try:
                return self._attempt(url, consume, {} if headers is None else headers)
            except _Again as again:
                wait = self._retry.wait(attempt, again.retry_after)
                if wait is None:
                    raise again.error from again.__cause__
                logger.debug("%s; trying again in %.2f s", again, wait)
            self._retry.sleep(wait)
            attempt += 1

    def asker(self, url: str) -> str:
        """Return who asks for a URL, as a digest; the empty string for nobody."""
        return self._authenticator.asker(url)

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
                raise _Again(error, retry_after(response.headers.get("retry-after")))
            if "," in response.headers.get("content-encoding", ""):
                # Each coding multiplies what few bytes can unfold to.
                problem = "the answer is compressed more than once"
                raise IndexRequestError(answer.url, response.status_code, problem)
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
        """Return the first answer that is no redirect, its body unread.

        Redirects are followed here rather than by httpx, so that credentials are
        chosen anew for each origin, and that none leads from https to http: there
        anybody could answer.
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
        """Answer a refusal with credentials that were not tried, if there are any."""
        if "authorization" not in headers:
            return refused  # nothing is known, or nothing may be sent here
        found = self._authenticator.after_refusal(url)
        if found is None or found.header == headers["authorization"]:
            return refused
        self._close(refused)
        return self._send(refused.url, {**headers, "authorization": found.header})

    def _send(self, url: str, headers: Mapping[str, str]) -> _Answer:
        bare = redact(url)
        place = origin(bare)
        connection = self._take(place)
        self.traffic.count(requests=1)
        patience = Deadline(_HEADERS * self._timeout, connection.close)
        try:
            with patience:
                request = connection.build_request("GET", bare, headers=headers)
                response = connection.send(request, stream=True)
        except Exception as error:
            if patience.passed:
                problem = f"no answer began within {_HEADERS * self._timeout:g} seconds"
                raise IndexRequestError(bare, None, problem) from error
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
        """Return a connection that nobody uses, the last one that was used before.

        A pool of httpx polls every idle connection, with a system call, before and
        after each request: in eight threads, that took as long as the request.
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
            return None  # no URL that can be asked; httpx says so
        from polylock.network.proxies import proxy_for  # noqa: PLC0415 - loads urllib

        if place not in self._proxies:
            self._proxies[place] = proxy_for(place)
        return self._proxies[place]

    def _connection(self, place: Origin | None) -> httpx.Client:
        """Return a client of httpx that is used for one request at a time.

        Raises NetworkSettingInvalid.
        """
        # A run that the cache answers needs none of these.
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
        import httpx  # 60 ms; 100 with its own command line, which needs rich

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
                trust_env=False,
                proxy=None if proxy is None else proxy.url,
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            if proxy is None:
                raise
            shown = redact(proxy.url)
            raise NetworkSettingInvalid(proxy.variable, shown, str(error)) from error


def _mapped(url: str, error: Exception, proxy: Proxy | None = None) -> Exception | None:
    """Return the exception to raise instead of one of httpx, None for others.

    A connection that cannot be made is made to the proxy, where there is one.
    """
    failure = explain(error)
    if failure is None:
        return None
    mapped = IndexRequestError(url, None, failure.problem)
    if _is_tls(error):
        mapped = TlsFailed(url, None, failure.problem)
    elif proxy is not None and _is_of_proxy(error):
        shown = redact(proxy.url)
        mapped = ProxyFailed(url, None, failure.problem, shown, proxy.variable)
    return _Again(mapped, None) if failure.transient else mapped


def _is_of_proxy(error: Exception) -> bool:
    import httpx  # see Client

    kinds = (httpx.ProxyError, httpx.ConnectError, httpx.ConnectTimeout)
    return isinstance(error, kinds)


def _is_tls(error: BaseException | None) -> bool:
    """Return whether the two sides did not agree on TLS.

    httpx wraps the exception of ``ssl`` more than once. A connection that ended is not
    meant, although ``ssl`` has exceptions of its own for it.
    """
    import ssl  # noqa: PLC0415 - loaded with the first connection

    for _ in range(_MAX_CAUSES):
        if error is None:
            break
        if isinstance(error, ssl.SSLError):
            return not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        error = error.__cause__ or error.__context__
    return False
