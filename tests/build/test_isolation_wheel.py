"""METADATA of a wheel that a backend wrote."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from fakes.wheels import build_wheel
from polylock.build.frontend import HookFailed
from polylock.build.isolation import wheel_metadata

if TYPE_CHECKING:
    from pathlib import Path


def test_metadata_is_read(tmp_path: Path) -> None:
    """That of the wheel's own project, whatever its name looks like."""
    path = build_wheel(tmp_path, "Demo.Project", "1.0", requires=["a"])
    assert b"Requires-Dist: a" in wheel_metadata(path)


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_what_is_no_zip_is_told(tmp_path: Path, content: bytes) -> None:
    """The file is named."""
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(content)
    with pytest.raises(HookFailed, match="not a readable wheel"):
        wheel_metadata(path)


def test_a_wheel_without_metadata_is_told(tmp_path: Path) -> None:
    """Another project's does not count."""
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other-1.0.dist-info/METADATA", "Name: other\n")
    with pytest.raises(HookFailed, match="no METADATA"):
        wheel_metadata(path)


def test_a_name_that_is_no_wheels_is_told(tmp_path: Path) -> None:
    """A backend may return anything."""
    with pytest.raises(HookFailed, match="no wheel"):
        wheel_metadata(tmp_path / "demo.zip")
