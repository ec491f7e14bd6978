"""Which certificates are trusted, and which one is shown."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import truststore

from polylock.errors import NetworkSettingInvalid, TlsFailed
from polylock.network.client import Client, RetryPolicy
from polylock.network.trust import trust_store

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = Path(__file__).parents[1] / "data" / "tls" / "loopback.pem"
"""A certificate for 127.0.0.1 that signs itself, and its key; for these tests alone."""


def _openssl(cafile: str | None) -> ssl.DefaultVerifyPaths:
    known = ssl.get_default_verify_paths()
    # Typeshed knows no None there, which stands for a file that is not found.
    return known._replace(cafile=cafile)  # type: ignore[arg-type]


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
@pytest.mark.parametrize("environ", [{}, {"SSL_CERT_FILE": str(LOOPBACK)}])
def test_certificates_and_host_names_are_checked(
    platform: str, environ: dict[str, str]
) -> None:
    """No platform and no variable leaves a peer unchecked."""
    context = trust_store(platform=platform, environ=environ)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_file_that_openssl_knows_is_read_once() -> None:
    """The context holds the certificates, so a connection has nothing to read."""
    context = trust_store(
        platform="linux", environ={}, openssl=lambda: _openssl("/etc/some.pem")
    )
    assert not isinstance(context, truststore.SSLContext)


def test_without_such_a_file_the_system_is_searched() -> None:
    """A Python built elsewhere knows another place than that of this system."""
    context = trust_store(platform="linux", environ={}, openssl=lambda: _openssl(None))
    assert isinstance(context, truststore.SSLContext)


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_where_the_system_decides_it_is_asked(platform: str) -> None:
    """Windows and macOS check a chain themselves, with what they know of it."""
    context = trust_store(
        platform=platform, environ={}, openssl=lambda: _openssl("/etc/some.pem")
    )
    assert isinstance(context, truststore.SSLContext)


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_a_variable_names_the_certificates_to_trust(platform: str) -> None:
    """It says so on every system, and nothing else is trusted then."""
    context = trust_store(platform=platform, environ={"SSL_CERT_FILE": str(LOOPBACK)})
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CLIENT_CERT"])
@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_variable_that_names_no_certificate_is_an_error(
    tmp_path: Path, variable: str, content: str | None
) -> None:
    """The variable and its file are named; a silent fallback would trust others."""
    path = tmp_path / "file.pem"
    if content is not None:
        path.write_text(content, encoding="ascii")
    with pytest.raises(NetworkSettingInvalid) as caught:
        trust_store(environ={variable: str(path)})
    assert str(caught.value).startswith(f"{variable}={path}: ")
    assert caught.value.exit_code == 2


def test_a_directory_of_certificates_has_to_be_there(tmp_path: Path) -> None:
    """OpenSSL would trust nobody, and say nothing."""
    trust_store(environ={"SSL_CERT_DIR": f"{tmp_path / 'none'}:{tmp_path}"})
    with pytest.raises(NetworkSettingInvalid, match="no such directory"):
        trust_store(environ={"SSL_CERT_DIR": str(tmp_path / "none")})


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer with one word."""
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
        """Say nothing."""


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that trust nobody hang up."""


@contextmanager
def _tls_server(*, asks: bool = False) -> Iterator[str]:
    """Serve over TLS on loopback; ``asks`` for a certificate of the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(LOOPBACK)
    if asks:
        context.load_verify_locations(LOOPBACK)
        context.verify_mode = ssl.CERT_REQUIRED
    server = _QuietServer(("127.0.0.1", 0), _Hello)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _get(url: str) -> bytes:
    with Client(retry=RetryPolicy(attempts=1)) as client:
        return client.get(url).content


def test_a_certificate_that_nobody_vouches_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint names the variables; with the right one the server is trusted."""
    with _tls_server() as url:
        with pytest.raises(TlsFailed) as caught:
            _get(url)
        hint = caught.value.hint()
        assert hint is not None
        assert "SSL_CERT_FILE" in hint
        assert "SSL_CERT_DIR" in hint
        monkeypatch.setenv("SSL_CERT_FILE", str(LOOPBACK))
        assert _get(url) == b"hello"


def test_a_server_that_asks_who_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """SSL_CLIENT_CERT is shown to it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(LOOPBACK))
    with _tls_server(asks=True) as url:
        with pytest.raises(TlsFailed):
            _get(url)
        monkeypatch.setenv("SSL_CLIENT_CERT", str(LOOPBACK))
        assert _get(url) == b"hello"
