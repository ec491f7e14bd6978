"""Tests of polylock.index_server.static_build."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fakes.wheels import build_wheel
from polylock.index.distribution_file import read_distribution
from polylock.index_server.static_build import InvalidFacts, StaticFacts

if TYPE_CHECKING:
    from pathlib import Path


def _read(folder: Path, text: str) -> StaticFacts:
    path = folder / "index.toml"
    path.write_text(text, encoding="utf-8")
    return StaticFacts.read(path)


def test_read_says_nothing_without_a_file(tmp_path: Path) -> None:
    """A folder needs no index.toml."""
    file = read_distribution(build_wheel(tmp_path, "demo", "1.0"))

    facts = StaticFacts.read(tmp_path / "index.toml")

    assert (facts.upload_time(file), facts.yank(file)) == (None, None)


def test_file_name_wins_over_release(tmp_path: Path) -> None:
    """A key that is a file name is more exact than its release's."""
    file = read_distribution(build_wheel(tmp_path, "my-demo", "1.0"))
    facts = _read(
        tmp_path,
        "[upload-times]\n"
        '"My_Demo==1.0" = 2026-01-01T00:00:00Z\n'
        '"my_demo-1.0-py3-none-any.whl" = 2026-02-01T02:00:00+02:00\n'
        '[yanked]\n"my.demo==1.0" = "broken"\n',
    )

    assert facts.upload_time(file) == datetime(2026, 2, 1, tzinfo=UTC)
    assert facts.yank(file) == "broken"
    assert facts.unmatched([file]) == []


def test_unmatched_names_every_key_without_a_file(tmp_path: Path) -> None:
    """A misspelt key is found, rather than a yank lost."""
    file = read_distribution(build_wheel(tmp_path, "demo", "1.0"))
    facts = _read(tmp_path, '[yanked]\n"demo==1.1" = ""\n"demo==1.0" = ""\n')

    assert facts.unmatched([file]) == ["yanked.demo==1.1"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("yanked = \n", "at line 1"),
        ("[times]\n", "unknown key times"),
        ("yanked = 1\n", "yanked must be a table"),
        ('[yanked]\n"a==1" = 1\n', "yanked.a==1 must be a string"),
        ('[yanked]\n"a==x" = ""\n', "'x' is not a version"),
        ('[upload-times]\n"a==1" = 2026-01-01\n', "with an offset"),
        ('[upload-times]\n"a==1" = 2026-01-01T00:00:00\n', "with an offset"),
    ],
)
def test_read_names_the_key_that_is_wrong(
    tmp_path: Path, text: str, reason: str
) -> None:
    """A fault names its key and what would be right."""
    with pytest.raises(InvalidFacts) as caught:
        _read(tmp_path, text)

    assert reason in str(caught.value)
