"""The trusted certificates, and the client certificate.

SSL_CERT_FILE and SSL_CERT_DIR name the trusted certificates on every system; the
default is the trust store of the system. SSL_CLIENT_CERT names a file with a client
certificate and its key.
"""

from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from polylock.errors import NetworkSettingInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["trust_store"]


def trust_store(
    *,
    platform: str = sys.platform,
    environ: Mapping[str, str] | None = None,
    openssl: Callable[[], ssl.DefaultVerifyPaths] = ssl.get_default_verify_paths,
) -> ssl.SSLContext:
    """Return a context for clients that checks certificates and host names.

    ``openssl`` returns the default paths of OpenSSL. Raises NetworkSettingInvalid for a
    variable that does not name a readable certificate.
    """
    variables = os.environ if environ is None else environ
    context = _trusting(platform, variables, openssl)
    client = variables.get("SSL_CLIENT_CERT")
    if client:
        _show_certificate(context, client)
    return context


def _trusting(
    platform: str,
    variables: Mapping[str, str],
    openssl: Callable[[], ssl.DefaultVerifyPaths],
) -> ssl.SSLContext:
    """Return a context without a client certificate.

    truststore uses the system's certificates; where these are a file, it reads the file
    for every connection, 16 ms each. So if OpenSSL knows that file, it is read here,
    once.
    """
    file = variables.get("SSL_CERT_FILE") or None
    directories = variables.get("SSL_CERT_DIR") or None
    if file is not None or directories is not None:
        return _trusting_these(file, directories)
    if platform not in {"win32", "darwin"} and openssl().cafile is not None:
        context = _context()
        context.set_default_verify_paths()
        return context
    import truststore  # noqa: PLC0415 - needed on some systems only

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _context() -> ssl.SSLContext:
    # Not ``create_default_context``: its strict flags refuse the certificates of many
    # companies, which truststore accepts.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _trusting_these(file: str | None, directories: str | None) -> ssl.SSLContext:
    """Return a context that trusts only SSL_CERT_FILE and SSL_CERT_DIR."""
    context = _context()
    if file is not None:
        try:
            context.load_verify_locations(cafile=file)
        except (OSError, ValueError) as error:
            raise _unreadable("SSL_CERT_FILE", file, error) from error
    if directories is not None:
        # For a missing directory OpenSSL reports no error and trusts no one.
        if not any(Path(each).is_dir() for each in directories.split(os.pathsep)):
            problem = "there is no such directory"
            raise NetworkSettingInvalid("SSL_CERT_DIR", directories, problem)
        context.load_verify_locations(capath=directories)
    return context


def _show_certificate(context: ssl.SSLContext, path: str) -> None:
    try:
        # Without a password OpenSSL would ask for one on the terminal.
        context.load_cert_chain(path, password="")
    except (OSError, ValueError) as error:
        raise _unreadable("SSL_CLIENT_CERT", path, error) from error


def _unreadable(variable: str, path: str, error: Exception) -> NetworkSettingInvalid:
    """Return the error for a file without a certificate.

    ``ssl.SSLError`` is an OSError too, with a message of OpenSSL.
    """
    is_openssl = isinstance(error, ssl.SSLError)
    words = getattr(error, "strerror", None)
    problem = "it holds no certificate that OpenSSL can read" if is_openssl else words
    advice = "a file in PEM format; of a client, with its key, and without a password"
    return NetworkSettingInvalid(variable, path, problem or "no file", advice)
