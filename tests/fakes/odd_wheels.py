"""Wheels that no build backend would write: refused, repaired, or taken as they are.

Who locks and who installs must agree on them.
"""

from __future__ import annotations

import base64
import hashlib
import warnings
import zipfile
from typing import TYPE_CHECKING

from polylock.model.wheel_faults import FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = [
    "CLASHES",
    "FILENAME",
    "HOSTILE",
    "INFO",
    "PIP_INSTALLS",
    "REPAIRED",
    "TAKEN",
    "UV_INSTALLS",
    "UV_REFUSES",
    "Forge",
    "row",
]

INFO = "demo-1.0.dist-info"
FILENAME = "demo-1.0-py3-none-any.whl"


def row(path: str, content: bytes) -> str:
    """Return the line of RECORD for a file."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return f"{path},sha256={digest.rstrip(b'=').decode()},{len(content)}\n"


class Forge:
    """Writes wheels that no build backend would.

    ``text`` replaces RECORD as a whole, ``compression`` is how members are packed.
    """

    def __init__(self, name: str = "demo") -> None:
        self.name = name
        self.info = f"{name}-1.0.dist-info"
        self.members: list[tuple[zipfile.ZipInfo, bytes]] = []
        self.record: list[str] = []
        self.text: bytes | None = None
        self.compression = zipfile.ZIP_STORED
        self.add(f"{name}/__init__.py", b"")
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        self.add(f"{self.info}/METADATA", metadata.encode())
        tags = b"Root-Is-Purelib: true\nTag: py3-none-any\n"
        self.add(f"{self.info}/WHEEL", b"Wheel-Version: 1.0\n" + tags)

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

    def add_row(self, path: str, content: bytes) -> None:
        """Add a row to RECORD."""
        self.record.append(row(path, content))

    def change(self, old: str, new: str) -> None:
        """Replace a part of the first row of RECORD, that of ``__init__.py``."""
        self.record[0] = self.record[0].replace(old, new)

    def write(self, directory: Path) -> Path:
        """Write the wheel with its RECORD."""
        path = directory / FILENAME.replace("demo", self.name)
        record = "".join([*self.record, f"{self.info}/RECORD,,\n"]).encode()
        info = zipfile.ZipInfo(f"{self.info}/RECORD", (2026, 1, 1, 0, 0, 0))
        members = [*self.members, (info, record if self.text is None else self.text)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # duplicate names are wanted here
            with zipfile.ZipFile(path, "w") as archive:
                for member, content in members:
                    if content is not NOTHING:
                        member.compress_type = self.compression
                        archive.writestr(member, content)
        return path


NOTHING = b"no such member"


def hostile(name: str, *, mode: int = 0o100644) -> Callable[[Forge], None]:
    """Return what adds one member of a hostile name."""
    return lambda forge: forge.add(name, b"evil", mode=mode)


def twice(forge: Forge) -> None:
    """Add one name two times."""
    forge.add("demo/a.py", b"one")
    forge.add("demo/a.py", b"two", recorded=False)


def below_a_link(forge: Forge) -> None:
    """Add a link to a directory, and a file in it."""
    forge.add("demo/link", b"/", mode=0o120777)
    forge.add("demo/link/evil", b"")


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
    "parent that stays inside": (hostile("demo/../evil"), "leaves its directory"),
    "twice, with other content": (twice, "there twice, and differs"),
    "file below a link": (below_a_link, "a file and a directory"),
    "file and directory": (hostile("demo/__init__.py/evil"), "file and a directory"),
    "no RECORD": (lambda f: setattr(f, "text", NOTHING), "RECORD is missing"),
    "RECORD is not text": (
        lambda f: setattr(f, "text", b"\xff,,\n"),
        "demo-1.0.dist-info/RECORD is not UTF-8",
    ),
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
        lambda f: f.replace(
            f"{INFO}/METADATA",
            "Name: demo\nVersion: 1.0\nAuthor: Andr\xe9\n".encode("latin-1"),
        ),
        "demo-1.0.dist-info/METADATA is not UTF-8",
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
    "long path": (hostile("demo/" + "/".join(["a" * 200] * 11)), "too long a path"),
    "deep path": (hostile("demo" + "/a" * 100), "too long a path"),
    "pyvenv.cfg by data": (hostile("demo-1.0.data/data/pyvenv.cfg"), "would replace"),
    "state by data": (hostile("demo-1.0.data/data/polylock.json"), "would replace"),
    "Python by scripts": (
        hostile("demo-1.0.data/scripts/python3"),
        "would replace python3 of the environment",
    ),
    "Python by data": (
        hostile("demo-1.0.data/data/bin/python3.12"),
        "would replace python3.12 of the environment",
    ),
    "Python by data on Windows": (
        hostile("demo-1.0.data/data/Scripts/Python.exe"),
        "would replace Python.exe of the environment",
    ),
    "entry point python": (
        lambda f: f.add(
            f"{INFO}/entry_points.txt", b"[console_scripts]\npython = a:b\n"
        ),
        "would replace python of the environment",
    ),
    "dist-info by data": (
        hostile("demo-1.0.data/purelib/other-1.0.dist-info/RECORD"),
        "part of a .dist-info",
    ),
    "own dist-info by data": (
        hostile("demo-1.0.data/platlib/demo-1.0.dist-info/polylock.json"),
        "part of a .dist-info",
    ),
}


def put(
    name: str, content: bytes = b"x", *, mode: int = 0o100644, recorded: bool = True
) -> Callable[[Forge], None]:
    """Return what adds a member; ``{}`` is the project."""
    return lambda forge: forge.add(
        name.format(forge.name), content, mode=mode, recorded=recorded
    )


def copies(forge: Forge) -> None:
    """Add one name and content two times."""
    forge.add(f"{forge.name}/a.py", b"one")
    forge.add(f"{forge.name}/a.py", b"one", recorded=False)


def other_hash(forge: Forge) -> None:
    """Add a member whose row has the hash of another content."""
    forge.add(f"{forge.name}/x", b"one", recorded=False)
    forge.add_row(f"{forge.name}/x", b"two")


def normal_row(forge: Forge) -> None:
    """Add a member with a path that is not normal, and a row whose path is."""
    forge.add(f"{forge.name}/./x", b"x", recorded=False)
    forge.add_row(f"{forge.name}/x", b"x")


REPAIRED: dict[str, tuple[Callable[[Forge], object], FaultKind]] = {
    "not in RECORD": (put("{}/x", recorded=False), FaultKind.UNLISTED),
    "empty RECORD": (lambda f: setattr(f, "text", b""), FaultKind.UNLISTED),
    "missing": (lambda f: f.add_row(f"{f.name}/gone.py", b""), FaultKind.ABSENT),
    "row for a place outside": (lambda f: f.add_row("../../x", b""), FaultKind.ABSENT),
    "row for an absolute path": (lambda f: f.add_row("/etc/x", b""), FaultKind.ABSENT),
    "other hash": (other_hash, FaultKind.OTHER_HASH),
    "other size": (lambda f: f.change(",0\n", ",1\n"), FaultKind.OTHER_SIZE),
    "no hash": (
        lambda f: f.record.__setitem__(0, f"{f.name}/__init__.py,,0\n"),
        FaultKind.NO_HASH,
    ),
    "weak hash": (lambda f: f.change("sha256=", "md5="), FaultKind.NO_HASH),
    "unknown hash": (lambda f: f.change("sha256=", "x="), FaultKind.NO_HASH),
    "two rows": (
        lambda f: f.add_row(f"{f.name}/__init__.py", b"other"),
        FaultKind.LISTED_TWICE,
    ),
    "two columns": (lambda f: f.change(",0\n", "\n"), FaultKind.COLUMNS),
    "four columns": (lambda f: f.change(",0\n", ",0,x\n"), FaultKind.COLUMNS),
    "dot part": (put("{}/./x"), FaultKind.SPELLING),
    "dot part without a row": (normal_row, FaultKind.SPELLING),
    "leading dot": (put("./{}/x"), FaultKind.SPELLING),
    "empty part": (put("{}//x"), FaultKind.SPELLING),
    "twice, with the same content": (copies, FaultKind.TWICE),
    "symbolic link": (put("{}/x", b"/etc/x", mode=0o120777), FaultKind.SPECIAL),
    "device": (put("{}/x", b"", mode=0o020666), FaultKind.SPECIAL),
    "fifo": (put("{}/x", b"", mode=0o010666), FaultKind.SPECIAL),
    "directory with content": (
        put("{}/x/", mode=0o040755, recorded=False),
        FaultKind.CONTENT,
    ),
}
"""What pip installs although it is wrong."""


def in_case(forge: Forge) -> None:
    """Add names that differ only in case."""
    forge.add(f"{forge.name}/a.py", b"a")
    forge.add(f"{forge.name}/A.py", b"A")


def directories_in_case(forge: Forge) -> None:
    """Add directories whose names differ only in case."""
    forge.add(f"{forge.name}/a/x", b"a")
    forge.add(f"{forge.name}/A/y", b"A")


def in_unicode(forge: Forge) -> None:
    """Add one name in two Unicode forms."""
    forge.add(f"{forge.name}/\u00e9.py", b"a")
    forge.add(f"{forge.name}/e\u0301.py", b"b")


def commented(forge: Forge) -> None:
    """Add an entry point with a comment."""
    value = f"[console_scripts]\nrun-{forge.name} = {forge.name}:main  # runs\n"
    forge.add(f"{forge.info}/entry_points.txt", value.encode())


CLASHES = {
    "names that differ in case": in_case,
    "directories that differ in case": directories_in_case,
    "names that differ in Unicode form": in_unicode,
}
"""Refused where the file system does not tell the names apart."""

TAKEN: dict[str, Callable[[Forge], object]] = {
    **CLASHES,
    "two equal rows": lambda f: f.record.append(f.record[0]),
    "row that begins with a dot": lambda f: f.record.__setitem__(0, f"./{f.record[0]}"),
    "backslashes in RECORD": lambda f: f.change("/", "\\"),
    "row for RECORD with a hash": lambda f: f.add_row(f"{f.info}/RECORD", b""),
    "signatures without rows": put("{}-1.0.dist-info/RECORD.jws", recorded=False),
    "entry point with a comment": commented,
    "bzip2": lambda f: setattr(f, "compression", zipfile.ZIP_BZIP2),
    "LZMA": lambda f: setattr(f, "compression", zipfile.ZIP_LZMA),
}
"""What is unusual and right."""


PIP_INSTALLS = frozenset(
    {
        "long path",
        "deep path",
        "drive",
        "drive relative",
        "drive inside",
        "backslash",
        "unc",
        "nul",
        "newline",
        "parent that stays inside",
        "twice, with other content",
        "other data",
        "entry point directory",
        "entry point code",
        "entry point syntax",
        "pyvenv.cfg by data",
        "state by data",
        "Python by scripts",
        "Python by data",
        "Python by data on Windows",
        "entry point python",
        "dist-info by data",
        "own dist-info by data",
    }
)
"""What pip 26.3 installs although it is refused here, asked on Linux."""

UV_INSTALLS = frozenset(
    {
        "long path",
        "deep path",
        "absolute",
        "parent",
        "parent inside",
        "drive",
        "drive relative",
        "drive inside",
        "backslash",
        "unc",
        "parent that stays inside",
        "twice, with other content",
        "METADATA in latin-1",
        "other data",
        "pyvenv.cfg by data",
        "state by data",
        "Python by data on Windows",
        "dist-info by data",
        "own dist-info by data",
    }
)
"""What uv 0.13.9 installs although it is refused here, asked on Linux."""

UV_REFUSES = frozenset(
    {
        "two columns",
        "four columns",
        "entry point with a comment",
        "bzip2",
        "LZMA",
    }
)
"""What uv 0.13.9 refuses, and pip and polylock install."""
