"""Which certificates are trusted."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import truststore

from polylock.network.trust import trust_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="certificates")
def _certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make OpenSSL look for its file of certificates in an empty directory."""
    path = tmp_path / "certificates.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    return path


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_certificates_and_host_names_are_checked(platform: str) -> None:
    """No platform leaves a peer unchecked."""
    context = trust_store(platform=platform)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_file_that_openssl_knows_is_read_once(certificates: Path) -> None:
    """The context holds the certificates, so a connection has nothing to read."""
    certificates.write_text("", encoding="ascii")
    assert not isinstance(trust_store(platform="linux"), truststore.SSLContext)


def test_without_such_a_file_the_system_is_searched(certificates: Path) -> None:
    """A Python built elsewhere knows another place than that of this system."""
    assert not certificates.exists()
    assert isinstance(trust_store(platform="linux"), truststore.SSLContext)


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_where_the_system_decides_it_is_asked(
    certificates: Path, platform: str
) -> None:
    """Windows and macOS check a chain themselves, with what they know of it."""
    certificates.write_text("", encoding="ascii")
    assert isinstance(trust_store(platform=platform), truststore.SSLContext)
