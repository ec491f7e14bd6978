"""Which members of a wheel are files, and what no wheel may hold."""

from __future__ import annotations

import stat
from zipfile import ZipInfo

import pytest

from polylock.model.archive_checks import RefusedArchive
from polylock.model.filenames import WheelFilename
from polylock.model.wheel_faults import Fault, FaultKind
from polylock.model.wheel_members import (
    Limits,
    WheelMembers,
    normal_path,
    wheel_members,
)


def member(name: str, *, size: int = 0, mode: int = 0, offset: int = 0) -> ZipInfo:
    """Return a member as a zip file would list it."""
    info = ZipInfo(name)
    info.file_size = info.compress_size = size
    info.external_attr = mode << 16
    info.header_offset = offset
    info.CRC = 0
    return info


def packed(name: str, method: int, *, offset: int) -> ZipInfo:
    """Return a member that is compressed by a method."""
    info = member(name, offset=offset)
    info.compress_type = method
    return info


def checked(*infos: ZipInfo, limits: Limits | None = None) -> WheelMembers:
    """Return the members of a wheel of 1,000 bytes with these beside its metadata."""
    info = [
        member(f"demo-1.0.dist-info/{name}", offset=offset)
        for name, offset in (
            ("METADATA", 10_000),
            ("WHEEL", 10_100),
            ("RECORD", 10_200),
        )
    ]
    wheel = WheelFilename.parse("demo-1.0-py3-none-any.whl")
    return wheel_members([*infos, *info], wheel, 1000, limits or Limits())


def test_files_are_returned_in_archive_order() -> None:
    """Directories are no files."""
    infos = [member("b/", offset=0), member("b/z", offset=100), member("a", offset=200)]
    assert list(checked(*infos).files)[:-3] == ["b/z", "a"]


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (member("../a", offset=50), "leaves its directory"),
        (member("a/./../../b", offset=50), "leaves its directory"),
        (member("b/c", offset=50), "a file and a directory"),
        (member("b", size=1, offset=50), "there twice, and differs"),
        (member("B.dist-info/x", offset=50), "2 .dist-info directories"),
        (member("x.DIST-INFO/x", offset=50), "2 .dist-info directories"),
        (member("demo-1.0.data/purelib/x.dist-info/a", offset=50), "part of a .dist"),
        (member("demo-1.0.data/a", offset=50), "no installation scheme"),
        (member("demo-1.1.data/scripts/a", offset=50), "is not demo-1.0.data"),
        (member("c", offset=20), "overlaps"),
        (packed("c", 97, offset=50), "packed in an unknown way"),
    ],
)
def test_a_member_that_must_not_be_there_is_refused(info: ZipInfo, reason: str) -> None:
    """The reason names what is wrong with it."""
    with pytest.raises(RefusedArchive, match=reason):
        checked(member("b"), info)


@pytest.mark.parametrize(
    ("info", "fault", "path"),
    [
        (member("./b", offset=50), FaultKind.SPELLING, "b"),
        (member("a/./b", offset=50), FaultKind.SPELLING, "a/b"),
        (member("a//b", offset=50), FaultKind.SPELLING, "a/b"),
        (member("b", mode=stat.S_IFLNK | 0o777), FaultKind.SPECIAL, "b"),
        (member("b", mode=stat.S_IFIFO), FaultKind.SPECIAL, "b"),
        (member("b/", size=1), FaultKind.CONTENT, None),
    ],
)
def test_what_is_merely_wrong_is_noted(
    info: ZipInfo, fault: FaultKind, path: str | None
) -> None:
    """The file goes to its normal path, without the executable bit of a link."""
    found = checked(info)
    assert found.faults == [Fault(fault, info.filename)]
    assert list(found.files)[:-3] == ([path] if path else [])


def test_equal_members_are_one_and_the_last_counts() -> None:
    """As for pip; whether the content is the same is for who reads it."""
    first, last = member("a"), member("a", offset=50)
    found = checked(first, last)
    assert found.files["a"] is last
    assert found.copies == [("a", first)]


@pytest.mark.parametrize(
    ("one", "other"), [("a/b", "A/c"), ("a", "A"), ("caf\u00e9", "cafe\u0301")]
)
def test_names_that_differ_in_case_are_told(one: str, other: str) -> None:
    """Whether they are one file is for the file system to say."""
    assert checked(member("x"), member("y", offset=50)).clash is None
    clash = checked(member(one), member(other, offset=50)).clash
    assert clash is not None
    assert clash[0].casefold() != clash[1]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b", "a/b"),
        ("./a", "a"),
        ("a/./b//c/.", "a/b/c"),
        ("/./a", "/a"),
        ("a./b", "a./b"),
        ("../a", "../a"),
        (".", "."),
    ],
)
def test_normal_path(path: str, expected: str) -> None:
    """Parts that say nothing are left out; none is resolved."""
    assert normal_path(path) == expected


def test_more_than_the_limits_is_refused() -> None:
    """Members, bytes, and bytes for each byte of the archive."""
    infos = [member("a", size=50, offset=0), member("b", size=50, offset=200)]
    for limits in (
        Limits(members=1),
        Limits(total_size=99),
        Limits(free_size=10, ratio=0),
    ):
        with pytest.raises(RefusedArchive):
            checked(*infos, limits=limits)
    assert len(checked(*infos, limits=Limits(free_size=10, ratio=1)).files) == 5
