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

from polylock.cache.regular_files import open_regular
from polylock.cache.store import Bucket
from polylock.errors import (
    CacheUnusable,
    FileCorrupt,
    IndexRequestError,
    Offline,
)
from polylock.model.hashes import strongest
from polylock.network.answers import status_error
from polylock.network.auth import redact
from polylock.network.http_cache import CacheMode, Validators
from polylock.network.local_files import is_local, local_path
from polylock.network.resumable_download import CHUNK, Check, Partial
from polylock.ports import SilentReporter
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from polylock.cache.store import Store
    from polylock.model.distributions import RemoteFile
    from polylock.network.answers import Streaming
    from polylock.network.client import Client
    from polylock.ports import Reporter

__all__ = ["Downloaded", "Downloader"]

logger = logging.getLogger(__name__)


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

    A file whose SHA-256 is known is fetched once: a second thread or process waits and
    takes it. What broke off is taken up where it ended. Of any other file each fetches
    its own, and the last one stays.
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

        Verifies the strongest hash and the size that the index gives, and computes the
        SHA-256 of a file for which it gives another hash or none. A file that lies on
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
        wanted = strongest(file.hashes)
        if wanted is None or wanted[0] != "sha256":
            return self._fetch_unkeyed(file)
        with self._store.exclusive(f"{wanted[1]}.file"):
            # Another thread or process may have fetched it meanwhile.
            found = self.cached(file)
            if found is None:
                return self._fetch_once(file, wanted[1])
        self._client.traffic.count(from_cache=1)
        return found

    def _fetch_once(self, file: RemoteFile, sha256: str) -> Downloaded:
        """Download a file of known SHA-256, going on where an earlier try ended."""
        self._store.make_directory(self._directory)
        # ``prune`` removes what begins like this when it is old.
        place = self._directory / f".tmp-{sha256}"
        with Partial(place, file) as partial:
            self._reporter.fetching(file.filename, file.size)
            try:
                try:
                    self._bring(file, partial)
                except FileCorrupt:
                    if not partial.resumed:
                        raise
                    # The halves were not of one file.
                    partial.restart(by_ranges=False)
                    self._bring(file, partial)
                target = self._store.path(Bucket.FILES, sha256)
                self._store.move(place, target)
            except (FileCorrupt, CacheUnusable):
                partial.discard()
                raise
        self._reporter.fetched(file.filename)
        return Downloaded(path=target, sha256=sha256, size=partial.size)

    def _bring(self, file: RemoteFile, partial: Partial) -> None:
        """Ask until all bytes are there, and verify them."""

        def consume(answer: Streaming) -> bool:
            if not partial.begin(answer.status, answer.headers):
                if not partial.asks_for_rest:
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
        if not self._came(file, consume, partial):
            # A range was refused, with whatever status: the whole may be had.
            partial.ask_whole()
            self._client.stream(file.url, consume, headers=partial.headers)
        partial.finish()

    def _came(
        self, file: RemoteFile, consume: Callable[[Streaming], bool], partial: Partial
    ) -> bool:
        """Ask once; return False where the server refused a range."""
        try:
            return self._client.stream(file.url, consume, headers=partial.headers)
        except IndexRequestError as error:
            if error.status is None or not partial.asks_for_rest:
                raise
            return False

    def _fetch_unkeyed(self, file: RemoteFile) -> Downloaded:
        """Download a file whose SHA-256 is not known."""
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
