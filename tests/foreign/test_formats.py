"""Which tool has written a file."""

from __future__ import annotations

import pytest

from fakes.foreign import DATA, parse, versions_for
from polylock.errors import ForeignLockInvalid


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("uv.lock", "uv"),
        ("poetry.lock", "Poetry"),
        ("Pipfile.lock", "pipenv"),
        ("pylock.uv.toml", "uv"),
    ],
)
def test_the_keys_tell_whatever_the_name_is(name: str, tool: str) -> None:
    """A copy under another name, with a mark and other newlines, is known."""
    content = (DATA / name).read_bytes().replace(b"\n", b"\r\n")
    lock = parse(b"\xef\xbb\xbf" + content, "old.lock")
    assert lock.tool == tool
    assert versions_for(lock)["helper"] == "1.1"


def test_an_empty_lock_is_fine() -> None:
    """A project without dependencies has nothing to keep."""
    assert not parse('version = 1\nrequires-python = ">=3.11"\n').pins


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'[project]\nname = "a"\n', "is not a supported lock file: uv.lock"),
        (b"", "is not a supported lock file"),
        (b"{}", "is not a supported lock file"),
        (b"a==1.0\n", "is not TOML"),
        (b"\xff", "is not UTF-8"),
        (b"version = 1\n<<<<<<< HEAD\n", "line 2 is a merge conflict marker of git"),
        (b"{" * 100_000, "is not JSON"),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
    ],
)
def test_what_is_no_lock_file(content: bytes, problem: str) -> None:
    """Each file that cannot be read is an error that says what could be."""
    with pytest.raises(ForeignLockInvalid) as caught:
        parse(content, "some.lock")
    assert str(caught.value).startswith(f"some.lock: {problem}")
