"""Files of an index in the cache, verified while they come in.

A file lies under its SHA-256 and is there only if its bytes were checked. An index
that gives another hash, or none, is remembered in a note from that hash or URL to the
SHA-256; a note for a URL alone is revalidated like any answer of the index.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import msgspec

from polylock.cache.store import Bucket
from polylock.errors import (
    CacheUnusable,
    HashMismatch,
    IndexRequestError,
    Offline,
    SizeMismatch,
)
from polylock.model.hashes import strongest
from polylock.network.auth import redact
from polylock.network.client import status_error
from polylock.network.http_cache import CacheMode, Validators
from polylock.network.local_files import is_local, local_path
from polylock.ports import SilentReporter
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from polylock.cache.store import Store
    from polylock.model.distributions import RemoteFile
    from polylock.network.client import Client, Streaming
    from polylock.ports import Reporter

__all__ = ["Downloaded", "Downloader"]

logger = logging.getLogger(__name__)

_CHUNK = 1 << 20


class Downloaded(Value, frozen=True, kw_only=True):
    """A verified file, in the cache or where it lies on disk; ``size`` is in bytes."""

    path: Path
    sha256: str
    size: int


class _Note(msgspec.Struct, frozen=True, array_like=True):
    """Which file a hash of another kind, or a URL, stands for."""

    sha256: str
    size: int
    validators: Validators | None = None


_decoder = msgspec.msgpack.Decoder(_Note)
_encoder = msgspec.msgpack.Encoder()


class Downloader:
    """Fetches files; safe to use from many threads and processes.

    Two that fetch the same file at once both fetch it, and the last one stays.
    """

    def __init__(
        self,
        store: Store,
        client: Client,
        *,
        mode: CacheMode = CacheMode.NORMAL,
        reporter: Reporter | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._client = client
        self._mode = mode
        self._reporter = reporter or SilentReporter()
        self._clock = clock
        self._started = clock()
        self._directory = store.root / Bucket.FILES.directory

    def cached(self, file: RemoteFile) -> Downloaded | None:
        """Return the file if it is in the cache and no request is needed."""
        wanted = strongest(file.hashes)
        if wanted is not None and wanted[0] == "sha256":
            return self._present(wanted[1], file.size)
        note = self._note(file)
        if note is None or not self._holds(note):
            return None
        return self._present(note.sha256, file.size or note.size)

    def fetch(self, file: RemoteFile) -> Downloaded:
        """Return the file, downloading it where the cache lacks it.

        Verifies the strongest hash and the size that the index gives; a file without
        a secure hash is taken as it is, and its SHA-256 computed. A file that lies on
        this disk is verified and stays where it is. Raises HashMismatch,
        SizeMismatch, Offline, IndexRequestError, CacheUnusable.
        """
        if is_local(file.url):
            return _verify(file)
        found = self.cached(file)
        if found is not None:
            self._client.traffic.count(from_cache=1)
            return found
        if self._mode is CacheMode.OFFLINE:
            raise Offline(redact(file.url), None, "not in the cache")
        # Only a note for a URL can be out of date; the rest names the bytes.
        note = self._note(file) if strongest(file.hashes) is None else None
        old = self._present(note.sha256, file.size) if note is not None else None
        validators = note.validators if note is not None and old is not None else None

        def consume(answer: Streaming) -> Downloaded:
            if answer.status == 304 and old is not None and validators is not None:
                renewed = validators.renewed(answer.headers, self._clock())
                self._write_note(file, old, renewed)
                self._client.traffic.count(revalidated=1)
                return old
            if answer.status != 200:
                raise status_error(answer.url, answer.status)
            return self._receive(file, answer)

        conditions = validators.conditions if validators is not None else {}
        # Uncompressed, so that the bytes are those of the file.
        headers = {"accept-encoding": "identity", **conditions}
        return self._client.stream(file.url, consume, headers=headers)

    def discard(self, sha256: str) -> None:
        """Forget a file that turned out to be damaged on disk."""
        self._store.remove(Bucket.FILES, sha256)

    def _receive(self, file: RemoteFile, answer: Streaming) -> Downloaded:
        self._reporter.fetching(file.filename, file.size)
        check = _Check(file)
        with self._store.pending_file(self._directory) as pending:
            for chunk in answer.chunks:
                check.update(chunk)
                pending.file.write(chunk)
                self._reporter.received(file.filename, len(chunk))
            sha256 = check.finish()
            path = pending.target = self._store.path(Bucket.FILES, sha256)
        downloaded = Downloaded(path=path, sha256=sha256, size=check.size)
        if check.algorithm == "":
            validators = Validators.of(answer.headers, self._clock())
            if validators is not None:
                self._write_note(file, downloaded, validators)
        elif check.algorithm != "sha256":
            self._write_note(file, downloaded, None)
        self._reporter.fetched(file.filename)
        return downloaded

    def _present(self, sha256: str, size: int | None) -> Downloaded | None:
        """Return a file that is in the cache, unless its size is wrong by now."""
        path = self._store.path(Bucket.FILES, sha256)
        try:
            found = path.stat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CacheUnusable(str(path), error.strerror or "unreadable") from error
        if size is not None and size != found:
            return None
        return Downloaded(path=path, sha256=sha256, size=found)

    def _holds(self, note: _Note) -> bool:
        return note.validators is None or note.validators.is_fresh(
            self._mode, started=self._started, now=self._clock()
        )

    def _note(self, file: RemoteFile) -> _Note | None:
        content = self._store.read(Bucket.DOWNLOADS, _note_key(file))
        try:
            return None if content is None else _decoder.decode(content)
        except msgspec.DecodeError:
            return None

    def _write_note(
        self, file: RemoteFile, downloaded: Downloaded, validators: Validators | None
    ) -> None:
        note = _Note(downloaded.sha256, downloaded.size, validators)
        self._store.write(Bucket.DOWNLOADS, _note_key(file), _encoder.encode(note))


def _verify(file: RemoteFile) -> Downloaded:
    """Check a file on disk; raises HashMismatch, SizeMismatch, IndexRequestError."""
    path = local_path(file.url)
    if path is None:
        raise IndexRequestError(file.url, None, "is no path of this machine")
    check = _Check(file)
    try:
        with path.open("rb") as content:
            while chunk := content.read(_CHUNK):
                check.update(chunk)
    except OSError as error:
        problem = error.strerror or str(error)
        raise IndexRequestError(file.url, None, problem) from error
    return Downloaded(path=path, sha256=check.finish(), size=check.size)


class _Check:
    """Compares what comes in with what the index says of a file."""

    def __init__(self, file: RemoteFile) -> None:
        import hashlib  # noqa: PLC0415 - 2 ms, where a file is fetched

        self._file = file
        self.size = 0
        self.algorithm, self._wanted = strongest(file.hashes) or ("", "")
        self._sha256 = hashlib.sha256()
        self._digest = self._sha256
        if self.algorithm not in {"", "sha256"}:
            self._digest = hashlib.new(self.algorithm)

    def update(self, chunk: bytes) -> None:
        """Take in some bytes; raises SizeMismatch as soon as there are too many."""
        self.size += len(chunk)
        if self._file.size is not None and self.size > self._file.size:
            raise SizeMismatch(self._file.filename, self._file.size, self.size)
        self._sha256.update(chunk)
        if self._digest is not self._sha256:
            self._digest.update(chunk)

    def finish(self) -> str:
        """Return the SHA-256 of a good file; raises SizeMismatch, HashMismatch."""
        if self._file.size is not None and self.size != self._file.size:
            raise SizeMismatch(self._file.filename, self._file.size, self.size)
        found = self._digest.hexdigest()
        if self._wanted and found != self._wanted:
            algorithm = self.algorithm
            raise HashMismatch(
                self._file.filename,
                f"{algorithm}:{self._wanted}",
                f"{algorithm}:{found}",
            )
        return self._sha256.hexdigest()


def _note_key(file: RemoteFile) -> str:
    wanted = strongest(file.hashes)
    return f"{wanted[0]}:{wanted[1]}" if wanted else redact(file.url)
