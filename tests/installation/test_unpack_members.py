"""Which members of a wheel are files, and what no wheel may hold."""

from __future__ import annotations

import stat
from zipfile import ZipInfo

import pytest

from polylock.installation.unpack import Limits, check_members
from polylock.model.archive_checks import RefusedArchive


def member(name: str, *, size: int = 0, mode: int = 0, offset: int = 0) -> ZipInfo:
    """Return a member as a zip file would list it."""
    info = ZipInfo(name)
    info.file_size = info.compress_size = size
    info.external_attr = mode << 16
    info.header_offset = offset
    return info


def test_files_are_returned_in_archive_order() -> None:
    """Directories are no files."""
    infos = [member("b/", offset=0), member("b/z", offset=100), member("a", offset=200)]
    assert [info.filename for info in check_members(infos, 1000)] == ["b/z", "a"]


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (member("../a"), "leaves its directory"),
        (member("a", mode=stat.S_IFLNK), "symbolic link"),
        (member("a", mode=stat.S_IFIFO), "neither a file nor a directory"),
        (member("a/", size=1), "directory with content"),
        (member("B"), "differ only in case"),
    ],
)
def test_a_member_that_must_not_be_there_is_refused(info: ZipInfo, reason: str) -> None:
    """The reason names what is wrong with it."""
    with pytest.raises(RefusedArchive, match=reason):
        check_members([member("b"), info], 1000)


def test_more_than_the_limits_is_refused() -> None:
    """Members, bytes, and bytes for each byte of the archive."""
    infos = [member("a", size=50, offset=0), member("b", size=50, offset=200)]
    for limits in (
        Limits(members=1),
        Limits(total_size=99),
        Limits(free_size=10, ratio=9),
    ):
        with pytest.raises(RefusedArchive):
            check_members(infos, 10, limits)
    assert len(check_members(infos, 1000, Limits(free_size=10, ratio=1))) == 2
