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
WINDOWS = sys.platform == "win32"


class RefusedArchive(ValueError):
    """An archive that must not be unpacked; the message is a clause."""


def check_path(path: str, *, windows: bool = WINDOWS) -> None:
    """Raise RefusedArchive for a path that may leave its directory on some system."""
    shown = ascii(path)
    if not path:
        raise RefusedArchive("a member has no name")
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
    """

    tells_case: bool = False
    windows: bool = WINDOWS
    clash: tuple[str, str] | None = None
    _spellings: dict[str, str] = field(default_factory=dict)
    _kinds: dict[str, bool] = field(default_factory=dict)

    def add(self, path: str, *, is_directory: bool) -> None:
        """Add a member; raises RefusedArchive as ``check_path`` does, and for a clash.

        A clash is a second member of the same name, a name that is both a file and a
        directory, or two names that differ only in case or Unicode normalization.
        """
        check_path(path, windows=self.windows)
        if path in self._kinds and not (is_directory and self._kinds[path]):
            raise RefusedArchive(f"member {path!a} is there twice")
        self._check_spelling(path)
        self._add_kinds(path, is_directory=is_directory)

    def _check_spelling(self, path: str) -> None:
        """Raise RefusedArchive for a path whose collision key another path has."""
        while path:
            key = collision_key(path)
            other = self._spellings.get(key)
            if other == path:
                return  # its parents were checked with it
            self._spellings[key] = path
            if other is not None:
                if not self.tells_case:
                    raise RefusedArchive(differ_in_case(other, path))
                self.clash = self.clash or (other, path)
            path = path.rpartition("/")[0]

    def _add_kinds(self, path: str, *, is_directory: bool) -> None:
        """Record directories; raise RefusedArchive for one that is also a file."""
        self._kinds[path] = is_directory
        parent = path.rpartition("/")[0]
        while parent:
            if not self._kinds.setdefault(parent, True):
                raise RefusedArchive(f"member {parent!a} is a file and a directory")
            parent = parent.rpartition("/")[0]


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
