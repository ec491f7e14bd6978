"""ARCHITECTURE.md and the files are the same house."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "polylock"
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")

_TREE = re.compile(r"^```tree\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_JOINED = re.compile(r"^(( *)- .*)\n\2- ", re.MULTILINE)
_ENTRY = re.compile(r"( *)([\w./-]+)(?: {2,}\S.*)?")
_PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.py)`")


def _tree() -> Iterator[Path]:
    """Yield the paths that the tree shows, two spaces a level.

    After a hyphen come further modules of a package, with a word in parentheses.
    """
    found = _TREE.search(PAGE)
    assert found is not None
    folders: list[Path] = []
    text = found[1]
    while _JOINED.search(text):
        text = _JOINED.sub(r"\1 ", text)
    for line in filter(None, text.splitlines()):
        indent, hyphen, names = line.partition("- ")
        if hyphen and not indent.strip():
            package = folders[len(indent) // 2 - 1]
            for name in re.sub(r" \([^)]*\)", "", names).split("; "):
                yield package / f"{name}.py"
            continue
        entry = _ENTRY.fullmatch(line)
        assert entry is not None, line
        depth = len(entry[1]) // 2
        path = (folders[depth - 1] if depth else ROOT) / entry[2]
        folders[depth:] = [path]
        yield path


def _packages() -> set[str]:
    """Return the packages below polylock, wings of a package included."""
    return {
        path.parent.relative_to(ROOT).as_posix()
        for path in SOURCE.rglob("*/__init__.py")
    }


def test_tree_shows_every_package() -> None:
    """The tree names each package, so that a newcomer finds the one to look in."""
    shown = {path.relative_to(ROOT).as_posix() for path in _tree()}

    assert sorted(_packages() - shown) == []


def test_tree_lists_nothing_twice() -> None:
    """Each path stands in the tree once, and is a file or a folder."""
    paths = list(_tree())

    assert len(paths) == len(set(paths))
    assert [path for path in paths if not path.exists()] == []


def test_paths_in_the_text_exist() -> None:
    """A path in the text exists in the repository, the package, or beside another."""
    text = _TREE.sub("", PAGE)
    beside = {path.name for path in SOURCE.rglob("*.py")}
    paths = set(_PATH.findall(text))

    missing = [
        path
        for path in paths
        if not (ROOT / path).exists()
        and not (SOURCE / path).exists()
        and path not in beside
    ]

    assert len(paths) > 50
    assert sorted(missing) == []


def test_every_layer_is_in_the_rule() -> None:
    """The layering rule names every package and no other."""
    found = re.search(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    named = {
        name.strip()
        for line in found[1].splitlines()
        for name in re.split(r" {2,}", line)[0].split("|")
    }

    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    modules = {path.stem for path in SOURCE.glob("[!_]*.py")}
    assert named == packages | modules
