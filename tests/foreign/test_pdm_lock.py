"""What is read from pdm.lock."""

from __future__ import annotations

import pytest

from fakes.foreign import parse, versions_for
from polylock.errors import ForeignLockInvalid

TEXT = """\
[metadata]
groups = ["default", "dev"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:00"

[[metadata.targets]]
requires_python = ">=3.11"

[[package]]
name = "tool"
version = "1.5"
requires_python = ">=3.9"
groups = ["default"]
files = [
    {file = "tool-1.5-py3-none-any.whl", hash = "sha256:01"},
    {url = "https://example.com/tool-1.5.tar.gz", hash = "sha256:02"},
]

[[package]]
name = "tool"
version = "1.5"
extras = ["fast"]
groups = ["default"]

[[package]]
name = "split"
version = "1.0"
marker = "sys_platform == \\"win32\\""

[[package]]
name = "split"
version = "2.0"
marker = "sys_platform != \\"win32\\""

[[package]]
name = "pinned"
version = "0.1"
git = "https://git.example.com/pinned"
revision = "0123"
"""


def test_each_target_gets_the_version_of_its_marker() -> None:
    """Of several versions the one counts whose marker holds there."""
    lock = parse(TEXT, "pdm.lock")
    assert lock.tool == "PDM"
    assert versions_for(lock) == {"split": "2.0", "tool": "1.5"}
    assert versions_for(lock, "windows") == {"split": "1.0", "tool": "1.5"}


def test_hashes_and_sources() -> None:
    """Hashes are known by file name; what comes from git is no pin."""
    lock = parse(TEXT, "pdm.lock")
    assert lock.pins[0].files == {
        "tool-1.5-py3-none-any.whl": {"sha256:01"},
        "tool-1.5.tar.gz": {"sha256:02"},
    }
    assert [entry.name for entry in lock.skipped] == ["pinned"]


def test_unknown_version() -> None:
    """Another major version is an error."""
    text = TEXT.replace("4.5.0", "5.0")
    with pytest.raises(ForeignLockInvalid, match=r"lock_version: is 5\.0, and only 4"):
        parse(text, "pdm.lock")
