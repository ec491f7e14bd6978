"""Secrets in the query of a URL: tokens and signatures that grant access.

A link of an index may have one (``?token=…``), and signed URLs of object stores do.
Anyone who reads a lock file, a log or a message could use it.
"""

from __future__ import annotations

import re

__all__ = ["without_secrets"]

_NAMES = (
    "token",
    "access[_-]?token",
    "auth(?:[_-]?token|orization)?",
    "api[_-]?key",
    "key",
    "secret",
    "password",
    "passwd",
    "sig(?:nature)?",
    "hmac",
    "jwt",
    # Signed URLs: Amazon S3 (both versions), CloudFront, Google Cloud Storage, Azure.
    r"x-amz-[\w-]+",
    r"x-goog-[\w-]+",
    "awsaccesskeyid",
    "googleaccessid",
    "key-pair-id",
    "policy",
    "expires",
    "s[tevrpk]|sip|spr|srt|ss|skoid|sktid|skt|ske|sks|skv",
)
_SECRET = rf"(?i)(?<=[?&])(?:{'|'.join(_NAMES)})=[^&#\s]*&?"
_LEFT = r"[?&](?=[#\s]|$)"


def without_secrets(text: str) -> str:
    """Return a URL, or a text with URLs, without secrets in queries."""
    if "?" not in text or "=" not in text:
        return text
    found, count = re.subn(_SECRET, "", text)
    return re.sub(_LEFT, "", found) if count else text
