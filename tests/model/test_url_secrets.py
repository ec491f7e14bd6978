"""Secrets in the query of a URL."""

from __future__ import annotations

import pytest

from polylock.model.url_secrets import without_secrets

FILE = "https://files.example.com/a-1.0.whl"
SIGNED = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k%2F1&X-Amz-Date=1&"
    "X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=ab"
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (f"{FILE}?token=abc", FILE),
        (f"{FILE}?a=1&token=abc", f"{FILE}?a=1"),
        (f"{FILE}?token=abc&a=1", f"{FILE}?a=1"),
        (f"{FILE}?token=abc&sig=d&a=1&auth=e", f"{FILE}?a=1"),
        (f"{FILE}?ACCESS_TOKEN=abc#frag", f"{FILE}#frag"),
        (f"{FILE}?{SIGNED}", FILE),
        (f"{FILE}?Expires=1&Signature=x&Key-Pair-Id=y", FILE),
        (f"{FILE}?sv=2026&se=1&sr=b&sp=r&sig=x", FILE),
        (f"{FILE}?GoogleAccessId=a&Expires=1&Signature=b", FILE),
        (f"{FILE}?token=abc answered 403", f"{FILE} answered 403"),
        (FILE, FILE),
        (f"{FILE}?", f"{FILE}?"),
        (f"{FILE}?tokens=3&monkey=1", f"{FILE}?tokens=3&monkey=1"),
        ("a = 1 ? b", "a = 1 ? b"),
    ],
)
def test_what_opens_the_file_is_left_out(given: str, expected: str) -> None:
    """Tokens and signatures go, what names the file stays."""
    assert without_secrets(given) == expected
