"""Source distributions are unpacked whole, or refused."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from fakes.sdists import write_tar
from polylock.build.sdist import unpack_sdist
from polylock.errors import FileCorrupt
from polylock.index.sdist_metadata import pkg_info_in, read_pkg_info
from polylock.model.sdist_members import SdistLimits

if TYPE_CHECKING:
    from pathlib import Path

NAME = "demo-1.0.tar.gz"
GOOD = {"demo-1.0/PKG-INFO": "", "demo-1.0/src/demo.py": "x = 1\n"}


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """Return a member of a tar."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return info


def tar(tmp_path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Write a tar of a good file and these members."""
    path = tmp_path / NAME
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for info, content in ((entry("demo-1.0/PKG-INFO"), b"good"), *members):
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def unpack(path: Path, limits: SdistLimits | None = None) -> Path:
    """Unpack beside the file."""
    directory = path.parent / "tree"
    if limits is None:
        return unpack_sdist(path, directory, filename=path.name)
    return unpack_sdist(path, directory, filename=path.name, limits=limits)


def test_a_tar_is_unpacked(tmp_path: Path) -> None:
    """The one top directory is returned, with all that is in it."""
    tree = unpack(write_tar(tmp_path, NAME, GOOD))
    assert tree.name == "demo-1.0"
    assert (tree / "src" / "demo.py").read_text("utf-8") == "x = 1\n"


def test_a_zip_is_unpacked(tmp_path: Path) -> None:
    """Directories may be members or not."""
    path = tmp_path / "demo-1.0.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo-1.0/", "")
        for name, content in GOOD.items():
            archive.writestr(name, content)
    assert (unpack(path) / "src" / "demo.py").is_file()


def test_a_leading_dot_is_no_directory(tmp_path: Path) -> None:
    """``tar -czf x.tar.gz ./demo-1.0`` writes such names."""
    members = {f"./{name}": content for name, content in GOOD.items()}
    path = write_tar(tmp_path, NAME, members)
    assert unpack(path).name == "demo-1.0"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit")
def test_times_and_executable_bits_are_kept(tmp_path: Path) -> None:
    """Build systems compare times; one before 1980 cannot stand in a wheel."""
    script, old = entry("demo-1.0/configure"), entry("demo-1.0/old")
    script.mode, script.mtime, old.mtime = 0o755, 1_700_000_000, 0
    tree = unpack(tar(tmp_path, (script, b"#!/bin/sh\n"), (old, b"")))
    assert (tree / "configure").stat().st_mode & stat.S_IXUSR
    assert not (tree / "old").stat().st_mode & stat.S_IXUSR
    assert (tree / "configure").stat().st_mtime == 1_700_000_000
    assert (tree / "old").stat().st_mtime > 315_532_800


def test_set_user_id_is_not_kept(tmp_path: Path) -> None:
    """Of the mode only the executable bit counts."""
    script = entry("demo-1.0/tool")
    script.mode = 0o6777
    tree = unpack(tar(tmp_path, (script, b"")))
    assert not (tree / "tool").stat().st_mode & (stat.S_ISUID | stat.S_ISGID)


def test_links_inside_become_copies(tmp_path: Path) -> None:
    """Symbolic, hard, and one to another; the tree holds plain files only."""
    path = tar(
        tmp_path,
        (entry("demo-1.0/doc/LICENSE", tarfile.SYMTYPE, "../PKG-INFO"), b""),
        (entry("demo-1.0/hard", tarfile.LNKTYPE, "demo-1.0/PKG-INFO"), b""),
        (entry("demo-1.0/again", tarfile.SYMTYPE, "./hard"), b""),
    )
    tree = unpack(path)
    for name in ("doc/LICENSE", "hard", "again"):
        assert not (tree / name).is_symlink()
        assert (tree / name).read_bytes() == b"good"


HOSTILE = {
    "absolute path": entry("/demo-1.0/a"),
    "parent": entry("demo-1.0/../../a"),
    "parent of the top": entry("../a"),
    "drive": entry("demo-1.0/c:/a"),
    "backslash": entry("demo-1.0\\..\\a"),
    "control character": entry("demo-1.0/a\nb"),
    "empty part": entry("demo-1.0//a"),
    "same member twice": entry("demo-1.0/PKG-INFO"),
    "case clash": entry("demo-1.0/pkg-info"),
    "clash of directories": entry("DEMO-1.0/a"),
    "file as directory": entry("demo-1.0/PKG-INFO/a"),
    "second top directory": entry("other-1.0/a"),
    "file beside the top directory": entry("setup.py"),
    "link out": entry("demo-1.0/a", tarfile.SYMTYPE, "../../a"),
    "absolute link": entry("demo-1.0/a", tarfile.SYMTYPE, "/etc/hosts"),
    "link to a directory": entry("demo-1.0/a", tarfile.SYMTYPE, "../demo-1.0"),
    "link to nothing": entry("demo-1.0/a", tarfile.SYMTYPE, "b"),
    "link to itself": entry("demo-1.0/a", tarfile.SYMTYPE, "a"),
    "hard link out": entry("demo-1.0/a", tarfile.LNKTYPE, "../a"),
    "absolute hard link": entry("demo-1.0/a", tarfile.LNKTYPE, "/etc/hosts"),
    "character device": entry("demo-1.0/a", tarfile.CHRTYPE),
    "block device": entry("demo-1.0/a", tarfile.BLKTYPE),
    "pipe": entry("demo-1.0/a", tarfile.FIFOTYPE),
    "sparse file": entry("demo-1.0/a", tarfile.GNUTYPE_SPARSE),
    "unknown kind": entry("demo-1.0/a", b"Z"),
    "long name": entry("demo-1.0/" + "a" * 256),
    "long path": entry("demo-1.0/" + "/".join(["a" * 200] * 11)),
    "deep path": entry("demo-1.0" + "/a" * 100),
}


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_a_hostile_member_is_refused(tmp_path: Path, kind: str) -> None:
    """By `lock`, which reads PKG-INFO, and before anything appears outside."""
    place = tmp_path / "place"
    place.mkdir()
    info = HOSTILE[kind]
    content = b"x" if info.isreg() else b""
    path = tar(place, (info, content))
    with pytest.raises(FileCorrupt, match=r"demo-1\.0\.tar\.gz: ") as read:
        read_pkg_info(path, path.name)
    with pytest.raises(FileCorrupt, match=r"demo-1\.0\.tar\.gz: ") as unpacked:
        unpack(path)
    assert str(read.value) == str(unpacked.value)
    assert {path.name for path in tmp_path.iterdir()} == {"place"}
    assert {path.name for path in place.iterdir()} == {NAME, "tree"}


def test_a_link_cannot_be_written_through(tmp_path: Path) -> None:
    """A link to a directory and a file below it: neither comes to be."""
    path = tar(
        tmp_path,
        (entry("demo-1.0/out", tarfile.SYMTYPE, "/elsewhere"), b""),
        (entry("demo-1.0/out/owned"), b"x"),
    )
    with pytest.raises(FileCorrupt, match="a file and a directory"):
        unpack(path)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (SdistLimits(members=1), "more than 1 members"),
        (SdistLimits(total_size=1000), "more than 1000 bytes"),
        (SdistLimits(free_size=1000, ratio=1), "bytes from"),
    ],
)
def test_a_bomb_is_refused(tmp_path: Path, limits: SdistLimits, reason: str) -> None:
    """Counted while it is written, not by what the headers say."""
    path = tar(tmp_path, (entry("demo-1.0/zeros"), bytes(100_000)))
    with pytest.raises(FileCorrupt, match=reason):
        unpack(path, limits)


def test_a_bomb_in_a_zip_is_refused(tmp_path: Path) -> None:
    """As in a tar."""
    path = tmp_path / "demo-1.0.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("demo-1.0/zeros", bytes(100_000))
    with pytest.raises(FileCorrupt, match="more than 1000 bytes"):
        unpack(path, SdistLimits(total_size=1000))


def test_a_bomb_of_copies_is_refused(tmp_path: Path) -> None:
    """What links add counts."""
    links = [
        (entry(f"demo-1.0/{n}", tarfile.LNKTYPE, "demo-1.0/zeros"), b"")
        for n in range(20)
    ]
    path = tar(tmp_path, (entry("demo-1.0/zeros"), bytes(1000)), *links)
    with pytest.raises(FileCorrupt, match="more than 5000 bytes"):
        unpack(path, SdistLimits(total_size=5000))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_of_any_length_is_not_read(tmp_path: Path, kind: bytes) -> None:
    """A name of gibibytes would be read into memory at once."""
    info = entry("demo-1.0/a", kind)
    info.size = 5 * 1024**2
    path = tmp_path / NAME
    path.write_bytes(gzip.compress(info.tobuf() + bytes(info.size)))
    with pytest.raises(FileCorrupt, match="header in it is too large"):
        unpack(path)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("demo-1.0/../../a", 0),
        ("/demo-1.0/a", 0),
        ("demo-1.0/link", stat.S_IFLNK | 0o777),
        ("demo-1.0/pipe", stat.S_IFIFO | 0o600),
        ("demo-1.0/a\\b", 0),
        ("demo-1.0/PKG-info", 0),
    ],
)
def test_a_hostile_member_of_a_zip_is_refused(
    tmp_path: Path, name: str, mode: int
) -> None:
    """The same rules hold as for a tar; links are refused altogether."""
    place = tmp_path / "place"
    place.mkdir()
    path = place / "demo-1.0.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo-1.0/PKG-INFO", "")
        info = zipfile.ZipInfo(name)
        info.filename = name
        info.external_attr = mode << 16
        archive.writestr(info, "x")
    with pytest.raises(FileCorrupt, match=r"demo-1\.0\.zip: ") as read:
        read_pkg_info(path, path.name)
    with pytest.raises(FileCorrupt, match=r"demo-1\.0\.zip: ") as unpacked:
        unpack(path)
    assert str(read.value) == str(unpacked.value)
    assert {found.name for found in place.iterdir()} == {"demo-1.0.zip", "tree"}


@pytest.mark.parametrize("name", [NAME, "demo-1.0.zip"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x1f\x8b\x08\x00nonsense"])
def test_a_damaged_archive_is_corrupt(
    tmp_path: Path, name: str, content: bytes
) -> None:
    """The exceptions of the libraries stay inside."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileCorrupt, match=r"demo-1\.0"):
        unpack(path)


def test_a_truncated_archive_is_corrupt(tmp_path: Path) -> None:
    """The end of the data comes too early."""
    path = tar(tmp_path, (entry("demo-1.0/noise"), os.urandom(100_000)))
    path.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises(FileCorrupt, match="damaged"):
        unpack(path)


def test_a_member_of_negative_size_ends(tmp_path: Path) -> None:
    """``tarfile`` of older Pythons seeks back and reads it again without end."""
    info = entry("demo-1.0/a")
    info.size = -512
    path = tmp_path / NAME
    header = info.tobuf(format=tarfile.GNU_FORMAT)
    path.write_bytes(gzip.compress(header + bytes(1024)))
    with pytest.raises(FileCorrupt, match="negative size"):
        unpack(path)


def test_a_member_behind_pkg_info_counts_when_all_of_it_is_read(
    tmp_path: Path,
) -> None:
    """Of a stream only the part up to PKG-INFO is known, and only that is refused."""
    path = tar(tmp_path, (entry("../a"), b"x"))
    assert pkg_info_in(iter([path.read_bytes()]), NAME) == b"good"
    with pytest.raises(FileCorrupt, match="leaves its directory"):
        read_pkg_info(path, NAME)
    hostile = tmp_path / "other.tar.gz"
    with tarfile.open(hostile, "w:gz") as archive:
        for name in ("../a", "demo-1.0/PKG-INFO"):
            archive.addfile(entry(name))
    with pytest.raises(FileCorrupt, match="leaves its directory"):
        pkg_info_in(iter([hostile.read_bytes()]), NAME)


def test_an_empty_archive_is_corrupt(tmp_path: Path) -> None:
    """There is no top directory."""
    with pytest.raises(FileCorrupt, match="top directory"):
        unpack(write_tar(tmp_path, NAME, {}))
