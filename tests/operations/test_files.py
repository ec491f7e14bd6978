"""Files of the user, read and written."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from polylock.errors import UsageError
from polylock.operations.files import attempt, write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def test_what_the_system_refuses_is_told_in_words(tmp_path: Path) -> None:
    """The error says what was tried and why it failed."""
    path = tmp_path / "absent"
    with pytest.raises(UsageError) as raised, attempt(f"read {path}"):
        path.read_bytes()
    assert str(raised.value) == f"cannot read {path}: {os.strerror(2)}"


def test_other_errors_pass() -> None:
    """Only what the system refuses is the user's to mend."""
    with pytest.raises(ValueError, match="ours"), attempt("read"):
        raise ValueError("ours")


@pytest.mark.skipif(os.name == "nt", reason="modes and links of POSIX")
def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Its mode stays, and a link to it stays a link."""
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    link.symlink_to(path)
    write_atomically(link, "new\n")
    assert link.is_symlink()
    assert path.read_bytes() == b"new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_what_cannot_be_replaced_stays(tmp_path: Path) -> None:
    """A directory in the way is an error, and nothing is left beside it."""
    path = tmp_path / "directory"
    path.mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        write_atomically(path, "text")
    assert list(tmp_path.iterdir()) == [path]
