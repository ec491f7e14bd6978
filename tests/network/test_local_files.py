"""``file:`` URLs to paths, on every system."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylock.network.local_files import is_local, local_path


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("file:///srv/a%20b/%C3%A9.whl", "/srv/a b/é.whl"),
        ("file://localhost/srv/wheels", "/srv/wheels"),
        ("FILE:/srv/wheels", "/srv/wheels"),
    ],
)
def test_a_path(url: str, expected: str) -> None:
    """A file URL is decoded to the path that it names."""
    assert is_local(url)
    assert local_path(url, windows=False) == Path(expected)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("file:///C:/wheels/a.whl", "C:/wheels/a.whl"),
        ("file://host/share/a.whl", "//host/share/a.whl"),
    ],
)
def test_a_path_of_windows(url: str, expected: str) -> None:
    """On Windows a drive and the host of a share are part of the path."""
    assert local_path(url, windows=True) == Path(expected)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/srv",
        "file://host/share",
        "file://",
        "file:///a%00b",
        "file://[bad/x",
    ],
)
def test_no_path(url: str) -> None:
    """What names no file of this machine has no path."""
    assert local_path(url, windows=False) is None


def test_a_path_and_back(tmp_path: Path) -> None:
    """The URL that a path has leads back to it."""
    path = tmp_path / "a b#c?d%.whl"
    assert local_path(path.as_uri()) == path
