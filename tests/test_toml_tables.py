"""Key paths and the words for types."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from polylock.errors import ProjectError
from polylock.toml_tables import (
    InvalidToml,
    Table,
    key_path,
    parse_toml,
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


@pytest.mark.parametrize(
    ("text", "problem", "parts"),
    [
        ("a = ", "is not TOML: ", ()),
        (f"a = {'9' * 5000}", "has an integer of more than 64 bits", ()),
        (f"a = [0x{'f' * 5000}]", "is an integer of more than 64 bits", ("a", 0)),
        ("a.b = 9223372036854775808", "is an integer of more", ("a", "b")),
        ("a = 0001-01-01T00:00:00+23:59", "is out of range in UTC", ("a",)),
        (f"a = {'[' * 100_000}", "is nested too deeply", ()),
        (f"a = {'{ b = ' * 150}1{' }' * 150}", "is nested too deeply", ("a", "b", "b")),
        (f"\n{'a.' * 16_000}b = 1", "line 2 has a key of more than 32 parts", ()),
        ("[" + '"x y" . ' * 40 + "b]", "line 1 has a key of more than 32 parts", ()),
        ("a = 1\nb = { " + "'c'." * 40 + "d = 1 }", "line 2 has a key of more", ()),
    ],
)
def test_what_is_beyond_the_limits_is_refused(
    text: str, problem: str, parts: tuple[str | int, ...]
) -> None:
    """Each with its key path, where the text is TOML at all."""
    with pytest.raises(InvalidToml) as caught:
        parse_toml(text)
    assert str(caught.value).startswith(problem)
    assert caught.value.parts == parts


@pytest.mark.parametrize(
    "value",
    [
        '"a.b' + ".c" * 100 + '"',
        "'" + "a." * 100 + "'",
        '"""\n' + "a." * 100 + '"""',
        "'''\n" + "a." * 100 + "'''",
        "1 # " + "a." * 100,
        "[" + "1.5, " * 100 + "]",
    ],
)
def test_dots_that_are_in_no_key(value: str) -> None:
    """A URL or a comment with many dots is no key with many parts."""
    assert set(parse_toml(f"a = {value.replace(chr(92), '')}")) == {"a"}


def test_integers_of_64_bits_are_read() -> None:
    """The least and the greatest, and a local time, which has no place in UTC."""
    document = parse_toml(
        "a = [-9223372036854775808, 9223372036854775807]\nb = 0001-01-01T00:00:00"
    )
    assert document["a"] == [-(2**63), 2**63 - 1]
