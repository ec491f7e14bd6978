"""Which proxy a request goes through, and whose fault it is when it fails."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from fakes.server import Answer, Server
from polylock.errors import NetworkSettingInvalid, ProxyFailed, TlsFailed
from polylock.network.client import Client, RetryPolicy
from polylock.network.proxies import Proxy, proxy_for

if TYPE_CHECKING:
    from polylock.network.auth import Origin

PROXY = "http://proxy.example.com:3128"


def _chosen(place: Origin, **variables: str) -> Proxy | None:
    settings = {
        name.lower().removesuffix("_proxy"): value for name, value in variables.items()
    }
    return proxy_for(place, environ=variables, settings=lambda: settings)


@pytest.mark.parametrize(
    ("scheme", "variables", "variable"),
    [
        ("https", {"HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        ("https", {"https_proxy": PROXY}, "https_proxy"),
        ("https", {"ALL_PROXY": PROXY}, "ALL_PROXY"),
        ("https", {"HTTPS_PROXY": PROXY, "ALL_PROXY": "http://other"}, "HTTPS_PROXY"),
        ("http", {"HTTP_PROXY": PROXY}, "HTTP_PROXY"),
        ("http", {"HTTPS_PROXY": PROXY}, None),
        ("https", {"HTTPS_PROXY": ""}, None),
        ("https", {}, None),
    ],
)
def test_the_variable_of_the_scheme_counts(
    scheme: str, variables: dict[str, str], variable: str | None
) -> None:
    """Then ALL_PROXY; which one it was is known for messages."""
    found = _chosen((scheme, "example.com", 443), **variables)
    assert found == (None if variable is None else Proxy(PROXY, variable))


@pytest.mark.parametrize(
    ("entry", "host", "port", "is_exempt"),
    [
        ("*", "example.com", 443, True),
        ("example.com", "example.com", 443, True),
        ("example.com", "wheels.example.com", 443, True),
        (".example.com", "wheels.example.com", 443, True),
        (".example.com", "example.com", 443, True),
        ("*.example.com", "wheels.example.com", 443, True),
        ("EXAMPLE.com.", "Example.com", 443, True),
        ("example.com", "notexample.com", 443, False),
        ("example.com:443", "example.com", 443, True),
        ("example.com:8443", "example.com", 443, False),
        ("https://example.com/", "example.com", 443, True),
        ("localhost", "localhost", 80, True),
        ("a.example,b.example", "b.example", 443, True),
        ("a.example  b.example", "b.example", 443, True),
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("10.0.0.0/8", "10.example.com", 443, False),
        ("192.168.1.5", "192.168.1.5", 443, True),
        ("192.168.1.5:8080", "192.168.1.5", 443, False),
        ("fe80::/10", "fe80::1", 443, True),
        ("fe80::/10", "fd00::1", 443, False),
        ("fd07::/64", "fd07::42", 443, True),
        ("[::1]", "::1", 443, True),
        ("::1", "::1", 443, True),
        ("[::1]:8080", "::1", 8080, True),
        ("[::1]:8080", "::1", 443, False),
        ("10.0.0.0/99", "10.0.0.1", 443, False),
        ("[::1", "::1", 443, False),
        ("", "example.com", 443, False),
        (",", "example.com", 443, False),
        (".", "example.com", 443, False),
    ],
)
def test_no_proxy_exempts_a_host(
    entry: str, host: str, port: int, *, is_exempt: bool
) -> None:
    """Domains, addresses, ranges of addresses, ports; nonsense exempts nobody."""
    found = _chosen(("https", host, port), HTTPS_PROXY=PROXY, NO_PROXY=entry)
    assert (found is None) == is_exempt


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("ftp://proxy.example.com:1", "ftp is not a kind of proxy"),
        ("http://", "has no host"),
        ("http://proxy.example.com:port", "port"),
        ("http://[::1", "IPv6"),
    ],
)
def test_a_value_that_is_no_proxy_is_an_error_of_settings(
    value: str, problem: str
) -> None:
    """The variable is named."""
    with pytest.raises(NetworkSettingInvalid, match=problem) as caught:
        _chosen(("https", "example.com", 443), HTTPS_PROXY=value)
    assert str(caught.value).startswith(f"HTTPS_PROXY={value}")
    assert caught.value.exit_code == 2


def test_a_socks_proxy_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra that brings it is named; the password is not."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(NetworkSettingInvalid, match="socksio") as caught:
        _chosen(("https", "a", 443), ALL_PROXY="socks5://me:secret@proxy.example.com")
    assert "polylock[socks]" in str(caught.value.hint())
    assert "secret" not in str(caught.value)


@pytest.fixture
def impatient() -> Client:
    """Make a client that asks once."""
    return Client(retry=RetryPolicy(attempts=1))


def test_a_request_goes_through_the_proxy(
    server: Server, impatient: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not where NO_PROXY exempts the host."""
    monkeypatch.setenv("http_proxy", server.url)
    server.routes["http://index.example.com/simple/"] = Answer(body=b"by proxy")
    with impatient:
        assert impatient.get("http://index.example.com/simple/").content == b"by proxy"
    monkeypatch.setenv("no_proxy", "127.0.0.0/8")
    server.routes["/simple/"] = Answer(body=b"direct")
    with Client() as client:
        assert client.get(f"{server.url}/simple/").content == b"direct"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_dead_proxy_is_not_a_dead_index(
    impatient: Client, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """The proxy and its variable are named, without its password."""
    with Server() as server:
        address = f"127.0.0.1:{server.port}"
    monkeypatch.setenv(f"{scheme}_proxy", f"http://me:secret@{address}")
    with impatient, pytest.raises(ProxyFailed) as caught:
        impatient.get(f"{scheme}://index.example.com/simple/")
    words = f"{caught.value} {caught.value.hint()}"
    assert f"proxy http://{address}" in words
    assert f"{scheme}_proxy" in words
    assert "NO_PROXY" in words
    assert "secret" not in words


def test_a_proxy_that_refuses_is_named(
    server: Server, impatient: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers CONNECT with an error."""
    monkeypatch.setenv("https_proxy", server.url)
    with impatient, pytest.raises(ProxyFailed, match="501"):
        impatient.get("https://index.example.com/simple/")


def test_an_index_that_speaks_no_tls(server: Server, impatient: Client) -> None:
    """The hint is about certificates, not about a cache."""
    url = server.url.replace("http://", "https://")
    with impatient, pytest.raises(TlsFailed):
        impatient.get(f"{url}/simple/")
