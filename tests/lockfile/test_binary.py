"""The form of a lock file that the cache keeps."""

from __future__ import annotations

from datetime import UTC, date, datetime
from hashlib import sha256
from inspect import get_annotations
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from polylock.lockfile import pylock, record
from polylock.lockfile.binary import from_binary, rules, to_binary
from polylock.lockfile.pylock import Pylock
from polylock.lockfile.read import read_pylock
from polylock.lockfile.write import pylock_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

HEAD = 'lock-version = "1.0"\ncreated-by = "polylock"\n'
ONE = '[[packages]]\nname = "a"\n'
WHEEL = """
[[packages]]
name = "a"
version = "1.0"
marker = "sys_platform == 'linux' and ('x' in extras or python_version < '3.12')"
[[packages.wheels]]
upload-time = 2026-01-02T03:04:05.000006Z
url = "http://e.com/a-1.0-py3-none-any.whl"
size = 1
hashes = { sha256 = "00" }
"""
SOURCES = """
packages = []
[tool.polylock.sources]
a = [{ index = "one", properties = ["x :: y :: z"] }]
d = [{ git = "https://e.com/a", tag = "1" }]
b = [{ path = "../b", editable = true }]
c = [{ url = "https://e.com/c-1.0.tar.gz" }]
"""


def kept(pylock: Pylock) -> bytes:
    """Return the form of a lock file that has one."""
    found = to_binary(pylock)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text",
    [
        WHEEL,
        SOURCES,
        "packages = []\nenvironments = [\"os_name == 'nt'\"]\n",
        f"{ONE}directory = {{ path = 'a', editable = true }}",
        f"{ONE}archive = {{ path = 'a.zip', hashes = {{ sha256 = '0' }} }}",
        f"{ONE}vcs = {{ type = 'git', path = 'a', commit-id = '0' }}",
        "packages = []\n[tool.other]\na = [1, 1.0, true, { b = [] }]\n",
    ],
)
def test_a_lock_file_comes_back(text: str) -> None:
    """Every kind of source, marker and record is the same as TOML gave it."""
    pylock = read_pylock(HEAD + text, "p")
    again = from_binary(kept(pylock))
    assert again == pylock
    assert pylock_text(again) == pylock_text(pylock)


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 2),  # noqa: DTZ001 - TOML's local date-time
        datetime(2026, 1, 2, tzinfo=UTC),
        date(2026, 1, 2),
        float("nan"),
        2**63,
        [{"deep": [date(2026, 1, 2)]}],
    ],
)
def test_what_would_come_back_otherwise_has_no_form(value: Any) -> None:  # noqa: ANN401 - any TOML value
    """A value in another tool's table that MessagePack changes is not kept."""
    pylock = read_pylock(HEAD + "packages = []", "p")
    assert to_binary(msgspec.structs.replace(pylock, tool={"a": {"b": value}})) is None


def test_a_lock_file_that_is_too_deep_has_no_form() -> None:
    """Deep nesting ends in no form, never in a traceback."""
    value: list[Any] = []
    for _ in range(5_000):
        value = [value]
    assert to_binary(Pylock(created_by="p", tool={"a": value})) is None


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x90", b"\x81\xa1a\x01"])
def test_what_is_no_form_is_nothing(content: bytes) -> None:
    """Bytes that are damaged or of another layout are not taken for a lock file."""
    assert from_binary(content) is None


def _fields(module: ModuleType) -> Iterator[str]:
    for name, kind in sorted(vars(module).items()):
        if (
            isinstance(kind, type)
            and kind.__module__ == module.__name__
            and issubclass(kind, msgspec.Struct)
        ):
            types = get_annotations(kind)
            yield f"{name}: " + ", ".join(f"{key} {types[key]}" for key in types)


def test_other_fields_have_another_layout() -> None:
    """What an older layout kept would be read with fields missing.

    Whoever changes a field of a lock file, or what ``decode`` makes of one, raises
    ``_LAYOUT`` and writes the new digest here.
    """
    told = "\n".join([*_fields(pylock), *_fields(record)])
    layout, _, _ = rules().partition(",")
    assert (layout, sha256(told.encode()).hexdigest()[:16]) == ("7", "4b2d1e2ef81a6789")
