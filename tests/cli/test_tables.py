"""Tables and sizes for people."""

from __future__ import annotations

import pytest

from polylock.cli.tables import Table, file_size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_260_000, "1.3 MB"),
        (2_500_000_000, "2.5 GB"),
        (1_234_000_000_000_000, "1,234.0 TB"),
    ],
)
def test_sizes_are_in_powers_of_ten(count: int, text: str) -> None:
    """One digit after the point, from a thousand bytes on."""
    assert file_size(count) == text


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
