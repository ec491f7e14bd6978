"""Checks on untrusted archives: member names that stay in place, and bounded reads.

Hostile names are refused on every operating system. Names that only Windows reserves
(``aux.h`` is common in headers for Linux) are refused on Windows only.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import IO, Protocol

from polylock.values import Mutable, field

__all__ = [
    "DEEPEST_PATH",
    "LONGEST_PATH",
    "WINDOWS",
    "BoundedStream",
    "MemberNames",
    "Readable",
    "RefusedArchive",
    "check_path",
    "collision_key",
    "differ_in_case",
]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_RESERVED = re.compile(
    r"(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\..*)?",
    re.IGNORECASE,
)
_LONGEST = 255  # bytes; the file systems of Linux, macOS and Windows take no more
LONGEST_PATH = 2048
"""Characters of a path; Linux takes 4,096 with the directory that it is put into."""
DEEPEST_PATH = 100
"""Parts of a path; the deepest in real archives have about 30."""
WINDOWS = sys.platform == "win32"


class RefusedArchive(ValueError):
    """An archive that must not be unpacked; the message is a clause."""


def check_path(path: str, *, windows: bool = WINDOWS) -> None:
    """Raise RefusedArchive for a path that may leave its directory on some system."""
    if not path:
        raise RefusedArchive("a member has no name")
    if len(path) > LONGEST_PATH or path.count("/") >= DEEPEST_PATH:
        start = ascii(path[:_LONGEST])
        raise RefusedArchive(f"the member that begins with {start} has too long a path")
    shown = ascii(path)
    if _CONTROL.search(path):
        raise RefusedArchive(f"member {shown} has a control character in its name")
    if "\\" in path:
        raise RefusedArchive(f"member {shown} has a backslash in its name")
    if path.startswith("/"):
        raise RefusedArchive(f"member {shown} has an absolute path")
    for part in path.split("/"):
        _check_part(part, shown, windows=windows)


def _check_part(part: str, shown: str, *, windows: bool) -> None:
    """Raise RefusedArchive for a bad component of the path ``shown``."""
    if part == "..":
        raise RefusedArchive(f"member {shown} leaves its directory")
    if part in {"", "."}:
        raise RefusedArchive(f"member {shown} has an empty part in its name")
    if len(part.encode("utf-8", "surrogatepass")) > _LONGEST:
        raise RefusedArchive(f"member {shown} has a name of over {_LONGEST} bytes")
    if _DRIVE.match(part):
        raise RefusedArchive(f"member {shown} names a drive")
    if windows and (_RESERVED.fullmatch(part) or part[-1] in ". " or ":" in part):
        raise RefusedArchive(f"member {shown} has a name that Windows reserves")


def collision_key(path: str) -> str:
    """Return a key that is equal for paths that are one file on macOS or Windows.

    Such paths differ only in case or Unicode normalization.
    """
    return unicodedata.normalize("NFC", path).casefold()


class MemberNames(Mutable, kw_only=True):
    """The member names of one archive; no two may name the same place.

    With ``tells_case`` names that differ only in case or Unicode normalization are
    accepted, and ``clash`` is the first pair of them. With ``windows`` names that
    Windows reserves are refused.

    The names are kept as a tree of parts. Texts of all parents would take memory by the
    square of a name's length, and an archive may have names of 64 KiB.
    """

    tells_case: bool = False
    windows: bool = WINDOWS
    clash: tuple[str, str] | None = None
    _root: _Place = field(default_factory=lambda: _Place("", None, is_directory=True))
    _directories: dict[str, _Place] = field(default_factory=dict)
    """The direct parents of members by their paths, so that few names are walked."""

    def add(self, path: str, *, is_directory: bool) -> None:
        """Add a member; raises RefusedArchive as ``check_path`` does, and for a clash.

        A clash is a second member of the same name, a name that is both a file and a
        directory, or two names that differ only in case or Unicode normalization.
        """
        check_path(path, windows=self.windows)
        directory, _, name = path.rpartition("/")
        parent = self._directories.get(directory)
        if parent is None:
            parent = self._root
            for part in directory.split("/") if directory else ():
                parent = self._child(parent, part, is_directory=True)
                if not parent.is_directory:
                    raise RefusedArchive(
                        f"member {parent.path()!a} is a file and a directory"
                    )
            self._directories[directory] = parent
        found = parent.children.get(name)
        if found is None:
            self._child(parent, name, is_directory=is_directory)
        elif not (is_directory and found.is_directory):
            raise RefusedArchive(f"member {path!a} is there twice")

    def _child(self, parent: _Place, part: str, *, is_directory: bool) -> _Place:
        """Return the place of a part, a new one if there is none yet.

        Raises RefusedArchive for a new one if another differs from it only in case.
        """
        found = parent.children.get(part)
        if found is not None:
            return found
        child = _Place(part, parent, is_directory=is_directory)
        first = parent.folded.setdefault(collision_key(part), child)
        if first is not child:
            self._clash(first, child)
            if first.is_directory and is_directory:
                child.folded = first.folded
        parent.children[part] = child
        return child

    def _clash(self, first: _Place, second: _Place) -> None:
        pair = first.path(), second.path()
        if not self.tells_case:
            raise RefusedArchive(differ_in_case(*pair))
        self.clash = self.clash or pair


_NONE: dict[str, _Place] = {}
"""The children of every file; an archive may have half a million of them."""


class _Place:
    """A part of the member names: a file or a directory, and what is in it.

    ``folded`` has the first child of each collision key, and is shared by directories
    that are one on some file systems. A file has no children.
    """

    __slots__ = ("children", "folded", "is_directory", "parent", "part")

    def __init__(self, part: str, parent: _Place | None, *, is_directory: bool) -> None:
        self.part = part
        self.parent = parent
        self.is_directory = is_directory
        self.children: dict[str, _Place] = {} if is_directory else _NONE
        self.folded: dict[str, _Place] = {} if is_directory else _NONE

    def path(self) -> str:
        """Return the path of the place."""
        parts = []
        place = self
        while place.parent is not None:
            parts.append(place.part)
            place = place.parent
        return "/".join(reversed(parts))


def differ_in_case(first: str, second: str) -> str:
    """Return the clause for two members that are one file on some file systems."""
    return f"members {first!a} and {second!a} differ only in case"


class Readable(Protocol):
    """A readable, seekable stream, which may decompress as it reads."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        ...

    def seek(self, position: int, whence: int = 0, /) -> int:
        """Go to a position."""
        ...

    def tell(self) -> int:
        """Return the position."""
        ...


class BoundedStream:
    """A stream for ``tarfile`` with limits: a header may announce names of any length.

    Raises RefusedArchive for a read of more than ``at_once`` bytes and for a position
    beyond ``in_all``, as everything before it would be decompressed.
    """

    def __init__(
        self, stream: Readable | IO[bytes], *, at_once: int, in_all: int
    ) -> None:
        self._stream = stream
        self._at_once = at_once
        self._in_all = in_all

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""
        if not 0 <= size <= self._at_once:
            raise RefusedArchive("a header in it is too large")
        return self._stream.read(size)

    def tell(self) -> int:
        """Return the position."""
        return self._stream.tell()

    def seek(self, position: int, whence: int = 0, /) -> int:
        """Go to a position; everything before it is decompressed."""
        if position > self._in_all:
            raise RefusedArchive(f"it unpacks to more than {self._in_all} bytes")
        return self._stream.seek(position, whence)
