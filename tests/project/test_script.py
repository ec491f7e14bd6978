"""The metadata block of a script (PEP 723)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from polylock.errors import ProjectError
from polylock.project.pyproject import load_project
from polylock.project.script import (
    InvalidBlock,
    block_of,
    is_script,
    lock_name,
    states_targets,
)
from polylock.project.settings import Settings

if TYPE_CHECKING:
    from polylock.project.pyproject import ProjectFile

BLOCK = """\
#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "Idna>=3",
# ]
#
# [dependency-groups]
# ///
"""
SCRIPT = """\
import idna
# /// script
# dependencies = ["idna"]
# [tool.polylock.targets.box]
# platform = "linux-x86_64"
# python = "3.12"
# ///
print(idna)
"""


def load(tmp_path: Path, text: str, name: str = "train.py") -> ProjectFile:
    """Read a script as a project file."""
    path = tmp_path / name
    path.write_text(text, "utf-8")
    settings = Settings(cache_dir=tmp_path, index_url="https://index.example.com/")
    return load_project(path, settings=settings)


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("# /// script\n# a = 1\n# ///\n", "a = 1\n"),
        ("x\n# /// script\n#\n# a = 1\n# ///", "\na = 1\n"),
        ("# /// script\r\n# a = 1\r\n# ///\r\n", "a = 1\n"),
        ("# /// script\n#   indented\n# ///\n", "  indented\n"),
        ("# /// script\n# a\n# ///\n# b\n# ///\n", "a\n///\nb\n"),
        ("# /// other\n# b\n# ///\n\n# /// script\n# a\n# ///\n", "a\n"),
        ("# /// script\n# # /// script\n# ///\n", "# /// script\n"),
    ],
)
def test_block(text: str, block: str) -> None:
    """The block ends with the last end line of the comment that it begins."""
    assert block_of(text) == block


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("print()\n", "has no metadata block"),
        ("# /// script\n# a = 1\n", "the block in line 1 has no end"),
        ("# /// script\n# a = 1\n\n# ///\n", "has no end"),
        ("# /// script\n#a = 1\n# ///\n", "has no end"),
        ("# /// script\n# ///\n\n# /// script\n# ///\n", "has 2 blocks"),
        (" # /// script\n # ///\n", "has no metadata block"),
    ],
)
def test_invalid_block(text: str, problem: str) -> None:
    """PEP 723: "a single file MUST NOT have" two blocks of one type."""
    with pytest.raises(InvalidBlock, match=problem):
        block_of(text)


def test_a_script_is_read_like_a_project_file(tmp_path: Path) -> None:
    """It has no name, so that one named like a requirement still requires it."""
    found = load(tmp_path, SCRIPT, "idna.py")
    assert found.name is None
    assert [str(r.requirement) for r in found.inputs.requirements] == ["idna"]
    assert [each.name for each in found.descriptions] == ["box"]
    assert not found.has_build_system


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('["idna"]', "[1]", "dependencies[0]"),
        ("dependencies =", "dependancies =", "dependancies"),
        ('"linux-x86_64"', '"linux"', "tool.polylock.targets.box.platform"),
    ],
)
def test_errors_name_the_key_in_the_block(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    """The path is that of the block, not of a ``[project]`` that is not there."""
    with pytest.raises(ProjectError) as caught:
        load(tmp_path, SCRIPT.replace(old, new))
    assert caught.value.key == key


def test_a_script_without_block_is_no_project(tmp_path: Path) -> None:
    """What a block begins with is told."""
    with pytest.raises(ProjectError, match="# /// script"):
        load(tmp_path, "print()\n")


def test_names() -> None:
    """PEP 751: a name has no dot between ``pylock.`` and ``.toml``."""
    assert lock_name(Path("/a/train.py")) == "pylock.train-py.toml"
    assert lock_name(Path("train.v2.PY")) == "pylock.train-v2-PY.toml"
    assert is_script("a.pyw")
    assert not is_script("pyproject.toml")


@pytest.mark.parametrize(
    ("text", "found"),
    [(SCRIPT, True), (BLOCK, False), ("print()", None), ("x = '# /// script'", None)],
)
def test_whether_a_block_has_targets(
    tmp_path: Path,
    text: str,
    found: bool | None,  # noqa: FBT001 - a parameter of the table
) -> None:
    """A script that is no script of PEP 723 is one for Python alone."""
    path = tmp_path / "x.py"
    path.write_text(text, "utf-8")
    assert states_targets(path) is found
    assert states_targets(tmp_path / "missing.py") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# /// script\n# =\n# ///\n", "the block is not TOML"),
        ("# /// script\n# a = 1\n", "has no end"),
        ("# /// script\n# ///\n\n# /// script\n# ///\n", "has 2 blocks"),
    ],
)
def test_an_invalid_block_is_an_error(tmp_path: Path, text: str, problem: str) -> None:
    """A script that states its requirements wrongly does not run without them."""
    path = tmp_path / "x.py"
    path.write_text(text, "utf-8")
    with pytest.raises(InvalidBlock, match=problem):
        states_targets(path)
    with pytest.raises(ProjectError, match=problem):
        load(tmp_path, text)
