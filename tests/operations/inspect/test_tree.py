"""The lines of a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.lock_texts import lock_text, package_text, settings_for
from polylock.operations.inspect.tree import TreeShape, trees

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = (
    package_text("a", "b", "c"),
    package_text("b", "c"),
    package_text("c", "a"),
)


def test_cycle_is_shown_once(tmp_path: Path) -> None:
    """A package below itself is marked and not followed."""
    settings = settings_for(tmp_path, lock_text(*PACKAGES, requirements=("a",)))
    (tree,) = trees(settings, TreeShape())
    lines = [(len(line.last), line.text, line.repeated) for line in tree.lines()]
    assert lines == [
        (1, "a 1.0", False),
        (2, "b 1.0", False),
        (3, "c 1.0", False),
        (4, "a 1.0", True),
        (2, "c 1.0", True),
    ]


def test_what_the_depth_cut_is_not_marked_as_shown(tmp_path: Path) -> None:
    """Only a subtree that stands in full above is called repeated."""
    settings = settings_for(tmp_path, lock_text(*PACKAGES, requirements=("a", "b")))
    (tree,) = trees(settings, TreeShape(depth=1))
    lines = [(len(line.last), line.text, line.repeated) for line in tree.lines()]
    assert lines == [
        (1, "a 1.0", False),
        (2, "b 1.0", False),
        (2, "c 1.0", False),
        (1, "b 1.0", False),
        (2, "c 1.0", False),
    ]


def test_last_siblings_are_known(tmp_path: Path) -> None:
    """The drawing needs to know for each level whether more comes below."""
    settings = settings_for(tmp_path, lock_text(*PACKAGES, requirements=("a",)))
    (tree,) = trees(settings, TreeShape())
    assert [line.last for line in tree.lines()] == [
        (True,),
        (True, False),
        (True, False, True),
        (True, False, True, True),
        (True, True),
    ]


def test_upside_down_begins_at_what_requires_nothing(tmp_path: Path) -> None:
    """Of what only goes in circles the first by name stands at the top."""
    packages = (*PACKAGES, package_text("d", "e"), package_text("e"))
    text = lock_text(*packages, requirements=("a", "d"))
    (tree,) = trees(settings_for(tmp_path, text), TreeShape(inverted=True))
    lines = [(len(line.last), line.text, line.repeated) for line in tree.lines()]
    assert lines == [
        (1, "e 1.0", False),
        (2, "d 1.0 [project]", False),
        (1, "a 1.0 [project]", False),
        (2, "c 1.0", False),
        (3, "a 1.0 [project]", True),
        (3, "b 1.0", False),
        (4, "a 1.0 [project]", True),
    ]
