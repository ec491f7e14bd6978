"""Names of members on the systems that polylock does not run on here."""

from __future__ import annotations

import pytest

from polylock.model.archive_checks import MemberNames, RefusedArchive, check_path


@pytest.mark.parametrize(
    "path",
    ["aux.h", "demo/NUL", "com1.txt", "demo/lpt9", "dot./x", "space /x", "ab:stream"],
)
def test_check_path_when_windows_reserves_the_name(path: str) -> None:
    """A name that Windows takes for a device or changes is refused there alone."""
    check_path(path, windows=False)
    with pytest.raises(RefusedArchive, match="Windows reserves"):
        check_path(path, windows=True)


@pytest.mark.parametrize(
    "path", ["demo/__init__.py", "console.py", "a..b/c", "...x", "d\u00e9mo/\u540d.py"]
)
def test_check_path_when_the_name_is_ordinary(path: str) -> None:
    """Dots inside, other scripts and names close to reserved ones are accepted."""
    check_path(path, windows=True)


@pytest.mark.parametrize("path", ["", "/a", "../a", "a/..", "a//b", "a/.", "c:/a"])
def test_check_path_when_the_name_leaves_its_place(path: str) -> None:
    """What leaves its directory is refused on every system."""
    for windows in (False, True):
        with pytest.raises(RefusedArchive):
            check_path(path, windows=windows)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("a/b", "a/b", "there twice"),
        ("a/b", "A/c", "differ only in case"),
        ("caf\u00e9", "cafe\u0301", "differ only in case"),
        ("a", "a/b", "a file and a directory"),
        ("a/b", "a", "there twice"),
    ],
)
def test_two_members_of_one_place_are_refused(
    first: str, second: str, reason: str
) -> None:
    """The same everywhere, whether the disk tells the names apart or not."""
    names = MemberNames()
    names.add(first, is_directory=False)
    with pytest.raises(RefusedArchive, match=reason):
        names.add(second, is_directory=False)


def test_a_directory_may_be_told_twice() -> None:
    """By its own member and by the files in it."""
    names = MemberNames()
    names.add("a/b", is_directory=False)
    names.add("a", is_directory=True)
    names.add("a", is_directory=True)
    names.add("a/c", is_directory=False)


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("a/x", "A/x", ("a", "A")),
        ("a/x", "A/y", ("a", "A")),
        ("a/x", "a/X", ("a/x", "a/X")),
        ("a/x", "a/y", None),
    ],
)
def test_names_that_some_systems_take_for_one_are_told(
    first: str, second: str, clash: tuple[str, str] | None
) -> None:
    """Where they are accepted, the first pair of them is kept."""
    names = MemberNames(tells_case=True)
    names.add(first, is_directory=False)
    names.add(second, is_directory=False)
    assert names.clash == clash


def test_directories_that_are_one_share_what_is_in_them() -> None:
    """A file of each may be the same file there, so the names are refused."""
    names = MemberNames(tells_case=True)
    names.add("a/x", is_directory=False)
    names.add("A/y", is_directory=False)
    names.clash = None
    names.add("A/X", is_directory=False)
    assert names.clash == ("a/x", "A/X")
