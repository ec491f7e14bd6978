"""Foreign text is shown on one line, with nothing in it that hides or acts."""

from __future__ import annotations

import unicodedata

import pytest

from polylock.model.visible_text import has_control_character, is_visible, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("numpy 2.3.0", "numpy 2.3.0"),
        ("C:\\wheels\\a.whl", "C:\\wheels\\a.whl"),
        ("größe 漢字 🦜", "größe 漢字 🦜"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[2Jx\x07", "\\x1b[2Jx\\x07"),
        ("\x7f\x9b31m", "\\x7f\\x9b31m"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("a\u2028b\u200bc", "a\\u2028b\\u200bc"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("::warning::x", "\\x3a:warning::x"),
        ("  ::set-output name=x::y", "  \\x3a:set-output name=x::y"),
        ("variant :: x86_64 :: level", "variant :: x86_64 :: level"),
        ("it said ##[error]x", "it said \\x23#[error]x"),
        ("##vso[task.x]y", "\\x23#vso[task.x]y"),
    ],
)
def test_what_hides_or_acts_is_written_as_its_escape(text: str, shown: str) -> None:
    """All else stays as it is, backslashes too."""
    assert visible(text) == shown


def test_no_control_or_format_character_is_left_of_any() -> None:
    """Every code point of a kind that has no shape of its own is escaped."""
    left = [
        hex(code)
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in {"Cc", "Cs", "Zl", "Zp"}
        and visible(chr(code)) == chr(code)
    ]
    assert left == []


def test_changes_of_direction_are_never_shown() -> None:
    """A name whose letters run backwards is shown as it is stored."""
    kinds = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    turning = [
        chr(code)
        for code in range(0x110000)
        if unicodedata.bidirectional(chr(code)) in kinds
    ]
    assert turning
    assert [letter for letter in turning if is_visible(letter)] == []


def test_what_was_made_visible_stays_as_it_is() -> None:
    """Words that were made twice are the words that were made once."""
    for text in ("a\nb", "::x", "\x1b", "##[x]"):
        assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize("text", ["a\nb", "\x1b[2J", "\x7f", "\x85", "a\u2028b"])
def test_control_characters(text: str) -> None:
    """What ends a line or starts a terminal sequence is found."""
    assert has_control_character(text)


@pytest.mark.parametrize("text", ["", "a b", "größe", "\u202e", "日本"])
def test_texts_without_control_characters(text: str) -> None:
    """Letters of any script are none, nor are changes of direction."""
    assert not has_control_character(text)
