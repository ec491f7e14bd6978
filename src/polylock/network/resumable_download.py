"""Bytes of a file as they come in: compared with what is known, and kept to go on.

A download that breaks off is taken up where it ended, by this process or by a later
one, if the SHA-256 of the whole is known: without it, two halves of two files could
not be told from one file.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from polylock.errors import CacheUnusable, HashMismatch, PageInstead, SizeMismatch
from polylock.model.hashes import strongest, weak

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

    from polylock.model.distributions import RemoteFile

__all__ = ["CHUNK", "Check", "Partial"]

CHUNK = 1 << 20
"""How many bytes are read from a file at once."""

_PAGE = re.compile(rb"\s*+<(?:!doctype html|html|head|body|title)\b", re.IGNORECASE)
"""How a web page begins, and no archive does."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class Check:
    """Compares what comes in with what the index says of a file.

    ``algorithm`` is that of the secure hash which names the file, empty where the
    index gives none: a weak hash is compared as well, but is nobody's word for it.
    """

    def __init__(self, file: RemoteFile) -> None:
        import hashlib  # noqa: PLC0415 - 2 ms, where a file is fetched

        self._file = file
        self.size = 0
        self._is_page = False
        secure = strongest(file.hashes)
        self.algorithm = secure[0] if secure is not None else ""
        checked = secure or weak(file.hashes) or ("sha256", "")
        self._checked, self._wanted = checked
        self._sha256 = hashlib.sha256()
        self._digest = self._sha256
        if self._checked != "sha256":
            # MD5 for damage on the way, where the system forbids it for more.
            self._digest = hashlib.new(self._checked, usedforsecurity=False)

    def update(self, chunk: bytes) -> None:
        """Take in some bytes; raises SizeMismatch as soon as there are too many."""
        if not self.size:
            self._is_page = _PAGE.match(chunk) is not None
        self.size += len(chunk)
        if self._file.size is not None and self.size > self._file.size:
            self._refuse_page()
            raise SizeMismatch(self._file.filename, self._file.size, self.size)
        self._sha256.update(chunk)
        if self._digest is not self._sha256:
            self._digest.update(chunk)

    def finish(self) -> str:
        """Return the SHA-256 of a good file; raises SizeMismatch, HashMismatch."""
        if self._file.size is not None and self.size != self._file.size:
            self._refuse_page()
            raise SizeMismatch(self._file.filename, self._file.size, self.size)
        found = self._digest.hexdigest()
        if found != self._wanted:
            self._refuse_page()
        if self._wanted and found != self._wanted:
            raise HashMismatch(
                self._file.filename,
                f"{self._checked}:{self._wanted}",
                f"{self._checked}:{found}",
            )
        return self._sha256.hexdigest()

    def _refuse_page(self) -> None:
        """Raise PageInstead where what came is a web page: no distribution is one."""
        if self._is_page:
            found = f"{self._checked}:{self._digest.hexdigest()}"
            wanted = f"{self._checked}:{self._wanted}"
            raise PageInstead(self._file.filename, wanted, found)


class Partial:
    """The beginning of a file in the cache, for one process and thread at a time.

    ``headers`` ask for the rest of it; they change with what has come. ``resumed``
    tells that not all bytes came in one answer. Every method raises CacheUnusable
    where the cache cannot be read or written.
    """

    def __init__(self, path: Path, file: RemoteFile) -> None:
        self.path = path
        # Uncompressed, so that the bytes are those of the file.
        self.headers = {"accept-encoding": "identity"}
        self.resumed = False
        self._remote = file
        self._check = Check(file)
        self._file: BinaryIO | None = None
        self._by_ranges = True

    @property
    def size(self) -> int:
        """Return how many bytes have come."""
        return self._check.size

    def __enter__(self) -> Self:
        """Open the file and read what an earlier process left of it."""
        try:
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._file = os.fdopen(os.open(self.path, flags, 0o666), "r+b")
            while chunk := self._file.read(CHUNK):
                self._check.update(chunk)
        except SizeMismatch:
            self.restart()
        except OSError as error:
            raise self._unusable(error) from error
        if self.size == self._remote.size:
            self.restart()  # all of it, and yet not taken for good
        self.pause()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._opened.close()

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Return whether an answer brings what is wanted: the rest, or all."""
        if status == 200:
            self.restart()  # a server that knows no ranges
            return True
        if "content-encoding" in headers:
            return False  # a part of the compressed bytes is none of the file's
        match = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        if status != 206 or match is None or not self.size:
            return False
        self.resumed = int(match[1]) == self.size
        return self.resumed

    def write(self, chunk: bytes) -> None:
        """Take in some bytes; raises SizeMismatch as soon as there are too many."""
        self._check.update(chunk)
        try:
            self._opened.write(chunk)
        except OSError as error:
            raise self._unusable(error) from error

    def pause(self) -> None:
        """Get ready to ask for the rest, for the connection may have broken."""
        if self.size and self._by_ranges:
            self.headers["range"] = f"bytes={self.size}-"

    @property
    def asks_for_rest(self) -> bool:
        """Return whether ``headers`` ask for a range."""
        return "range" in self.headers

    def ask_whole(self) -> None:
        """Ask for the whole file from now on; what has come stays until it begins."""
        self._by_ranges = False
        self.headers.pop("range", None)

    def restart(self, *, by_ranges: bool = True) -> None:
        """Forget what has come; without ``by_ranges`` no rest is asked for again."""
        self._check = Check(self._remote)
        self._by_ranges = by_ranges and self._by_ranges
        self.headers.pop("range", None)
        self.resumed = False
        try:
            self._opened.seek(0)
            self._opened.truncate()
        except OSError as error:
            raise self._unusable(error) from error

    def finish(self) -> str:
        """Return the SHA-256 of a good file; raises SizeMismatch, HashMismatch."""
        sha256 = self._check.finish()
        try:
            self._opened.close()
        except OSError as error:
            raise self._unusable(error) from error
        return sha256

    def discard(self) -> None:
        """Remove the file: nothing of it is worth keeping."""
        with suppress(OSError):
            self._opened.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    @property
    def _opened(self) -> BinaryIO:
        assert self._file is not None
        return self._file

    def _unusable(self, error: OSError) -> CacheUnusable:
        return CacheUnusable(str(self.path), error.strerror or type(error).__name__)
