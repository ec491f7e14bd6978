"""Verified, resumable downloads.

An interrupted download is resumed, by this process or a later one, if the SHA-256 of
the file is known: only that detects parts of two different files.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Self

from polylock.errors import CacheUnusable, HashMismatch, PageInstead, SizeMismatch
from polylock.model.hashes import strongest, weak

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from polylock.model.distributions import RemoteFile

__all__ = ["CHUNK", "Check", "Partial"]

CHUNK = 1 << 20
"""Bytes per read of a file."""

_PAGE = re.compile(rb"\s*+<(?:!doctype html|html|head|body|title)\b", re.IGNORECASE)
"""The start of a web page, which no archive has."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class Check:
    """Verifies the bytes of a file against the size and hash that the index gives.

    ``algorithm`` is that of the secure hash, empty if the index gives none. A weak hash
    is verified too, but does not identify the file.
    """

    def __init__(self, file: RemoteFile) -> None:
        import hashlib  # noqa: PLC0415 - 2 ms, only for a download

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
            # MD5 detects damage only; some systems forbid it for security.
            self._digest = hashlib.new(self._checked, usedforsecurity=False)

    def update(self, chunk: bytes) -> None:
        """Add bytes; raises SizeMismatch as soon as there are too many."""
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
        """Return the SHA-256 of a valid file; raises SizeMismatch, HashMismatch."""
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
        """Raise PageInstead if the file is a web page."""
        if self._is_page:
            found = f"{self._checked}:{self._digest.hexdigest()}"
            wanted = f"{self._checked}:{self._wanted}"
            raise PageInstead(self._file.filename, wanted, found)


class Partial:
    """A partial download in the cache, for one process and thread at a time.

    ``headers`` request the missing bytes, and change with each part. ``resumed`` is
    true if the bytes came in more than one response. Every method raises CacheUnusable
    if the cache cannot be read or written.
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
        """Return the number of bytes so far."""
        return self._check.size

    def __enter__(self) -> Self:
        """Open the file and read the part that an earlier process left."""
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
            self.restart()  # complete, but an earlier process rejected it
        self.pause()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._opened.close()

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Return True if a response has the missing bytes, or all of them."""
        if status == 200:
            self.restart()  # the server does not support ranges
            return True
        if "content-encoding" in headers:
            return False  # a range of compressed bytes is no part of the file
        match = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        if status != 206 or match is None or not self.size:
            return False
        self.resumed = int(match[1]) == self.size
        return self.resumed

    def write(self, chunk: bytes) -> None:
        """Append bytes; raises SizeMismatch as soon as there are too many."""
        self._check.update(chunk)
        try:
            self._opened.write(chunk)
        except OSError as error:
            raise self._unusable(error) from error

    def pause(self) -> None:
        """Set the headers that request the missing bytes after a broken connection."""
        if self.size and self._by_ranges:
            self.headers["range"] = f"bytes={self.size}-"

    @property
    def requests_rest(self) -> bool:
        """Return True if ``headers`` request a range."""
        return "range" in self.headers

    def request_whole(self) -> None:
        """Request the whole file from now on; the bytes are kept until it arrives."""
        self._by_ranges = False
        self.headers.pop("range", None)

    def restart(self, *, by_ranges: bool = True) -> None:
        """Discard all bytes; without ``by_ranges`` no range is requested again."""
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
        """Return the SHA-256 of a valid file; raises SizeMismatch, HashMismatch."""
        sha256 = self._check.finish()
        try:
            self._opened.close()
        except OSError as error:
            raise self._unusable(error) from error
        return sha256

    def discard(self) -> None:
        """Remove the file."""
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
