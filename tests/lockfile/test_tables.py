"""Typed access to tables."""

from __future__ import annotations

import pytest

from polylock.errors import LockFileInvalid
from polylock.lockfile.tables import Table


def test_table_knows_its_key_path() -> None:
    """A table in an array in a table is found again by its path."""
    table = Table({"a": {"b": [{}, {"c": 1}]}}, "pylock.toml")
    inner = table.table("a")
    assert inner is not None
    _, second = inner.tables("b")

    assert second.key == "a.b[1]"
    with pytest.raises(LockFileInvalid) as caught:
        second.text("c")
    assert (caught.value.path, caught.value.key) == ("pylock.toml", "a.b[1].c")
    assert caught.value.problem == "must be a string, not an integer"


def test_table_tells_missing_from_empty() -> None:
    """A key that is not there is None, an empty array is an empty tuple."""
    table = Table({"empty": []}, "p")

    assert table.optional_texts("empty") == ()
    assert table.optional_texts("missing") is None
    assert table.documents("empty") == ()
    assert table.documents("missing") is None
    assert table.texts("missing") == ()
