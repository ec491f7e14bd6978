"""What is read from Pipfile.lock."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fakes.foreign import parse, recorded, versions_for
from polylock.errors import ForeignLockInvalid


def text_of(**categories: Any) -> str:  # noqa: ANN401 - tables of any shape
    """Write a file with these categories."""
    return json.dumps({"_meta": {"pipfile-spec": 6}, **categories})


def test_all_categories_count() -> None:
    """What is for development is pinned as well; markers are asked of the target."""
    lock = recorded("Pipfile.lock")
    found = {"fastlib": "0.9", "helper": "1.1", "tester": "7.0", "tool": "1.5"}
    assert versions_for(lock, "linux-py311") == found
    assert versions_for(lock, "linux") == {**found, "lib": "2.1"}


def test_hashes_have_no_names_of_files() -> None:
    """The file has hashes of a version and not whose they are."""
    pin = next(p for p in recorded("Pipfile.lock").pins if p.name == "lib")
    assert not pin.files
    assert len(pin.hashes) == 1


def test_a_commit_is_no_pin() -> None:
    """An entry without a version comes from somewhere else."""
    lock = parse(text_of(default={"a": {"git": "https://x", "ref": "0"}}))
    assert not lock.pins
    assert [entry.name for entry in lock.skipped] == ["a"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"_meta": {"pipfile-spec": 7}}', "_meta.pipfile-spec: is 7, and only 6"),
        ('{"_meta": {', "is not JSON"),
        (text_of(default={"a": 1}), "default.a: must be a table"),
        (text_of(default={"a": {"version": "~1"}}), "default.a.version: "),
        (text_of(default={"a": {"version": "==one"}}), "default.a.version: "),
        (text_of(default={"?": {"version": "==1"}}), 'default."?": '),
        (
            text_of(default={"a": {"version": "==1", "hashes": ["x"]}}),
            "default.a.hashes[0]: 'x' is not ALGORITHM:VALUE",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_key(text: str, problem: str) -> None:
    """A spec that is not known and a broken entry are errors with a key path."""
    with pytest.raises(ForeignLockInvalid) as caught:
        parse(text, "Pipfile.lock")
    assert str(caught.value).startswith(f"Pipfile.lock: {problem}")
