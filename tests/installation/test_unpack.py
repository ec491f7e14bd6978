"""Wheels become archives only if every byte and name of them is in order."""

from __future__ import annotations

import stat
import sys
import tracemalloc
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from fakes.odd_wheels import (
    CLASHES,
    FILENAME,
    HOSTILE,
    INFO,
    REPAIRED,
    TAKEN,
    Forge,
    row,
)
from fakes.wheels import build_wheel
from polylock.errors import CacheUnusable, FileCorrupt
from polylock.installation.archive import DataFile, EntryPoint, read_manifest
from polylock.installation.unpack import unpack
from polylock.model.wheel_members import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.installation.archive import ArchiveManifest


def unpacked(wheel: Path, directory: Path) -> ArchiveManifest:
    """Unpack a wheel and return its manifest."""
    directory.mkdir()
    unpack(wheel, directory, filename=wheel.name)
    return read_manifest(directory, filename=wheel.name, sha256="0" * 64)


def test_unpack_when_the_wheel_is_good(tmp_path: Path) -> None:
    """Tree and manifest hold the files, the scripts and the data of the wheel."""
    wheel = build_wheel(
        tmp_path,
        "demo",
        "1.0",
        files={
            "demo/__init__.py": "x = 1\n",
            "demo/deep/er/data.txt": "text",
            "demo-1.0.data/scripts/tool": "#!python\n",
            "demo-1.0.data/data/share/demo.txt": "shared",
        },
        entry_points="[console_scripts]\nrun = demo:main [fast]\n"
        "[gui_scripts]\nwin = demo.gui:App.start\n[other]\nx = y\n",
    )
    manifest = unpacked(wheel, tmp_path / "archive")
    tree = tmp_path / "archive" / "tree"
    assert (tree / "demo/deep/er/data.txt").read_text() == "text"
    assert manifest.stem == "demo-1.0"
    assert manifest.version == "1.0"
    assert manifest.root_is_purelib
    assert manifest.directories == ["demo", INFO, "demo/deep", "demo/deep/er"]
    assert manifest.files == [
        f"{INFO}/METADATA",
        f"{INFO}/WHEEL",
        f"{INFO}/entry_points.txt",
        "demo/__init__.py",
        "demo/deep/er/data.txt",
    ]
    assert row("demo/__init__.py", b"x = 1\n") in manifest.record
    assert "RECORD" not in manifest.record
    assert [(data.key, data.path) for data in manifest.data] == [
        ("data", "share/demo.txt"),
        ("scripts", "tool"),
    ]
    assert manifest.data[0] == DataFile(
        "data",
        "demo-1.0.data/data/share/demo.txt",
        "share/demo.txt",
        row("", b"shared").split(",")[1],
        6,
        manifest.data[0].mtime,
        is_executable=False,
    )
    assert manifest.entry_points == [
        EntryPoint("run", "demo", "main", is_gui=False),
        EntryPoint("win", "demo.gui", "App.start", is_gui=True),
    ]


def test_unpack_keeps_executable_bits(tmp_path: Path) -> None:
    """A file is executable exactly if the wheel says so."""
    forge = Forge()
    forge.add("demo/tool", b"#!/bin/sh\n", mode=0o100755)
    wheel = forge.write(tmp_path)
    unpacked(wheel, tmp_path / "archive")
    tree = tmp_path / "archive" / "tree" / "demo"
    if sys.platform != "win32":
        assert (tree / "tool").stat().st_mode & stat.S_IXUSR
        assert not (tree / "__init__.py").stat().st_mode & stat.S_IXUSR


