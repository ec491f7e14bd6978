"""Credentials: whose they are, and that they are never written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polylock.model.inputs import IndexLocation
from polylock.network.auth import (
    Authenticator,
    Credentials,
    credentials_variable,
    redact,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://user:secret@example.com/simple", "https://example.com/simple"),
        ("https://token@example.com:8080/a@b", "https://example.com:8080/a@b"),
        ("https://example.com/a@b?c=d@e", "https://example.com/a@b?c=d@e"),
        ("https://u:p@ss@example.com/", "https://example.com/"),
        ("see https://u:p@[::1/x, please", "see https://[::1/x, please"),
        ("no URL at all", "no URL at all"),
    ],
)
def test_redact_removes_user_information(url: str, bare: str) -> None:
    """Only what stands between the scheme and the host goes, in any text."""
    assert redact(url) == bare


def test_credentials_of_an_index_url_go_to_its_origin() -> None:
    """User and password are decoded and sent to that scheme, host and port alone."""
    index = IndexLocation(name="a", url="https://us%40er:p%3Aw@example.com/simple")
    authenticator = Authenticator([index])
    found = authenticator.credentials("https://example.com/files/demo.whl")
    assert found == Credentials("us@er", "p:w")
    for other in (
        "http://example.com/files",
        "https://example.com:8443/files",
        "https://files.example.com/",
        "https://example.com.example.org/",
    ):
        assert authenticator.credentials(other) is None


def test_the_default_port_is_the_same_origin() -> None:
    """An explicit 443 names the same origin as https without a port."""
    index = IndexLocation(name="a", url="https://u:p@example.com:443/simple")
    found = Authenticator([index]).credentials("https://example.com/x")
    assert found == Credentials("u", "p")


def test_variables_win_over_the_index_url() -> None:
    """POLYLOCK_INDEX_<NAME>_* replace what the URL of the index holds."""
    index = IndexLocation(name="my-index.2", url="https://old:old@example.com/simple")
    environment = {
        "POLYLOCK_INDEX_MY_INDEX_2_USERNAME": "new",
        "POLYLOCK_INDEX_MY_INDEX_2_PASSWORD": "word",
    }
    found = Authenticator([index], environment=environment)
    assert found.credentials("https://example.com/") == Credentials("new", "word")
    assert credentials_variable("my-index.2", "USERNAME") in environment


def test_two_indexes_on_one_host_are_told_apart_by_path() -> None:
    """The index whose path the URL shares furthest lends its credentials."""
    authenticator = Authenticator(
        [
            IndexLocation(name="a", url="https://a:1@example.com/team-a/simple"),
            IndexLocation(name="b", url="https://b:2@example.com/team-b/simple"),
        ]
    )
    found = authenticator.credentials("https://example.com/team-b/simple/demo/")
    assert found == Credentials("b", "2")


def test_netrc_serves_its_hosts_and_its_default_nobody(tmp_path: Path) -> None:
    """An entry belongs to its host; ``default`` names no host and is not sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine example.com login u password p\ndefault login d\n")
    netrc.chmod(0o600)
    authenticator = Authenticator(netrc=netrc)
    assert authenticator.credentials("https://example.com/") == Credentials("u", "p")
    assert authenticator.credentials("https://example.org/") is None


def test_a_broken_netrc_is_ignored_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that cannot be parsed is named, and its content is not."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine example.com passwrod hunter2\n")
    assert Authenticator(netrc=netrc).credentials("https://example.com/") is None
    assert str(netrc) in caplog.text


def test_a_missing_netrc_is_no_matter(tmp_path: Path) -> None:
    """The file need not exist."""
    authenticator = Authenticator(netrc=tmp_path / "none")
    assert authenticator.credentials("https://example.com/") is None


def test_credentials_do_not_show_in_a_repr() -> None:
    """A traceback or log with the object in it tells nothing."""
    assert "secret" not in repr(Credentials("user", "secret"))


def test_an_invalid_url_has_no_credentials() -> None:
    """A URL that cannot be split is no reason to fail here."""
    assert Authenticator().credentials("http://[::1") is None
