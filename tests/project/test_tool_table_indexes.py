"""Indexes by URL and by path, and their formats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from polylock.errors import ProjectError
from polylock.network.local_files import local_path

if TYPE_CHECKING:
    from fakes.projects import Load

INDEX = '[[tool.polylock.index]]\nname = "a"\nurl = "{url}"\n'


@pytest.mark.parametrize("path", ["./wheels", "../wheels/", "..", "./a b/#c"])
def test_a_path_counts_from_the_project_file(load: Load, path: str) -> None:
    """A relative path is joined to the directory of the project file."""
    project = load(INDEX.format(url=path))
    index = project.inputs.indexes[0]
    assert local_path(index.url) == project.path.parent / path
    assert index.format is None


def test_an_absolute_path(load: Load, tmp_path: Path) -> None:
    """An absolute path is a path as well."""
    index = load(INDEX.format(url=tmp_path.as_posix())).inputs.indexes[0]
    assert local_path(index.url) == Path(tmp_path)


@pytest.mark.parametrize("layout", ["flat", "simple"])
def test_the_format(load: Load, layout: str) -> None:
    """The format is read as it is written."""
    text = INDEX.format(url="https://a.example.com/links") + f'format = "{layout}"\n'
    assert load(text).inputs.indexes[0].format == layout


def test_what_an_index_answers_for_projects_that_it_lacks(load: Load) -> None:
    """The statuses are read as a set."""
    text = INDEX.format(url="https://a.example.com/simple")
    assert load(text).inputs.indexes[0].absent == ()
    text += "absent = [403, 401, 403]\n"
    assert load(text).inputs.indexes[0].absent == (401, 403)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (INDEX.format(url="https://a.example.com") + "absent = 403\n", "absent"),
        (INDEX.format(url="https://a.example.com") + "absent = [500]\n", "absent[0]"),
        (INDEX.format(url="https://a.example.com") + "absent = [200]\n", "absent[0]"),
        (INDEX.format(url="https://a.example.com") + "absent = [true]\n", "absent[0]"),
        (
            INDEX.format(url="https://a.example.com")
            + 'format = "flat"\nabsent = [403]\n',
            "absent",
        ),
        (INDEX.format(url="wheels"), "url"),
        (INDEX.format(url="wheels.example.com/simple"), "url"),
        (INDEX.format(url="./wheels") + 'format = "find-links"\n', "format"),
    ],
)
def test_what_is_neither_path_nor_url(load: Load, text: str, key: str) -> None:
    """A name that begins like no path is refused: a URL without scheme is likelier."""
    with pytest.raises(ProjectError) as caught:
        load(text)
    assert caught.value.key == f"tool.polylock.index[0].{key}"
