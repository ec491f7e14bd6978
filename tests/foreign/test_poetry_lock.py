"""What is read from poetry.lock."""

from __future__ import annotations

import pytest

from fakes.foreign import parse, recorded, versions_for
from polylock.errors import ForeignLockInvalid

TAIL = '[metadata]\nlock-version = "2.1"\n'


def entry(name: str, version: str, more: str = "") -> str:
    """Write an entry."""
    return f'[[package]]\nname = "{name}"\nversion = "{version}"\n{more}\n'


@pytest.mark.parametrize(
    ("target", "split"), [("linux-py311", "2.0"), ("linux", "2.0"), ("windows", "1.0")]
)
def test_each_target_gets_the_version_of_its_marker(target: str, split: str) -> None:
    """Of several versions the one counts whose markers hold there."""
    found = versions_for(recorded("poetry.lock"), target)
    assert found.pop("split") == split
    assert found.pop("winonly", "1.2") == "1.2"
    assert found == {
        "fastlib": "1.0",
        "helper": "1.1",
        "lib": "1.1",
        "tester": "7.0",
        "tool": "1.5",
    }


def test_a_project_for_windows_is_no_pin_of_linux() -> None:
    """An entry whose marker does not hold is not for the target."""
    lock = recorded("poetry.lock")
    assert "winonly" in versions_for(lock, "windows")
    assert "winonly" not in versions_for(lock, "linux")


def test_hashes_of_all_files_are_read() -> None:
    """Wheel and source distribution have their hashes."""
    (lib,) = (pin for pin in recorded("poetry.lock").pins if pin.name == "lib")
    assert sorted(lib.files) == ["lib-1.1-py3-none-any.whl", "lib-1.1.tar.gz"]


@pytest.mark.parametrize(
    ("groups", "there"), [('["main", "dev"]', False), ('["main", "docs"]', True)]
)
def test_markers_by_group(*, groups: str, there: bool) -> None:
    """One of the groups is enough, and a group without a marker is everywhere."""
    markers = "markers = { main = \"sys_platform == 'win32'\", "
    markers += "dev = \"sys_platform == 'darwin'\" }"
    lock = parse(entry("a", "1.0", f"groups = {groups}\n{markers}") + TAIL)
    assert ("a" in versions_for(lock)) is there


def test_the_python_of_a_version_tells_old_files_apart() -> None:
    """Without markers the newest version counts that admits the target's Python."""
    text = (
        entry("a", "1.0", 'python-versions = ">=3.9"')
        + entry("a", "2.0", 'python-versions = ">=3.12"')
        + entry("b", "1.0", 'python-versions = "^3.9 || ~2.7"')
        + '[metadata]\nlock-version = "2.0"\n'
    )
    assert versions_for(parse(text), "linux-py311") == {"a": "1.0", "b": "1.0"}
    assert versions_for(parse(text), "linux") == {"a": "2.0", "b": "1.0"}


def test_files_apart() -> None:
    """Up to lock version 1.1 the hashes stand in a table of their own."""
    files = '[{file = "A-1-py3-none-any.whl", hash = "sha256:00AA"}]'
    text = entry("A", "1") + f'[metadata]\nlock-version = "1.1"\nfiles.A = {files}\n'
    (pin,) = parse(text).pins
    assert pin.name == "a"
    assert pin.files == {"A-1-py3-none-any.whl": {"sha256:00aa"}}


def test_sources_that_are_no_index_are_named() -> None:
    """A commit is no pin; an index besides the default one is."""
    text = (
        entry("a", "1.0", '[package.source]\ntype = "git"\nurl = "https://x"')
        + entry("b", "1.0", '[package.source]\ntype = "legacy"\nurl = "https://x"')
        + TAIL
    )
    lock = parse(text)
    assert [pin.name for pin in lock.pins] == ["b"]
    assert [(e.name, e.reason) for e in lock.skipped] == [
        ("a", "it comes from a git source")
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[metadata]\nlock-version = "3.0"\n', "metadata.lock-version: is 3.0, and"),
        (entry("a", "1", 'markers = "?"') + TAIL, "package[0].markers: "),
        (
            entry("a", "1", 'groups = ["m"]\nmarkers = { m = "?" }') + TAIL,
            "package[0].markers.m: ",
        ),
        (entry("a", "1", "markers = 1") + TAIL, "package[0].markers: must be"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(text: str, problem: str) -> None:
    """A version that is not known and a broken entry are errors with a key path."""
    with pytest.raises(ForeignLockInvalid) as caught:
        parse(text, "poetry.lock")
    assert str(caught.value).startswith(f"poetry.lock: {problem}")