def test_unpack_leaves_out_what_tells_of_another_installation(tmp_path: Path) -> None:
    """INSTALLER and its like, and compiled code, do not come from a wheel."""
    forge = Forge()
    for name in ("INSTALLER", "REQUESTED", "direct_url.json", "polylock.json"):
        forge.add(f"{INFO}/{name}", b"evil")
    forge.add("demo/__pycache__/demo.cpython-312.pyc", b"evil")
    manifest = unpacked(forge.write(tmp_path), tmp_path / "archive")
    assert manifest.files == [f"{INFO}/METADATA", f"{INFO}/WHEEL", "demo/__init__.py"]
    assert "evil" not in manifest.record
    assert not list((tmp_path / "archive").rglob("*.pyc"))


def right_record(manifest: ArchiveManifest, tree: Path) -> list[str]:
    """Return the rows that the files of a tree must have."""
    return [row(path, (tree / path).read_bytes()) for path in sorted(manifest.files)]


@pytest.mark.parametrize("case", REPAIRED)
def test_unpack_when_the_wheel_has_a_fault(tmp_path: Path, case: str) -> None:
    """The members are installed, with a right RECORD, and the fault is told."""
    spoil, kind = REPAIRED[case]
    forge = Forge()
    spoil(forge)
    manifest = unpacked(forge.write(tmp_path), tmp_path / "a")
    assert {fault.kind for fault in manifest.faults} == {kind}
    tree = tmp_path / "a" / "tree"
    assert "".join(right_record(manifest, tree)) == manifest.record
    files = [path for path in tree.rglob("*") if path.is_file()]
    assert {path.relative_to(tree).as_posix() for path in files} == {*manifest.files}
    assert not any(path.is_symlink() for path in files)
    assert manifest.executable == frozenset()


@pytest.mark.parametrize("case", TAKEN)
def test_unpack_when_the_wheel_is_unusual(tmp_path: Path, case: str) -> None:
    """It is unpacked, and there is nothing to tell of it."""
    forge = Forge()
    TAKEN[case](forge)
    wheel = forge.write(tmp_path)
    if case in CLASHES and not tells_apart(tmp_path, case):
        with pytest.raises(FileCorrupt, match="differ only in case"):
            unpacked(wheel, tmp_path / "a")
        return
    manifest = unpacked(wheel, tmp_path / "a")
    assert manifest.faults == []
    assert (manifest.clash is not None) == (case in CLASHES)
    rows = right_record(manifest, tmp_path / "a" / "tree")
    assert "".join(rows) == manifest.record


def tells_apart(directory: Path, case: str) -> bool:
    """Return True if the file system has two files of the names of a case."""
    one, other = ("\u00e9", "e\u0301") if "Unicode" in case else ("a", "A")
    probe = directory / "probe"
    probe.mkdir()
    for name in (one, other):
        (probe / name).touch()
    return len(list(probe.iterdir())) == 2


def test_unpack_when_two_members_have_one_checksum(tmp_path: Path) -> None:
    """Equal CRCs do not make members equal: their content is compared."""
    one, other = same_crc()
    forge = Forge()
    forge.add("demo/a", one)
    forge.add("demo/a", other, recorded=False)
    (tmp_path / "a").mkdir()
    with pytest.raises(FileCorrupt, match="there twice, and differs"):
        unpack(forge.write(tmp_path), tmp_path / "a", filename=FILENAME)


def same_crc() -> tuple[bytes, bytes]:
    """Return two contents of one length and CRC: it is linear in what changes."""
    kernel: dict[int, int] = {}
    for bit in range(64):
        value, mask = (
            zlib.crc32((1 << bit).to_bytes(8)) ^ zlib.crc32(bytes(8)),
            1 << bit,
        )
        for top in sorted(kernel, reverse=True):
            if value >> (top & 63) & 1:
                value, mask = value ^ kernel[top] >> 64, mask ^ kernel[top] % 2**64
        if not value:
            return bytes(8), mask.to_bytes(8)
        kernel[value.bit_length() - 1] = value << 64 | mask
    raise AssertionError("64 vectors of 32 bits depend on each other")


