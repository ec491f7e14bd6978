"""Names of archive members that stay in their place.

Hostile names are refused, the same ones on every operating system. Names that only
Windows reserves (``aux.h`` is common in headers for Linux) are refused on Windows.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass, field

__all__ = [
    "WINDOWS",
    "MemberNames",
    "RefusedArchive",
    "check_path",
    "differ_in_case",
    "folded",
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
    """An archive that must not be unpacked; the text is a clause with the reason."""


def check_path(path: str, *, windows: bool = WINDOWS) -> None:
    """Refuse a path that leaves its directory, or may do so on some system.

    Raises RefusedArchive.
    """
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
    """Refuse one component of the path that is shown."""
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


def folded(path: str) -> str:
    """Return what is the same for all paths that are one on macOS or Windows.

    Those differ in case, or in the Unicode form of what looks alike.
    """
    return unicodedata.normalize("NFC", path).casefold()


@dataclass(slots=True, kw_only=True)
class MemberNames:
    """The members of one archive so far: no two of them may be one place.

    With ``tells_case`` names that differ only in case or Unicode form are accepted, and
    ``clash`` is a pair of them. With ``windows`` names that it reserves are refused.
    """

    tells_case: bool = False
    windows: bool = WINDOWS
    clash: tuple[str, str] | None = None
    _spellings: dict[str, str] = field(default_factory=dict)
    _kinds: dict[str, bool] = field(default_factory=dict)

    def add(self, path: str, *, is_directory: bool) -> None:
        """Take in a member, refusing what ``check_path`` does and clashes.

        Those are two members of one place, a place that is a file and a directory,
        and names that differ only in case or Unicode form, which are one file on
        macOS and Windows. Raises RefusedArchive.
        """
        check_path(path, windows=self.windows)
        if path in self._kinds and not (is_directory and self._kinds[path]):
            raise RefusedArchive(f"member {path!a} is there twice")
        self._check_spelling(path)
        self._add_kinds(path, is_directory=is_directory)

    def _check_spelling(self, path: str) -> None:
        """Refuse or note a path whose every-system form is that of another path."""
        while path:
            key = folded(path)
            other = self._spellings.get(key)
            if other == path:
                return  # its parents have been seen as well
            self._spellings[key] = path
            if other is not None:
                if not self.tells_case:
                    raise RefusedArchive(differ_in_case(other, path))
                self.clash = self.clash or (other, path)
            path = path.rpartition("/")[0]

    def _add_kinds(self, path: str, *, is_directory: bool) -> None:
        """Note what is a directory, and refuse a path that is that and a file."""
        self._kinds[path] = is_directory
        parent = path.rpartition("/")[0]
        while parent:
            if not self._kinds.setdefault(parent, True):
                raise RefusedArchive(f"member {parent!a} is a file and a directory")
            parent = parent.rpartition("/")[0]


def differ_in_case(first: str, second: str) -> str:
    """Return the reason why two members cannot be files of one file system."""
    return f"members {first!a} and {second!a} differ only in case"
