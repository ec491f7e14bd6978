"""Values as TOML text."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time

import pytest

from polylock.lockfile.toml_values import array, key_text, string, value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", '"plain"'),
        ('quote " slash \\', '"quote \\" slash \\\\"'),
        ("tab\tnew\nreturn\rfeed\fback\b", '"tab\\tnew\\nreturn\\rfeed\\fback\\b"'),
        ("\x00\x1f\x7f", '"\\u0000\\u001f\\u007f"'),
        ("é 漢 😀", '"é 漢 😀"'),
        (True, "true"),
        (False, "false"),
        (-7, "-7"),
        (1e16, "1e+16"),
        (float("-inf"), "-inf"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 600), "2026-01-02T03:04:05.000600"),  # noqa: DTZ001
        (date(2026, 1, 2), "2026-01-02"),
        (time(3, 4, 5), "03:04:05"),
        ([1, [2], {"a b": 3}], '[1, [2], { "a b" = 3 }]'),
        ({}, "{}"),
    ],
)
def test_value_text_is_toml_for_the_value(value: object, text: str) -> None:
    """Each value has one spelling, which a TOML reader reads as the value."""
    assert value_text(value) == text
    assert tomllib.loads(f"key = {text}")["key"] == value


def test_value_text_leaves_out_none() -> None:
    """TOML has no null: the key or item is left out."""
    assert value_text({"a": None, "b": [None, 1]}) == "{ b = [1] }"


def test_value_text_refuses_what_toml_does_not_know() -> None:
    """A value of another kind is a fault of the caller."""
    with pytest.raises(TypeError, match="bytes"):
        value_text(b"")


@pytest.mark.parametrize("key", ["", "a.b", "é", "$schema", "plain-key_1", 'a"b'])
def test_key_text_is_a_key_that_is_read_back(key: str) -> None:
    """A key is quoted where TOML asks for it."""
    assert tomllib.loads(f"{key_text(key)} = 1") == {key: 1}


def test_array_has_a_line_for_each_item() -> None:
    """An array is written an item a line, an empty one on its own line."""
    assert list(array("a", map(string, "xy"))) == ["a = [", '  "x",', '  "y",', "]"]
    assert list(array("a", [])) == ["a = []"]
