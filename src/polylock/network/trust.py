"""Which certificates are trusted: those that the system trusts."""

from __future__ import annotations

import ssl
import sys

__all__ = ["trust_store"]


def trust_store(*, platform: str = sys.platform) -> ssl.SSLContext:
    """Return a context for clients that checks certificates and host names.

    truststore asks the system, and where that means to read a file of certificates,
    it reads the file again for every connection, 16 ms each. So where OpenSSL knows
    that file by itself, it is read here, once.
    """
    system_decides = platform in {"win32", "darwin"}
    if not system_decides and ssl.get_default_verify_paths().cafile is not None:
        # Not ``create_default_context``: its strict flags refuse the certificates of
        # many a company, which truststore accepts.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_default_verify_paths()
        return context
    import truststore  # noqa: PLC0415 - only where it is needed

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