def test_unpack_tells_a_bounded_number_of_faults(tmp_path: Path) -> None:
    """A RECORD of nonsense does not make a manifest of it."""
    forge = Forge()
    for number in range(1000):
        forge.add_row(f"gone/{number}", b"")
    manifest = unpacked(forge.write(tmp_path), tmp_path / "a")
    assert (len(manifest.faults), manifest.fault_count) == (20, 1000)


def test_unpack_when_the_wheel_is_signed(tmp_path: Path) -> None:
    """Signature files are not in RECORD, and are installed with a hash."""
    forge = Forge()
    forge.add(f"{INFO}/RECORD.jws", b"{}", recorded=False)
    manifest = unpacked(forge.write(tmp_path), tmp_path / "archive")
    assert row(f"{INFO}/RECORD.jws", b"{}") in manifest.record


def test_unpack_when_record_is_of_windows(tmp_path: Path) -> None:
    """Backslashes in RECORD, as old backends on Windows wrote them, are slashes."""
    forge = Forge()
    forge.record[0] = forge.record[0].replace("/", "\\")
    manifest = unpacked(forge.write(tmp_path), tmp_path / "archive")
    assert "demo/__init__.py" in manifest.files


def test_unpack_when_directories_are_members(tmp_path: Path) -> None:
    """Members for directories are accepted and need no row."""
    forge = Forge()
    forge.add("demo/", b"", mode=0o040755, recorded=False)
    assert "demo/__init__.py" in unpacked(forge.write(tmp_path), tmp_path / "a").files


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("Demo-1.0-py3-none-any.whl", "1.0"),
        ("demo-1-py3-none-any.whl", "1"),
        ("demo-1.0-7-py3-none-any.whl", "1.0"),
        ("demo-1.0-py3-none-any-cu130.whl", "1.0"),
    ],
)
def test_unpack_when_the_name_is_spelled_otherwise(
    tmp_path: Path, filename: str, version: str
) -> None:
    """Name and version agree by their normal forms; build and label do not matter."""
    del version
    wheel = Forge().write(tmp_path)
    (tmp_path / "a").mkdir()
    unpack(wheel, tmp_path / "a", filename=filename)


@pytest.mark.parametrize("case", HOSTILE)
def test_unpack_when_the_wheel_is_hostile(tmp_path: Path, case: str) -> None:
    """A wheel that breaks a rule is refused by name, and nothing is written outside."""
    spoil, problem = HOSTILE[case]
    forge = Forge()
    spoil(forge)
    wheel = forge.write(tmp_path)
    directory = tmp_path / "deep" / "archive"
    directory.mkdir(parents=True)
    with pytest.raises(FileCorrupt) as caught:
        unpack(wheel, directory, filename=FILENAME)
    assert caught.value.filename == FILENAME
    assert problem in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {FILENAME, "deep"}
    assert not (directory / "archive.msgpack").exists()


@pytest.mark.parametrize(
    "filename", ["other-1.0-py3-none-any.whl", "demo-1.1-py3-none-any.whl"]
)
def test_unpack_when_the_file_is_of_another_name(tmp_path: Path, filename: str) -> None:
    """The .dist-info directory must be of the name and version of the file name."""
    wheel = Forge().write(tmp_path)
    (tmp_path / "a").mkdir()
    with pytest.raises(FileCorrupt, match="another name or version"):
        unpack(wheel, tmp_path / "a", filename=filename)


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        (Limits(members=3), "more than 3 members"),
        (Limits(total_size=99_999), "more than 99999 bytes"),
        (Limits(free_size=10_000, ratio=10), "unpacks to 100"),
        (Limits(metadata_size=20), "larger than any such file"),
    ],
)
def test_unpack_when_a_limit_is_passed(
    tmp_path: Path, limits: Limits, problem: str
) -> None:
    """Too many members, too much content, too high a ratio: each is refused."""
    wheel = build_wheel(tmp_path, "demo", "1.0", files={"demo/zeros": bytes(100_000)})
    (tmp_path / "a").mkdir()
    with pytest.raises(FileCorrupt, match=problem):
        unpack(wheel, tmp_path / "a", filename=FILENAME, limits=limits)
    assert not list((tmp_path / "a").rglob("zeros"))


