"""``polylock add`` edits the project file, locks and syncs."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fakes.command_line import CommandLine


def test_requirements_are_added_and_not_locked(demo: CommandLine) -> None:
    """Comments stay, the lock file is as it was, and the next step is told."""
    lock = demo.read("pylock.toml")
    ran = demo.succeed("add", "vecdemo>=2", "blasx", "--no-lock")
    data = tomllib.loads(demo.read())
    assert data["project"]["dependencies"][-2:] == ["vecdemo>=2", "blasx"]
    assert "# what the tests need" in demo.read()
    assert demo.read("pylock.toml") == lock
    assert "polylock lock" in ran.err
    assert not ran.out


def test_place_can_be_named(demo: CommandLine) -> None:
    """A group, an extra or a target; a new group is made."""
    demo.succeed("add", "blasx", "--group", "lint", "--no-lock")
    demo.succeed("add", "blasx", "--optional", "ops", "--no-lock")
    demo.succeed("add", "blasx", "--target", "mac", "--no-lock")
    demo.succeed("add", "blasx", "--dev", "--no-lock")
    data = tomllib.loads(demo.read())
    assert data["dependency-groups"]["lint"] == ["blasx"]
    assert data["dependency-groups"]["dev"] == ["blasx"]
    assert data["project"]["optional-dependencies"]["ops"] == ["abikit", "blasx"]
    assert data["tool"]["polylock"]["targets"]["mac"]["dependencies"] == ["blasx"]
    demo.succeed("lock")
    assert "group lint" in demo.succeed("tree", "--target", "h100").out


def test_what_is_there_changes_nothing(demo: CommandLine) -> None:
    """A bare name that is required already is no reason to write."""
    before = demo.read()
    ran = demo.succeed("add", "plainlib")
    assert "is unchanged: already listed" in ran.err
    assert demo.read() == before


def test_mistakes_change_nothing(demo: CommandLine) -> None:
    """No requirement, two places, an unknown target: exit code 2."""
    before = demo.read()
    for arguments in (
        ["not a requirement"],
        ["blasx", "--group", "test", "--extra", "ops"],
        ["blasx", "--target", "nowhere"],
        ["blasx", "--dev", "--group", "test"],
        ["blasx", "--index", "nowhere"],
        ["-r", "nowhere.txt"],
    ):
        assert demo("add", *arguments).code == 2
    assert demo("add").code == 2
    assert demo.read() == before


def test_environment_names_no_place(demo: CommandLine) -> None:
    """POLYLOCK_TARGET says what to install, not what to edit."""
    demo.set("POLYLOCK_TARGET", "mac")
    demo.succeed("add", "blasx", "--no-lock")
    assert "blasx" in tomllib.loads(demo.read())["project"]["dependencies"]


def _dependencies(demo: CommandLine) -> list[str]:
    found: list[str] = tomllib.loads(demo.read())["project"]["dependencies"]
    return found


def test_what_is_added_is_locked_and_installed(demo: CommandLine) -> None:
    """The limit is the lowest version of the targets; the environment follows."""
    first = demo.succeed("add", "vecdemo")
    (entry,) = [text for text in _dependencies(demo) if text.startswith("vecdemo")]
    assert re.fullmatch(r"vecdemo>=[0-9.]+", entry)
    assert f"added to dependencies in pyproject.toml: {entry}" in first.err
    assert "added vecdemo" in first.err
    assert "run `polylock sync` to install it" in first.err
    demo.succeed("check")
    demo.succeed("sync", "--target", "here")
    removed = demo.succeed("remove", "vecdemo")
    assert " - vecdemo" in removed.err
    again = demo.succeed("add", "vecdemo", "--no-sync")
    assert " + vecdemo" not in again.err
    assert "nothing to do" not in demo.succeed("sync").err


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ((), r">=1\.1\.0"),
        (("--bounds", "major"), r">=1\.1\.0,<2"),
        (("--bounds", "minor"), r">=1\.1\.0,<1\.2"),
        (("--bounds", "exact"), r"==1\.1\.0"),
        (("--no-bounds",), ""),
    ],
)
def test_bounds(polylock: CommandLine, options: tuple[str, ...], limit: str) -> None:
    """A requirement that has a version of its own keeps it, and so does its marker."""
    polylock.write(
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["vecdemo<2"]\n'
        '[tool.polylock.targets.box]\nplatform = "linux-x86_64"\npython = "3.12"\n'
    )
    marked = "plainlib ; python_version < '4'"
    polylock.succeed("add", marked, "plainlib-colors>=1", "vecdemo", *options)
    kept, first, second = _dependencies(polylock)
    assert (kept, second) == ("vecdemo<2", "plainlib-colors>=1")
    assert re.fullmatch(rf"plainlib{limit} ; python_version < '4'", first), first


@pytest.mark.parametrize(
    ("requirement", "words"),
    [
        ("no-such-project", "no-such-project"),
        ("plainlib>=99", "no solution"),
    ],
)
def test_what_cannot_be_locked_is_not_added(
    demo: CommandLine, requirement: str, words: str
) -> None:
    """Both files are as before, byte for byte."""
    before = demo.read(), demo.read("pylock.toml")
    ran = demo("add", "blasx", requirement)
    assert ran.code == 1
    assert words in ran.err
    assert (demo.read(), demo.read("pylock.toml")) == before


def test_requirements_of_a_file(demo: CommandLine) -> None:
    """Its lines are requirements; a file with more is converted by ``init``."""
    demo.write("vecdemo>=1  # why\n\nblasx ; os_name == 'nt'\n", "more.txt")
    demo.succeed("add", "-r", "more.txt", "--no-lock")
    assert _dependencies(demo)[-2:] == ["vecdemo>=1", "blasx ; os_name == 'nt'"]
    demo.write("--index-url https://a.example.com\n", "more.txt")
    ran = demo("add", "-r", "more.txt")
    assert (ran.code, "init --from requirements" in ran.err) == (2, True)
    demo.write("a=1\n", "more.txt")
    assert (
        "more.txt: line 1: 'a=1' is not a requirement"
        in demo("add", "-r", "more.txt").err
    )


def test_the_index_of_a_requirement(demo: CommandLine) -> None:
    """It must be declared, and another source is not replaced."""
    demo.write(
        demo.read() + '\n[[tool.polylock.index]]\nname = "own"\nexplicit = true\n'
        'url = "https://a.example.com/simple"\n'
    )
    demo.succeed("add", "blasx>=1", "--index", "own", "--no-lock")
    tool = tomllib.loads(demo.read())["tool"]["polylock"]
    assert tool["sources"] == {"blasx": {"index": "own"}}
    demo.write(demo.read().replace('{ index = "own" }', '{ path = "../blasx" }'))
    ran = demo("add", "blasx>=2", "--index", "own", "--no-lock")
    assert (ran.code, "is another source" in ran.err) == (2, True)
