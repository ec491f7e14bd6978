"""Downloads into the cache, verified while they arrive.

A file is stored under its SHA-256, and only after its hash was checked. If an index
gives another hash or none, a note maps that hash or the URL to the SHA-256; a note for
a URL is revalidated like any response of the index.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import msgspec

from polylock.cache.regular_files import open_regular
from polylock.cache.store import Bucket, Store
from polylock.errors import (
    CacheUnusable,
    FileCorrupt,
    IndexRequestError,
    Offline,
)
from polylock.model.hashes import strongest
from polylock.network.answers import Streaming, status_error
from polylock.network.auth import redact
from polylock.network.http_cache import CacheMode, Validators
from polylock.network.local_files import is_local, local_path
from polylock.network.resumable_download import CHUNK, Check, Partial
from polylock.ports import Reporter, SilentReporter
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from polylock.model.distributions import RemoteFile
    from polylock.network.client import Client

__all__ = ["Downloaded", "Downloader"]

logger = logging.getLogger(__name__)


class Downloaded(Value, frozen=True, kw_only=True):
    """A verified file, in the cache or a local one; ``size`` is in bytes."""

    path: Path
    sha256: str
    size: int


class _Note(msgspec.Struct, frozen=True, array_like=True):
    """The file that another hash, or a URL, stands for."""

    sha256: str
    size: int
    validators: Validators | None = None


_decoder = msgspec.msgpack.Decoder(_Note)
_encoder = msgspec.msgpack.Encoder()


class Downloader:
    """Downloads files; safe for use by many threads and processes.

    A file of known SHA-256 is downloaded once: a second thread or process waits and
    uses it, and an interrupted download is resumed. Any other file is downloaded by
    each, and the last one wins.
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
        """Return the file; download it if it is not in the cache.

        Verifies the strongest hash and the size that the index gives, and computes the
        SHA-256 if the index gives another hash or none. A local file is verified, not
        copied. Raises HashMismatch, SizeMismatch, Offline, IndexRequestError,
        CacheUnusable.
        """
        if is_local(file.url):
            return _verify(file)
        found = self.cached(file)
        if found is not None:
            self._client.traffic.count(from_cache=1)
            return found
        if self._mode is CacheMode.OFFLINE:
            raise Offline(redact(file.url), None, "not in the cache")
        wanted = strongest(file.hashes)
        if wanted is None or wanted[0] != "sha256":
            return self._fetch_unkeyed(file)
        with self._store.exclusive(f"{wanted[1]}.file"):
            # Another thread or process may have downloaded it meanwhile.
            found = self.cached(file)
            if found is None:
                return self._fetch_once(file, wanted[1])
        self._client.traffic.count(from_cache=1)
        return found

    def _fetch_once(self, file: RemoteFile, sha256: str) -> Downloaded:
        """Download a file of known SHA-256; an interrupted download is resumed."""
        self._store.make_directory(self._directory)
        # ``prune`` removes old files with this prefix.
        place = self._directory / f".tmp-{sha256}"
        with Partial(place, file) as partial:
            self._reporter.fetching(file.filename, file.size)
            try:
                self._complete(file, partial)
                target = self._store.path(Bucket.FILES, sha256)
                self._store.move(place, target)
            except (FileCorrupt, CacheUnusable):
                partial.discard()
                raise
        self._reporter.fetched(file.filename)
        return Downloaded(path=target, sha256=sha256, size=partial.size)

    def _complete(self, file: RemoteFile, partial: Partial) -> None:
        """Download and verify the missing bytes; start over if they do not fit."""
        try:
            self._download(file, partial)
        except FileCorrupt:
            if not partial.resumed:
                raise
            # The parts were not of one file.
            partial.restart(by_ranges=False)
            self._download(file, partial)

    def _download(self, file: RemoteFile, partial: Partial) -> None:
        """Request the missing bytes until the file is complete, and verify it."""

        def consume(answer: Streaming) -> bool:
            if not partial.begin(answer.status, answer.headers):
                if not partial.requests_rest:
                    raise status_error(answer.url, answer.status)
                return False
            try:
                for chunk in answer.chunks:
                    partial.write(chunk)
                    self._reporter.received(file.filename, len(chunk))
            finally:
                partial.pause()
            return True

        if partial.size:
            self._reporter.received(file.filename, partial.size)
        if not self._received_rest(file, consume, partial):
            # A refused range says nothing about the whole file.
            partial.request_whole()
            self._client.stream(file.url, consume, headers=partial.headers)
        partial.finish()

    def _received_rest(
        self, file: RemoteFile, consume: Callable[[Streaming], bool], partial: Partial
    ) -> bool:
        """Make one request; return False if the server refused a range."""
        try:
            return self._client.stream(file.url, consume, headers=partial.headers)
        except IndexRequestError as error:
            if error.status is None or not partial.requests_rest:
                raise
            return False

    def _fetch_unkeyed(self, file: RemoteFile) -> Downloaded:
        """Download a file whose SHA-256 is not known."""
        # Only a note for a URL can be out of date; one for a hash cannot.
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
        """Remove a file that is damaged on disk."""
        self._store.remove(Bucket.FILES, sha256)

    def _receive(self, file: RemoteFile, answer: Streaming) -> Downloaded:
        self._reporter.fetching(file.filename, file.size)
        check = Check(file)
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
        """Return a file of the cache, None if it is absent or has the wrong size."""
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
        raise IndexRequestError(file.url, None, "is not a path on this machine")
    check = Check(file)
    try:
        with open_regular(path) as content:
            while chunk := content.read(CHUNK):
                check.update(chunk)
    except OSError as error:
        problem = error.strerror or str(error)
        raise IndexRequestError(file.url, None, problem) from error
    return Downloaded(path=path, sha256=check.finish(), size=check.size)


def _note_key(file: RemoteFile) -> str:
    wanted = strongest(file.hashes)
    return f"{wanted[0]}:{wanted[1]}" if wanted else redact(file.url)
