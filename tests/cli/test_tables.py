"""Tables for people."""

from __future__ import annotations

from polylock.cli.tables import Table


def test_columns_are_aligned() -> None:
    """Each is as wide as its widest cell, and lines end without spaces."""
    table = Table(["name", "x"])
    table.add(["a", "long cell"])
    table.add_rule()
    table.add(["longer", "b"])
    assert table.text(width=80).splitlines() == [
        "name    x",
        "-----------------",
        "a       long cell",
        "-----------------",
        "longer  b",
    ]


def test_columns_that_do_not_fit_come_below() -> None:
    """The first column is repeated in each block."""
    table = Table(["n", "first", "second"])
    table.add(["a", "1", "2"])
    lines = table.text(width=9).splitlines()
    assert lines == ["n  first", "--------", "a  1", "", "n  second", "-" * 9, "a  2"]
