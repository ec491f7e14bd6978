"""Tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.screens import show_on
from polylock.cli.tables import Table
from polylock.cli.terminal import plain

if TYPE_CHECKING:
    import pytest


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


def test_numbers_are_aligned_on_the_right() -> None:
    """And wide letters count for two."""
    table = Table(["名", "files"], numbers=[1])
    table.add(["ab", "1"])
    table.add(["c", "100"])
    assert table.text(width=80).splitlines() == [
        "名  files",
        "---------",
        "ab      1",
        "c     100",
    ]


def test_terminal_gets_lines_and_wrapped_prose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names stay whole, prose is broken between words."""
    show_on(monkeypatch, columns=40)
    table = Table(["name", "what"], prose=[1])
    table.add(["first", "a sentence that is longer than the line has room for"])
    table.add_rule()
    table.add(["second", "short"], strong=False)
    assert plain(table.text()).splitlines() == [
        "name    what",
        "─" * 40,
        "first   a sentence that is longer than",
        "        the line has room for",
        "─" * 40,
        "second  short",
    ]


def test_what_is_too_wide_is_broken_and_not_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A column that does not fit beside the first one loses no letter."""
    show_on(monkeypatch, columns=12)
    table = Table(["n", "wide"])
    table.add(["a", "0123456789abcdef"])
    rows = plain(table.text()).splitlines()[2:]
    assert "".join(row[3:] for row in rows) == "0123456789abcdef"
