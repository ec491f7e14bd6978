"""When two sources are one."""

from __future__ import annotations

import pytest

from polylock.environment.direct_url import ArchiveInfo, DirectUrl, DirInfo, VcsInfo

URL = "https://example.com/demo"
GIT = VcsInfo(vcs="git", commit_id="a" * 40)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (DirectUrl(url=URL, vcs_info=GIT), DirectUrl(url=URL, vcs_info=GIT), True),
        (
            DirectUrl(url=URL, vcs_info=GIT, subdirectory="a"),
            DirectUrl(url=URL, vcs_info=GIT),
            False,
        ),
        (
            DirectUrl(url=URL, archive_info=ArchiveInfo(hash="sha256=a")),
            DirectUrl(url=URL, archive_info=ArchiveInfo(hashes={"sha256": "a"})),
            True,
        ),
        (
            DirectUrl(url=URL, archive_info=ArchiveInfo(hash="md5=a")),
            DirectUrl(url=URL, archive_info=ArchiveInfo(hashes={"sha256": "a"})),
            True,
        ),
        (
            DirectUrl(url=URL, dir_info=DirInfo(editable=True)),
            DirectUrl(url=URL, dir_info=DirInfo()),
            False,
        ),
        (
            DirectUrl(url=URL, dir_info=DirInfo()),
            DirectUrl(url=URL, archive_info=ArchiveInfo()),
            False,
        ),
        (DirectUrl(url=""), DirectUrl(url=""), False),
    ],
)
def test_is_same_source(left: DirectUrl, right: DirectUrl, *, same: bool) -> None:
    """URL, kind and what is said of the content count, in both directions."""
    assert left.is_same_source(right) is same
    assert right.is_same_source(left) is same
