"""The manifest of an unpacked wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from polylock.errors import ArchiveDamaged
from polylock.installation.archive import (
    MANIFEST,
    ArchiveManifest,
    manifest_bytes,
    read_manifest,
)

if TYPE_CHECKING:
    from pathlib import Path

GOOD = ArchiveManifest(
    stem="demo-1.0",
    version="1.0",
    root_is_purelib=True,
    directories=["demo"],
    files=["demo/__init__.py"],
    sizes=[0],
    mtimes=[2_000_000_000],
    executable=frozenset(),
    record="",
    data=[],
    entry_points=[],
    size=0,
)


def test_read_manifest(tmp_path: Path) -> None:
    """What was written is read."""
    (tmp_path / MANIFEST).write_bytes(manifest_bytes(GOOD))
    manifest = read_manifest(tmp_path, filename="demo.whl", sha256="a")
    assert manifest == GOOD
    assert manifest.dist_info == "demo-1.0.dist-info"


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"\xff",
        manifest_bytes(GOOD)[:-1],
        manifest_bytes(GOOD).replace(b"demo/__init__.py", b"evil/__init__.py"),
        manifest_bytes(msgspec.structs.replace(GOOD, layout=99)),
    ],
)
def test_read_manifest_when_it_is_damaged(
    tmp_path: Path, content: bytes | None
) -> None:
    """A missing, cut or foreign manifest says which archive to fetch anew."""
    if content is not None:
        (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(ArchiveDamaged, match=r"demo\.whl is damaged") as caught:
        read_manifest(tmp_path, filename="demo.whl", sha256="abc")
    assert caught.value.sha256 == "abc"
