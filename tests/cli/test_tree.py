"""``polylock tree`` shows who needs whom, for one target or for all."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fakes.command_line import CommandLine

H100 = """\
h100: 9 packages
├── abikit 2.2.0 [extra ops]
├── fallbackkit 1.3.0 (avx512)
├── plainlib 1.1.0
│   ├── plainlib-colors 1.0.1
│   └── plainlib-posix 1.1.0
├── plainlib-testing 0.4.0 [group test]
│   ├── plainlib 1.1.0 (*)
│   └── plainlib-colors 1.0.1
└── tensordemo 3.1.0 (cuda13.0)
    ├── plainlib 1.1.0 (*)
    ├── tensordemo-compiler 1.1.0
    └── tensordemo-cuda-runtime 13.0.1
"""


def test_tree_goes_from_the_requirements_down(demo: CommandLine) -> None:
    """Labels are in parentheses, groups in brackets, repeated subtrees are marked."""
    assert demo.succeed("tree", "--target", "h100").out == H100


def test_tree_of_every_target(demo: CommandLine) -> None:
    """Those with the same tree have one, an empty line between one and the next."""
    told = demo.succeed("tree").out
    heads = [block.splitlines()[0] for block in told.split("\n\n")]
    assert heads[0] == "h100: 9 packages"
    assert [head.partition(":")[0] for head in heads[1:]] in (
        ["mac", "here"],
        ["mac, here"],
    )
    assert "tensordemo 3.1.0 (null)" in told


def test_depth_cuts_the_tree(demo: CommandLine) -> None:
    """Depth 0 is the project's own requirements, and nothing is marked as repeated."""
    told = demo.succeed("tree", "--target", "h100", "--depth", "0").out
    assert "    " not in told
    assert "(*)" not in told
    assert len(told.splitlines()) == 6


def test_depth_cuts_the_document(demo: CommandLine) -> None:
    """Packages that are too deep are not in the JSON, edges to them are."""
    (tree,) = demo.succeed("tree", "--target", "h100", "--depth", "0", "--json").json
    names = [package["name"] for package in tree["packages"]]
    assert names == [root["name"] for root in tree["requirements"]]
    plainlib = next(p for p in tree["packages"] if p["name"] == "plainlib")
    assert plainlib["dependencies"] == ["plainlib-colors", "plainlib-posix"]


def test_groups_and_extras_narrow_the_tree(demo: CommandLine) -> None:
    """With a group named, what the other groups and extras ask for is not shown."""
    told = demo.succeed("tree", "--target", "h100", "--group", "test").out
    assert "plainlib-testing" in told
    assert "abikit" not in told


def test_requirement_of_one_target_is_said_to_be(demo: CommandLine) -> None:
    """What is wanted on one target alone is at the top of its tree."""
    demo.succeed("add", "plainlib-colors", "--target", "mac", "--no-lock")
    demo.succeed("lock")
    told = demo.succeed("tree", "--target", "mac").out
    assert "├── plainlib-colors 1.0.1 [target mac]\n" in told
    assert "[target mac]" not in demo.succeed("tree", "--target", "h100").out


def test_tree_without_box_characters(
    demo: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stdout that cannot encode them gets plain ones."""
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", write_through=True)
    monkeypatch.setattr(sys, "stdout", stdout)
    assert demo("tree", "--target", "h100").code == 0
    written = stdout.buffer
    assert isinstance(written, io.BytesIO)
    text = written.getvalue().decode("ascii")
    assert "|-- plainlib 1.1.0\n" in text.replace("\r\n", "\n")
    assert "`-- tensordemo" in text


def test_unknown_target_is_refused(demo: CommandLine) -> None:
    """The error names the targets that there are."""
    ran = demo("tree", "--target", "h1000")
    assert (ran.code, ran.out) == (2, "")
    assert "there are: h100, mac, here" in ran.err


def test_lock_file_of_another_tool_names_no_targets(demo: CommandLine) -> None:
    """It cannot be shown target by target, and the next step is told."""
    demo.write(
        'lock-version = "1.0"\ncreated-by = "other"\npackages = []\n', "pylock.toml"
    )
    ran = demo("tree")
    assert ran.code == 2
    assert "was not written by polylock" in ran.err
    assert "polylock lock" in ran.err


def test_missing_lock_file_is_an_error(polylock: CommandLine) -> None:
    """The error says what to run."""
    polylock.write('[project]\nname = "demo"\n')
    ran = polylock("tree")
    assert ran.code == 2
    assert "pylock.toml does not exist" in ran.err
    assert "polylock lock" in ran.err


def test_tree_of_one_package(demo: CommandLine) -> None:
    """What is asked for is at the top, in any spelling."""
    told = demo.succeed("tree", "--target", "h100", "--package", "PlainLib").out
    assert told == (
        "h100\n└── plainlib 1.1.0\n    ├── plainlib-colors 1.0.1\n"
        "    └── plainlib-posix 1.1.0\n"
    )


def test_tree_upside_down(demo: CommandLine) -> None:
    """Below a package stands who requires it, up to the project and its groups."""
    told = demo.succeed(
        "tree", "--target", "h100", "--invert", "--package", "plainlib-colors"
    ).out
    assert told == (
        "h100\n"
        "└── plainlib-colors 1.0.1\n"
        "    ├── plainlib 1.1.0 [project]\n"
        "    │   ├── plainlib-testing 0.4.0 [group test]\n"
        "    │   └── tensordemo 3.1.0 (cuda13.0) [project]\n"
        "    └── plainlib-testing 0.4.0 [group test]\n"
    )


def test_document_of_one_package(demo: CommandLine) -> None:
    """The JSON has what is shown, upside down as well."""
    asked = ("tree", "--target", "h100", "--package", "plainlib", "--json")
    (tree,) = demo.succeed(*asked).json
    names = [package["name"] for package in tree["packages"]]
    assert names == ["plainlib", "plainlib-colors", "plainlib-posix"]
    assert tree["requirements"] == [{"name": "plainlib", "places": ["project"]}]
    (tree,) = demo.succeed(*asked, "--invert", "--depth", "1").json
    names = [package["name"] for package in tree["packages"]]
    assert names == ["plainlib", "plainlib-testing", "tensordemo"]


def test_package_that_nobody_installs(demo: CommandLine) -> None:
    """A misspelling is an error; a target without the package is left out."""
    ran = demo("tree", "--package", "plain")
    assert (ran.code, ran.out) == (2, "")
    assert "plain is not locked for any target" in ran.err
    told = demo.succeed("tree", "--package", "tensordemo-cuda-runtime").out
    assert told == "h100\n└── tensordemo-cuda-runtime 13.0.1\n"


@pytest.mark.parametrize("command", ["tree", "report", "export"])
def test_lock_file_that_is_out_of_date_is_warned_of(
    demo: CommandLine, command: str
) -> None:
    """What is shown is that of the last lock; stdout is as it was."""
    arguments = (command, "--target", "here")
    before = demo.succeed(*arguments)
    assert "out of date" not in before.err
    demo.succeed("add", "vecdemo", "--no-lock")
    after = demo.succeed(*arguments)
    assert after.out == before.out
    assert "pylock.toml is out of date" in after.err
    assert "polylock check" in after.err
    demo.write("not TOML")
    assert demo.succeed(*arguments).err == before.err
    (demo.directory / "pyproject.toml").unlink()
    assert demo.succeed(*arguments).err == before.err
