"""The records of a lock file."""

from __future__ import annotations

import pytest

from polylock.lockfile.pylock import PackageSdist, PackageWheel, Pylock, last_component


@pytest.mark.parametrize(
    ("path", "url", "name"),
    [
        (None, "https://example.com/a/x-1.whl", "x-1.whl"),
        (None, "https://example.com/a/x-1%2Bcu130.whl", "x-1+cu130.whl"),
        (None, "https://example.com/a/x-1.whl?token=a/b#frag", "x-1.whl"),
        ("wheels/x-1.whl", None, "x-1.whl"),
        ("wheels\\x-1.whl", None, "x-1.whl"),
        ("x-1.whl", "https://example.com/other.whl", "x-1.whl"),
        (None, None, ""),
    ],
)
def test_last_component_is_the_name_of_the_file(
    path: str | None, url: str | None, name: str
) -> None:
    """The path counts before the URL, whose last component is decoded."""
    assert last_component(path, url) == name


def test_filename_is_the_name_that_was_said() -> None:
    """A name in the file has priority over the URL."""
    url = "https://example.com/download/7"

    assert PackageWheel(name="x-1.whl", url=url, hashes={}).filename == "x-1.whl"
    assert PackageSdist(name="x-1.zip", url=url, hashes={}).filename == "x-1.zip"
    assert PackageSdist(url=url, hashes={}).filename == "7"


def test_target_names_are_none_where_nothing_is_recorded() -> None:
    """The lock file of another tool has no targets."""
    assert Pylock(created_by="another").target_names == ()
