"""What is in the way of a run is removed when nothing is measured any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aside import Aside

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def full(path: Path) -> Path:
    """Make a directory that is not empty."""
    path.mkdir()
    (path / "file").touch()
    return path


def test_what_is_put_aside_is_removed_at_the_end(tmp_path: Path) -> None:
    """The place is free at once; the files are there until the block ends."""
    path = tmp_path / "cache"
    with Aside(tmp_path, room=0) as aside:
        for _ in range(2):
            aside.put(full(path))
            assert not path.exists()
        aside.put(path)
        assert len(list(tmp_path.rglob("file"))) == 2
    assert not list(tmp_path.iterdir())


def test_a_full_disk_ends_the_waiting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no room left all is removed at once, and that is told."""
    with Aside(tmp_path, room=2**62) as aside:
        aside.put(full(tmp_path / "cache"))
        assert not list(tmp_path.rglob("file"))
    assert "nearly full" in capsys.readouterr().err
