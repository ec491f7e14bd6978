"""A project file rewritten to other values keeps what it can of its layout."""

from __future__ import annotations

import copy
import tomllib
from typing import Any

import pytest

from polylock.errors import ProjectError
from polylock.project.edit import rewrite

TEXT = """\
# A project.
[build-system]
requires = ["x"]  # needed

[tool.poetry]
name = "a"  # its name

[dependency-groups]
dev = [
    "pytest",  # tests
    "ruff",
    "tox",
]

[tool.polylock.targets.box]
preset = "linux-x86_64"
"""


def values() -> dict[str, Any]:
    """Return the values of the text, to be changed."""
    return copy.deepcopy(tomllib.loads(TEXT))


def test_nothing_to_change() -> None:
    """The text is the same, byte for byte."""
    assert rewrite(TEXT, values()) == TEXT


def test_new_tables() -> None:
    """[project] comes before Poetry's table, those of polylock at the end."""
    wanted = values()
    wanted["project"] = {
        "name": "a",
        "dependencies": ["numpy>=2", "s" * 80],
        "license": {"text": "MIT"},
        "scripts": {"a.b": "c"},
    }
    tool = wanted["tool"]["polylock"]
    tool["python"] = "3.12"
    tool["index"] = [{"name": "a", "url": "u"}, {"name": "b", "url": "v"}]
    tool["sources"] = {"x": [{"index": "a", "targets": ["box"]}, {"index": "b"}]}
    tool["targets"]["mac"] = {"preset": "macos-arm64", "nvidia": {"driver": "13.0"}}
    text = rewrite(TEXT, wanted, before="tool.poetry")
    assert text == TEXT.replace(
        "[tool.poetry]",
        '[project]\nname = "a"\ndependencies = [\n    "numpy>=2",\n'
        f'    "{"s" * 80}",\n]\nlicense = {{ text = "MIT" }}\n\n'
        '[project.scripts]\n"a.b" = "c"\n\n[tool.poetry]',
    ) + (
        '\n[tool.polylock]\npython = "3.12"\n\n[tool.polylock.targets.mac]\n'
        'preset = "macos-arm64"\nnvidia = { driver = "13.0" }\n\n'
        '[[tool.polylock.index]]\nname = "a"\nurl = "u"\n\n'
        '[[tool.polylock.index]]\nname = "b"\nurl = "v"\n\n'
        "[tool.polylock.sources]\n"
        'x = [{ index = "a", targets = ["box"] }, { index = "b" }]\n'
    )
    tool["index"].append({"name": "c", "url": "w"})
    tool["sources"]["y"] = {"index": "c"}
    again = rewrite(text, wanted)
    assert tomllib.loads(again) == wanted
    assert "# its name" in again


def test_arrays_keep_their_comments() -> None:
    """Items are added at the end, or taken out; another order is written anew."""
    wanted = values()
    wanted["dependency-groups"]["dev"].append("six")
    text = rewrite(TEXT, wanted)
    assert '    "pytest",  # tests\n' in text
    assert tomllib.loads(text) == wanted
    wanted["dependency-groups"]["dev"] = ["pytest", "tox"]
    assert rewrite(TEXT, wanted) == TEXT.replace('    "ruff",\n', "")
    wanted["dependency-groups"]["dev"] = ["tox", "pytest"]
    assert tomllib.loads(rewrite(TEXT, wanted)) == wanted


def test_removed_tables_and_line_endings() -> None:
    """A table goes with its comments, and each line ends as it did."""
    wanted = values()
    del wanted["tool"]["poetry"]
    wanted["dependency-groups"]["test"] = []
    text = rewrite(TEXT.replace("\n", "\r\n"), wanted)
    assert tomllib.loads(text) == wanted
    assert text.count("\n") == text.count("\r\n")


def test_a_layout_that_does_not_allow_it() -> None:
    """Nothing is written that would mean something else."""
    text = 'tool = { polylock = { python = "3.12" } }\n'
    wanted = {"tool": {"polylock": {"python": "3.12", "targets": {"a": {"b": 1}}}}}
    with pytest.raises(ProjectError, match="cannot be edited safely"):
        rewrite(text, wanted)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n"])
def test_an_empty_file(text: str) -> None:
    """It begins with its first table."""
    found = rewrite(text, {"project": {"name": "a"}})
    assert tomllib.loads(found) == {"project": {"name": "a"}}
    assert not found.startswith("\n\n")
