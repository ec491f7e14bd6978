"""Key paths and the words for types."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from polylock.errors import ProjectError
from polylock.toml_tables import (
    Table,
    key_path,
    suggestion,
    toml_type,
)


def test_key_path() -> None:
    """Keys that are not bare are quoted as TOML quotes them, positions in brackets."""
    path = key_path("tool", "a.b", 2, 'c"d\\', "e-f_1", 0)
    assert path == 'tool."a.b"[2]."c\\"d\\\\".e-f_1[0]'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "a boolean"),
        (1, "an integer"),
        (1.0, "a float"),
        ("x", "a string"),
        ([], "an array"),
        ({}, "a table"),
        (datetime(2026, 1, 1, tzinfo=UTC), "a date-time"),
        (date(2026, 1, 1), "a date"),
        (time(1, 2), "a time"),
        (None, "NoneType"),
    ],
)
def test_toml_type(value: object, words: str) -> None:
    """Types have TOML's words."""
    assert toml_type(value) == words


@pytest.mark.parametrize(("value", "hint"), [(13.0, 'write "13.0"'), (7, 'write "7"')])
def test_a_number_in_place_of_a_string(value: float, hint: str) -> None:
    """The advice is what to write."""
    with pytest.raises(ProjectError) as caught:
        Table({"driver": value}, path="pyproject.toml").string("driver")
    assert caught.value.hint() == hint


def test_suggestion() -> None:
    """The close name is suggested, else all are listed in their order."""
    assert suggestion("algin", ["build", "align"]) == "did you mean align?"
    assert suggestion("x", ["build", "align"]) == "there are: build, align"
    assert suggestion("3.13", ["3.12", "3.11", "2.7"]) == "did you mean 3.12 or 3.11?"
    assert suggestion("newr", ["newer", "never"]) == "did you mean newer?"
    assert suggestion("x", []) == "there are none"


def test_missing_keys() -> None:
    """A missing key reads as an empty value of its type."""
    table = Table({}, path="p.toml")
    assert table.string("x") is None
    assert table.boolean("x") is False
    assert table.strings("x") == ()
    assert table.tables("x") == []
    assert table.table("x").values == {}
    assert table.choice("x", ("a", "b"), "b") == "b"


def test_errors_name_file_and_key() -> None:
    """An error tells file, key path from the root, wanted type and found type."""
    table = Table({"a": [{"b": ["x", 1]}]}, path="p.toml", parts=("tool",))
    (inner,) = table.tables("a")
    with pytest.raises(ProjectError) as caught:
        inner.strings("b")
    assert str(caught.value) == (
        "p.toml: tool.a[0].b[1]: must be a string, not an integer"
    )
