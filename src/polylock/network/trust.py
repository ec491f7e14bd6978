"""Which certificates are trusted, and which one is shown to a server that asks.

SSL_CERT_FILE and SSL_CERT_DIR name the certificates to trust, on every system; without
them the system's own are. SSL_CLIENT_CERT names a file with a certificate and its key.
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

    ``openssl`` gives the places where OpenSSL looks by itself. Raises
    NetworkSettingInvalid for a variable that names no readable certificate.
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
    """Return a context without a certificate of its own.

    truststore asks the system, and where that means to read a file of certificates,
    it reads the file again for every connection, 16 ms each. So where OpenSSL knows
    that file by itself, it is read here, once.
    """
    file = variables.get("SSL_CERT_FILE") or None
    directories = variables.get("SSL_CERT_DIR") or None
    if file is not None or directories is not None:
        return _trusting_these(file, directories)
    if platform not in {"win32", "darwin"} and openssl().cafile is not None:
        context = _context()
        context.set_default_verify_paths()
        return context
    import truststore  # noqa: PLC0415 - only where it is needed

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _context() -> ssl.SSLContext:
    # Not ``create_default_context``: its strict flags refuse the certificates of many a
    # company, which truststore accepts.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _trusting_these(file: str | None, directories: str | None) -> ssl.SSLContext:
    """Trust what SSL_CERT_FILE and SSL_CERT_DIR name, and nothing else."""
    context = _context()
    if file is not None:
        try:
            context.load_verify_locations(cafile=file)
        except (OSError, ValueError) as error:
            raise _unreadable("SSL_CERT_FILE", file, error) from error
    if directories is not None:
        # OpenSSL says nothing of a directory that is not there, and trusts nobody.
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
    """Return the error for a file that holds no certificate.

    ``ssl.SSLError`` is an OSError as well, with words of OpenSSL.
    """
    is_openssl = isinstance(error, ssl.SSLError)
    words = getattr(error, "strerror", None)
    problem = "it holds no certificate that OpenSSL can read" if is_openssl else words
    advice = "a file in PEM format; of a client, with its key, and without a password"
    return NetworkSettingInvalid(variable, path, problem or "no file", advice)
