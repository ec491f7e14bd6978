"""The lines of a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.lock_texts import lock_text, package_text, settings_for
from polylock.operations.tree import trees

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
    (tree,) = trees(settings)
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
    (tree,) = trees(settings, depth=1)
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
    (tree,) = trees(settings)
    assert [line.last for line in tree.lines()] == [
        (True,),
        (True, False),
        (True, False, True),
        (True, False, True, True),
        (True, True),
    ]
