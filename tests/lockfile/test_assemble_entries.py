"""Which pins share an entry; for how entries are written see test_assemble."""

from __future__ import annotations

import pytest

from fakes.resolutions import make_pin, make_resolution, make_target
from polylock.lockfile.assemble import entry_marker, shared_entries, written_index
from polylock.lockfile.group_markers import Separator

LINUX = make_target("linux")
GPU = make_target("gpu")


def test_one_file_for_all_is_one_entry_without_a_marker() -> None:
    """Targets with the same file share an entry that every installer takes."""
    pin = make_pin("x-1.0-py3-none-any.whl")

    entries = shared_entries([make_resolution(each, [pin]) for each in (LINUX, GPU)])

    ((entry,),) = entries.values()
    assert [member.position for member in entry.members] == [0, 1]
    assert entry_marker(entry, Separator(targets=[LINUX, GPU])) is None


def test_other_versions_are_entries_of_their_own() -> None:
    """The marker of each entry lets in the group of its own target alone."""
    answers = [
        make_resolution(LINUX, [make_pin("x-1.0-py3-none-any.whl")]),
        make_resolution(GPU, [make_pin("x-2.0-py3-none-any.whl")]),
    ]

    ((old, new),) = shared_entries(answers).values()

    separator = Separator(targets=[LINUX, GPU])
    assert str(entry_marker(old, separator)) == "'linux' in dependency_groups"
    assert str(entry_marker(new, separator)) == "'gpu' in dependency_groups"


@pytest.mark.parametrize(
    ("index_url", "written"),
    [
        ("https://user:secret@example.com/simple/", "https://example.com/simple/"),
        ("file:///srv/wheels", None),
    ],
)
def test_index_is_written_as_anybody_may_read_it(
    index_url: str, written: str | None
) -> None:
    """A URL is written without credentials, a directory of one machine not at all."""
    pin = make_pin("x-1.0-py3-none-any.whl", index_url=index_url)

    assert written_index(pin) == written
