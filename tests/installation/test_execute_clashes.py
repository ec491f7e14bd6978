"""Names that only case tells apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polylock.installation.execute import case_clashes
from polylock.installation.place import ignores_case

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("other", ["/site/crypto/a.py", "/SITE/Crypto/A.py"])
def test_two_spellings_of_one_place_are_a_clash(other: str) -> None:
    """It names both distributions and both paths, once for the two of them."""
    first = ("one", ["/site/Crypto/a.py", "/site/Crypto/b.py"])
    (line,) = case_clashes([first, ("two", [other, "/site/crypto/b.py"])])
    assert "/site/Crypto/a.py of one" in line
    assert f"{other} of two" in line


def test_two_unicode_forms_are_a_clash() -> None:
    """A letter with its accent, and a letter and its accent."""
    assert list(case_clashes([("one", ["/caf\u00e9"]), ("two", ["/cafe\u0301"])]))


def test_one_spelling_is_no_clash() -> None:
    """A file that two distributions have alike is as old as namespace packages."""
    assert not list(case_clashes([("one", ["/a", "/b"]), ("two", ["/a", "/c"])]))


def test_where_case_counts(tmp_path: Path) -> None:
    """A directory whose swapped name is another directory, or none, tells so."""
    place = tmp_path / "site"
    place.mkdir()
    if (tmp_path / "SITE").exists():
        assert ignores_case(place)
        return
    assert not ignores_case(place)
    (tmp_path / "SITE").mkdir()
    assert not ignores_case(place)
    (tmp_path / "123").mkdir()
    assert not ignores_case(tmp_path / "123")
