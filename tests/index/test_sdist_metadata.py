"""The static metadata of source distributions."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fakes.wheels import build_sdist
from polylock.errors import FileCorrupt
from polylock.index.sdist_metadata import (
    is_static,
    predates_static_metadata,
    read_pkg_info,
)
from polylock.model.core_metadata import CoreMetadata
from polylock.model.distributions import RemoteFile

if TYPE_CHECKING:
    from pathlib import Path


def test_pkg_info_of_a_tar_is_read(tmp_path: Path) -> None:
    """The one in the top directory."""
    path = build_sdist(tmp_path, "demo", "1.0", requires=["a>=1"])
    metadata = CoreMetadata.parse(read_pkg_info(path, path.name))
    assert (metadata.name, metadata.version) == ("demo", "1.0")
    assert metadata.requires_dist[0].name == "a"


def test_pkg_info_of_a_zip_is_read(tmp_path: Path) -> None:
    """A zip is read like a tar; a deeper PKG-INFO is another project's."""
    path = tmp_path / "demo-1.0.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo-1.0/demo.egg-info/PKG-INFO", "deeper")
        archive.writestr("demo-1.0/PKG-INFO", "top")
    assert read_pkg_info(path, path.name) == b"top"


@pytest.mark.parametrize("name", ["demo-1.0.tar.gz", "demo-1.0.zip"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x1f\x8b\x08\x00nonsense"])
def test_a_damaged_archive_is_corrupt(
    tmp_path: Path, name: str, content: bytes
) -> None:
    """The file is named, the library's exceptions stay inside."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileCorrupt, match=r"demo-1\.0"):
        read_pkg_info(path, name)


def test_a_truncated_tar_is_corrupt(tmp_path: Path) -> None:
    """The end of the data comes too early."""
    path = build_sdist(tmp_path, "demo", "1.0")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(FileCorrupt, match=r"demo-1\.0"):
        read_pkg_info(path, path.name)


@pytest.mark.parametrize(
    ("version", "dynamic"), [("2.2", ()), ("2.4", ("description",)), ("3.0", ())]
)
def test_metadata_is_static_since_2_2(version: str, dynamic: tuple[str, ...]) -> None:
    """What Dynamic does not name is certain (PEP 643)."""
    assert is_static(_metadata(version, dynamic))


@pytest.mark.parametrize(
    ("version", "dynamic"),
    [("2.1", ()), ("2.4", ("requires-dist",)), ("2.4", ("provides-extra",)), ("", ())],
)
def test_other_metadata_may_change(version: str, dynamic: tuple[str, ...]) -> None:
    """Before 2.2 all of it, since then what Dynamic names."""
    assert not is_static(_metadata(version, dynamic))


@pytest.mark.parametrize(
    ("uploaded", "expected"),
    [
        (datetime(2020, 10, 23, tzinfo=UTC), True),
        (datetime(2020, 10, 25, tzinfo=UTC), False),
        (datetime(1980, 1, 1, tzinfo=UTC), False),
        (None, False),
    ],
    ids=["before", "after", "no upload", "unknown"],
)
def test_old_files_promise_nothing(
    *, uploaded: datetime | None, expected: bool
) -> None:
    """What was uploaded before PEP 643 cannot have static metadata."""
    time = None if uploaded is None else int(uploaded.timestamp()) * 1_000_000
    file = RemoteFile(
        filename="demo-1.0.tar.gz",
        url="https://files.example.com/demo-1.0.tar.gz",
        upload_time=time,
    )
    assert predates_static_metadata(file) is expected


def _metadata(version: str, dynamic: tuple[str, ...]) -> CoreMetadata:
    return CoreMetadata(
        name="demo", version="1.0", metadata_version=version, dynamic=dynamic
    )
