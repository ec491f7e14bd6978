"""The limits that conflict, and their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from fakes.server import Answer, Server
from fakes.source import MemorySource
from fakes.universes import TARGETS
from fakes.workspace import Project, this_target
from polylock.errors import NoSolution
from polylock.explain.conflict import VersionLimit, limits_in_words, smallest_conflict
from polylock.resolution.versions import VersionTable

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = "the project"


@pytest.fixture
def table() -> VersionTable:
    """Return versions 1 to 9 of a project."""
    source = MemorySource({"a": {str(number): {} for number in range(1, 10)}})
    return VersionTable(source.releases(canonicalize_name("a"), TARGETS[0]))


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([(PROJECT, "<3"), ("b", "<5"), ("c", ">=4"), ("d", ">1")], [0, 2]),
        ([(PROJECT, "<3"), ("b", ">=9", ">=2"), ("c", ">=4", ">=5")], [0, 2]),
        ([("b", "!=1"), ("c", "<4"), ("d", "<2"), ("e", "")], [0, 2]),
        ([("b", ">20"), ("c", "<4"), ("d", ">5")], [0]),
        ([("b", "<5"), ("c", ">2")], [0, 1]),
        (
            [
                ("a", "<5"),
                ("b", "!=1"),
                ("c", "!=2"),
                ("d", ""),
                ("e", "!=3"),
                ("f", "!=4"),
            ],
            [0, 1, 2, 4, 5],
        ),
    ],
    ids=["a pair", "versions of a parent", "in order", "alone", "none", "many"],
)
def test_the_fewest_that_leave_nothing(
    table: VersionTable, limits: list[tuple[str, ...]], expected: list[int]
) -> None:
    """Those are left that already exclude every version; all, where they do not."""
    every = [VersionLimit(by, tuple(specifiers)) for by, *specifiers in limits]
    assert list(smallest_conflict(every, table)) == [every[at] for at in expected]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([(PROJECT, "<3"), ("b", ">=4")], "<3 (the project) and >=4 (b)"),
        ([(PROJECT, "<3"), ("b", ">=6", ">=4", ">=5")], "<3 (the project) and >=4 (b)"),
        ([(PROJECT, "<3"), ("b", "==4", "==6")], "<3 (the project) and ==4 or ==6 (b)"),
        ([(PROJECT, "<3"), ("b", ">=4", ">3")], "<3 (the project) and >3 (b)"),
        ([(PROJECT, "<3"), (PROJECT, ">=4")], "<3,>=4"),
        ([(PROJECT, ">=10"), ("b", "")], ">=10"),
        ([("b", "")], ""),
    ],
)
def test_words_name_the_origins(
    table: VersionTable, limits: list[tuple[str, ...]], expected: str
) -> None:
    """Each side has its name, and of a parent's versions the widest is named."""
    every = [VersionLimit(by, tuple(specifiers)) for by, *specifiers in limits]
    assert limits_in_words(every, table) == expected


def test_a_page_of_local_links_says_what_counts(server: Server, tmp_path: Path) -> None:
    """An index that links to files of this machine has nothing to install."""
    link = '<a href="file:///srv/good-1.0-py3-none-any.whl">good</a>'
    server.routes["/simple/good/"] = Answer(
        body=link.encode(), content_type="text/html"
    )
    project = Project(directory=tmp_path / "own", index_url=f"{server.url}/simple/")
    project.write(
        '[project]\nname = "own"\nversion = "1"\ndependencies = ["good"]\n'
        + this_target()
    )
    with pytest.raises(NoSolution) as caught:
        project.lock()
    assert "good has no release that can be installed" in caught.value.explanation
    assert "file: links, to files of this machine, do not" in str(caught.value.hint())