def test_unpack_when_members_overlap(tmp_path: Path) -> None:
    """Two entries that share their bytes, the trick of zip bombs, are refused."""
    forge = Forge()
    forge.add("demo/a", b"x" * 1000)
    forge.add("demo/b", b"x" * 1000)
    wheel = forge.write(tmp_path)
    data = bytearray(wheel.read_bytes())
    with zipfile.ZipFile(wheel) as archive:
        first = archive.getinfo("demo/a").header_offset
    entry = data.rindex(b"demo/b") - 46
    data[entry + 42 : entry + 46] = first.to_bytes(4, "little")
    wheel.write_bytes(data)
    (tmp_path / "a").mkdir()
    with pytest.raises(FileCorrupt, match="overlap"):
        unpack(wheel, tmp_path / "a", filename=FILENAME)


def test_unpack_when_the_size_is_a_lie(tmp_path: Path) -> None:
    """A member that claims a smaller size than it has is refused."""
    wheel = build_wheel(tmp_path, "demo", "1.0", files={"demo/zeros": bytes(100_000)})
    data = bytearray(wheel.read_bytes())
    entry = data.rindex(b"demo/zeros") - 46
    data[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    wheel.write_bytes(data)
    (tmp_path / "a").mkdir()
    with pytest.raises(FileCorrupt):
        unpack(wheel, tmp_path / "a", filename=FILENAME)


@pytest.mark.parametrize("length", [0, 10, 200])
def test_unpack_when_the_file_is_cut_short(tmp_path: Path, length: int) -> None:
    """A file that is no zip is refused as such."""
    wheel = Forge().write(tmp_path)
    wheel.write_bytes(wheel.read_bytes()[:length])
    (tmp_path / "a").mkdir()
    with pytest.raises(FileCorrupt, match="not a readable zip file"):
        unpack(wheel, tmp_path / "a", filename=FILENAME)


def test_unpack_when_a_byte_is_flipped(tmp_path: Path) -> None:
    """Content that does not match its checksum is refused."""
    forge = Forge()
    forge.add("demo/data", b"0123456789" * 10)
    wheel = forge.write(tmp_path)
    wheel.write_bytes(wheel.read_bytes().replace(b"0123456789", b"0123456780", 1))
    (tmp_path / "a").mkdir()
    with pytest.raises(FileCorrupt, match="CRC"):
        unpack(wheel, tmp_path / "a", filename=FILENAME)


def test_unpack_when_a_member_is_encrypted(tmp_path: Path) -> None:
    """A member that needs a password is refused."""
    forge = Forge()
    wheel = forge.write(tmp_path)
    data = bytearray(wheel.read_bytes())
    entry = data.rindex(b"demo/__init__.py") - 46
    data[entry + 8] |= 1
    wheel.write_bytes(data)
    (tmp_path / "a").mkdir()
    with pytest.raises(FileCorrupt, match="encrypted"):
        unpack(wheel, tmp_path / "a", filename=FILENAME)


def test_unpack_when_the_cache_cannot_be_written(tmp_path: Path) -> None:
    """A directory that is not there is the cache's fault, not the wheel's."""
    wheel = Forge().write(tmp_path)
    with pytest.raises(CacheUnusable):
        unpack(wheel, tmp_path / "missing" / "a", filename=FILENAME)


def test_unpack_needs_little_memory(tmp_path: Path) -> None:
    """Memory does not grow with the size of a member."""
    content = bytes(range(256)) * 4096 * 32  # 32 MiB
    wheel = build_wheel(tmp_path, "demo", "1.0", files={"demo/large": content})
    del content
    (tmp_path / "a").mkdir()
    tracemalloc.start()
    try:
        unpack(wheel, tmp_path / "a", filename=FILENAME)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 1024**2
