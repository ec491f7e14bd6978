"""Host names that imitate another."""

from __future__ import annotations

import pytest

from polylock.model.hosts import look_alike

KNOWN = ("files.example.com", "example.com")


@pytest.mark.parametrize(
    ("host", "imitated"),
    [
        ("fi1es.example.com", "files.example.com"),
        ("files.exarnple.com", "files.example.com"),
        ("files.examp1e.com", "files.example.com"),
        ("files.exmaple.com", "files.example.com"),
        ("files.examplee.com", "files.example.com"),
        ("file.example.com", "files.example.com"),
        ("files.exampel.com", "files.example.com"),
        ("filés.example.com", "files.example.com"),
        ("files.ex\u0430mple.com", "files.example.com"),
        ("files.xn--exmple-4nf.com", "files.example.com"),
        ("example.com.evil.example", "example.com"),
        ("example-com.evil.example", "example.com"),
    ],
)
def test_an_imitation_is_named_with_what_it_imitates(host: str, imitated: str) -> None:
    """Letters that look alike, one slip, and a known name inside a longer one."""
    assert look_alike(host, KNOWN) == imitated


@pytest.mark.parametrize(
    "host",
    [
        "files.example.com",
        "FILES.example.com",
        "cdn.example.com",
        "mirror.example.org",
        "wheels.example.net",
        "a.b",
        "",
    ],
)
def test_another_host_is_no_imitation(host: str) -> None:
    """The host itself, one of the same owner, and one of a different name."""
    assert look_alike(host, KNOWN) is None
