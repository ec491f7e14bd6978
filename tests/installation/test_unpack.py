"""Wheels become archives only if every byte and name of them is in order."""

from __future__ import annotations

import base64
import hashlib
import stat
import sys
import tracemalloc
import warnings
import zipfile
from typing import TYPE_CHECKING

import pytest

from fakes.wheels import build_wheel
from polylock.errors import CacheUnusable, FileCorrupt
from polylock.installation.archive import DataFile, EntryPoint, read_manifest
from polylock.installation.unpack import Limits, unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from polylock.installation.archive import ArchiveManifest

INFO = "demo-1.0.dist-info"
FILENAME = "demo-1.0-py3-none-any.whl"


def row(path: str, content: bytes) -> str:
    """Return the line of RECORD for a file."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return f"{path},sha256={digest.rstrip(b'=').decode()},{len(content)}\n"


class Forge:
    """Writes wheels that no build backend would."""

    def __init__(self) -> None:
        self.members: list[tuple[zipfile.ZipInfo, bytes]] = []
        self.record: list[str] = []
        self.add("demo/__init__.py", b"")
        self.add(
            f"{INFO}/METADATA", b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"
        )
        self.add(f"{INFO}/WHEEL", b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")

    def add(
        self, name: str, content: bytes, *, mode: int = 0o100644, recorded: bool = True
    ) -> None:
        """Add a member under any name, and to RECORD under the same."""
        info = zipfile.ZipInfo("placeholder", (2026, 1, 1, 0, 0, 0))
        info.filename = info.orig_filename = name
        info.external_attr = mode << 16
        self.members.append((info, content))
        if recorded:
            self.record.append(row(name, content))

    def replace(self, name: str, content: bytes) -> None:
        """Put other content in place of a member's, and of its row."""
        self.members = [m for m in self.members if m[0].filename != name]
        self.record = [line for line in self.record if not line.startswith(name)]
        self.add(name, content)

    def drop(self, name: str) -> None:
        """Leave a member out, and its row."""
        self.members = [m for m in self.members if m[0].filename != name]
        self.record = [line for line in self.record if not line.startswith(name)]

    def write(self, directory: Path) -> Path:
        """Write the wheel with its RECORD."""
        path = directory / FILENAME
        text = "".join([*self.record, f"{INFO}/RECORD,,\n"])
        record = text.encode("utf-8", "surrogateescape")
        info = zipfile.ZipInfo(f"{INFO}/RECORD", (2026, 1, 1, 0, 0, 0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # duplicate names are wanted here
            with zipfile.ZipFile(path, "w") as archive:
                for member, content in [*self.members, (info, record)]:
                    archive.writestr(member, content)
        return path


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


def hostile(name: str, *, mode: int = 0o100644) -> Callable[[Forge], None]:
    """Return what adds one member of a hostile name."""
    return lambda forge: forge.add(name, b"evil", mode=mode)


def unicode_clash(forge: Forge) -> None:
    """Add one name in two Unicode forms."""
    forge.add("demo/\u00e9.py", b"")
    forge.add("demo/e\u0301.py", b"")


def other_hash(forge: Forge) -> None:
    """Add a member whose row has the hash of another content."""
    forge.add("demo/x", b"one", recorded=False)
    forge.record.append(row("demo/x", b"two"))


def twice(forge: Forge) -> None:
    """Add one name two times."""
    forge.add("demo/a.py", b"one")
    forge.add("demo/a.py", b"one", recorded=False)


HOSTILE: dict[str, tuple[Callable[[Forge], object], str]] = {
    "absolute": (hostile("/etc/evil"), "absolute path"),
    "parent": (hostile("../evil"), "leaves its directory"),
    "parent inside": (hostile("demo/../../evil"), "leaves its directory"),
    "drive": (hostile("C:/evil"), "names a drive"),
    "drive relative": (hostile("C:evil"), "names a drive"),
    "drive inside": (hostile("demo/d:/evil"), "names a drive"),
    "backslash": (hostile("..\\evil"), "backslash"),
    "unc": (hostile("\\\\server\\evil"), "backslash"),
    "nul": (hostile("demo/evil\0.py"), "control character"),
    "newline": (hostile("demo/evil\n.py"), "control character"),
    "empty part": (hostile("demo//evil"), "empty part"),
    "dot part": (hostile("demo/./evil"), "empty part"),
    "symbolic link": (hostile("demo/evil", mode=0o120777), "symbolic link"),
    "device": (hostile("demo/evil", mode=0o020666), "neither a file nor"),
    "fifo": (hostile("demo/evil", mode=0o010666), "neither a file nor"),
    "case clash": (hostile("demo/__INIT__.py"), "differ only in case"),
    "directory case clash": (hostile("Demo/other.py"), "differ only in case"),
    "twice": (twice, "there twice"),
    "file and directory": (hostile("demo/__init__.py/evil"), "file and a directory"),
    "unicode clash": (unicode_clash, "differ only in case"),
    "directory with content": (hostile("demo/x/", mode=0o040755), "with content"),
    "not in RECORD": (
        lambda f: f.add("demo/evil.py", b"", recorded=False),
        "RECORD does not name",
    ),
    "missing": (
        lambda f: f.record.append(row("demo/gone.py", b"")),
        "which is missing",
    ),
    "other hash": (other_hash, "the hash of"),
    "other size": (
        lambda f: f.record.__setitem__(0, f.record[0].replace(",0\n", ",1\n")),
        "the size of",
    ),
    "no hash": (
        lambda f: f.record.__setitem__(0, "demo/__init__.py,,0\n"),
        "no secure hash",
    ),
    "weak hash": (
        lambda f: f.record.__setitem__(0, "demo/__init__.py,md5=abc,0\n"),
        "no secure hash",
    ),
    "two rows": (
        lambda f: f.record.append("demo/__init__.py,sha256=abc,0\n"),
        "twice",
    ),
    "columns": (lambda f: f.record.append("demo/x,\n"), "2 columns instead of 3"),
    "second dist-info": (
        lambda f: f.add("other-1.0.dist-info/METADATA", b""),
        "2 .dist-info directories",
    ),
    "no WHEEL": (lambda f: f.drop(f"{INFO}/WHEEL"), "WHEEL is missing"),
    "no METADATA": (lambda f: f.drop(f"{INFO}/METADATA"), "METADATA is missing"),
    "other METADATA": (
        lambda f: f.replace(f"{INFO}/METADATA", b"Name: evil\nVersion: 1.0\n"),
        "METADATA is that of evil 1.0",
    ),
    "bare METADATA": (
        lambda f: f.replace(f"{INFO}/METADATA", b"\nName: demo\n"),
        "no Name or no Version",
    ),
    "wheel 2": (
        lambda f: f.replace(f"{INFO}/WHEEL", b"Wheel-Version: 2.0\n"),
        "Wheel-Version is 2.0",
    ),
    "no wheel version": (
        lambda f: f.replace(f"{INFO}/WHEEL", b"Root-Is-Purelib: true\n"),
        "no Wheel-Version",
    ),
    "not text": (
        lambda f: f.replace(f"{INFO}/WHEEL", b"\xff\xfe"),
        "demo-1.0.dist-info/WHEEL is not UTF-8",
    ),
    "METADATA in latin-1": (
        lambda f: f.replace(f"{INFO}/METADATA", b"Name: d\xe9mo\nVersion: 1.0\n"),
        "demo-1.0.dist-info/METADATA is not UTF-8",
    ),
    "RECORD in latin-1": (
        lambda f: f.record.append("d\udce9mo.py,,\n"),
        "demo-1.0.dist-info/RECORD is not UTF-8",
    ),
    "entry points in UTF-16": (
        lambda f: f.add(
            f"{INFO}/entry_points.txt", "[console_scripts]\n".encode("utf-16")
        ),
        "demo-1.0.dist-info/entry_points.txt is not UTF-8",
    ),
    "unknown scheme": (hostile("demo-1.0.data/evil/x"), "no installation scheme"),
    "file for a scheme": (hostile("demo-1.0.data/scripts"), "no installation scheme"),
    "other data": (hostile("demo-2.0.data/scripts/x"), "is not demo-1.0.data"),
    "entry point path": (
        lambda f: f.add(f"{INFO}/entry_points.txt", b"[console_scripts]\n../x = a:b\n"),
        "leaves its directory",
    ),
    "entry point directory": (
        lambda f: f.add(f"{INFO}/entry_points.txt", b"[console_scripts]\nd/x = a:b\n"),
        "is not a file name",
    ),
    "entry point code": (
        lambda f: f.add(
            f"{INFO}/entry_points.txt", b"[gui_scripts]\nx = os:system('evil')\n"
        ),
        "not module:object",
    ),
    "entry point syntax": (
        lambda f: f.add(f"{INFO}/entry_points.txt", b"x = a:b\n"),
        "cannot be read",
    ),
    "entry point length": (
        lambda f: f.add(
            f"{INFO}/entry_points.txt",
            b"[console_scripts]\n" + b"x" * 300 + b" = a:b\n",
        ),
        "over 255 bytes",
    ),
    "long name": (hostile("demo/" + "\u00fc" * 128), "over 255 bytes"),
    "dist-info by data": (
        hostile("demo-1.0.data/purelib/other-1.0.dist-info/RECORD"),
        "part of a .dist-info",
    ),
    "own dist-info by data": (
        hostile("demo-1.0.data/platlib/demo-1.0.dist-info/polylock.json"),
        "part of a .dist-info",
    ),
}


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
