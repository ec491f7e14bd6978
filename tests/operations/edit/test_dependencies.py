"""Requirements of a project file, edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.operations.edit.dependencies import Place, add, remove

if TYPE_CHECKING:
    from fakes.workspace import Project


def test_what_is_added_can_be_removed(demo: Project) -> None:
    """Afterwards the file is as it was, byte by byte."""
    path = demo.directory / "pyproject.toml"
    before = path.read_bytes()
    settings = demo.with_settings()
    for place in (Place(), Place(group="test")):
        assert add(settings, ["cudaops>=0.5"], place).changed
        assert b"cudaops>=0.5" in path.read_bytes()
        assert remove(settings, ["CudaOps"], place).changed
        assert path.read_bytes() == before


def test_file_is_not_touched_without_a_change(demo: Project) -> None:
    """Its time stays, so that nothing that watches it wakes up."""
    path = demo.directory / "pyproject.toml"
    before = path.stat().st_mtime_ns, path.stat().st_ino
    edit = add(demo.with_settings(), ["vecdemo"], Place())
    assert not edit.changed
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_places_have_names() -> None:
    """As the messages and the JSON say them."""
    places = (Place(), Place(group="a"), Place(extra="b"), Place(target="c"))
    assert [str(place) for place in places] == [
        "dependencies",
        "group a",
        "extra b",
        "target c",
    ]
