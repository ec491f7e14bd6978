"""Reads the variant metadata of a release: the file of the index, or of its wheels.

The index-level file may change at any time and is cached like a page; ``variant.json``
of a wheel is cached without expiry. Unusable content is a value with a reason: a
release with bad variant metadata loses only its variants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from polylock.cache.store import Bucket
from polylock.errors import (
    AnswerTooLong,
    FileCorrupt,
    HashMismatch,
    SizeMismatch,
)
from polylock.model.distributions import Release, RemoteFile, Unusable
from polylock.model.filenames import WheelFilename
from polylock.model.hashes import hash_value, strongest
from polylock.model.reasons import InvalidMetadata
from polylock.network.http_cache import CacheMode, HttpCache
from polylock.network.local_files import is_local, local_content
from polylock.variants.variant_json import (
    LARGEST,
    InvalidVariantMetadata,
    VariantMetadata,
    combine,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylock.index.metadata_cache import MetadataCache
    from polylock.index.metadata_files import MetadataFiles
    from polylock.model.target import Target
    from polylock.network.answers import Response

__all__ = ["VARIANT_JSON", "VariantFiles"]

VARIANT_JSON = "variant.json"
"""The name of the file in a wheel's ``.dist-info`` (PEP 825)."""

_INDEX = "index"
_WHEEL = "variant"
"""The kinds of cache entries."""


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """The bytes of a variant metadata file, or why there are none."""

    content: bytes | None = None
    unusable: str = ""


_decoder = msgspec.msgpack.Decoder(_Stored)
_bytes_decoder = msgspec.msgpack.Decoder(bytes)
_encoder = msgspec.msgpack.Encoder()


class VariantFiles:
    """Reads variant metadata, from the cache or an index; thread-safe.

    ``files`` returns the reader for files that are not cached.
    """

    def __init__(
        self,
        cache: MetadataCache,
        http_cache: HttpCache,
        files: Callable[[], MetadataFiles],
    ) -> None:
        self._cache = cache
        self._http_cache = http_cache
        self._files = files

    def is_known(self, release: Release, target: Target) -> bool:
        """Return True if ``metadata`` takes no request."""
        file = release.variants_json
        if file is None:
            return all(
                self._stored(_WHEEL, wheel) is not None
                for _, wheel, _ in self.wheels(release, target)
            )
        if strongest(file.hashes) is not None:
            return self._stored(_INDEX, file) is not None
        kept = self._http_cache.cached(Bucket.RESPONSES, file.url)
        return kept is not None and kept.content is not None

    def metadata(self, release: Release, target: Target) -> VariantMetadata | Unusable:
        """Return the combined variant metadata of a release.

        From the index-level file if there is one, else from one wheel of each label, a
        candidate for the target where there is one (PEP 825, "Index-level metadata").
        Raises IndexRequestError, Offline, HashMismatch, SizeMismatch and CacheUnusable.
        """
        content = None
        if release.variants_json is not None:
            content = self._index_level(release.variants_json)
        try:
            match content:
                case bytes():
                    return VariantMetadata.decode(content)
                case Unusable():
                    return content
                case None:
                    return self._combined(release, target)
        except InvalidVariantMetadata as error:
            return _invalid(str(error))

    def keep(self, wheel: RemoteFile, content: bytes) -> None:
        """Cache the ``variant.json`` of a wheel that was opened for its metadata."""
        self._store(_WHEEL, wheel, _Stored(content))

    @staticmethod
    def wheels(
        release: Release, target: Target
    ) -> tuple[tuple[str, RemoteFile, bool], ...]:
        """Return one wheel of each label, and whether it is a candidate, those first.

        PEP 825, "Installing a package from an index", step 5: "the combined metadata
        can instead be read from the candidate wheels. Only one wheel per distinct
        variant label needs to be inspected".
        """
        found: dict[str, tuple[str, RemoteFile, bool]] = {}
        for wheel in release.wheels:
            name = WheelFilename.parse(wheel.filename)
            label = name.variant_label
            if label is None or (label in found and found[label][2]):
                continue
            fits = target.tag_rank(name) is not None
            if fits or label not in found:
                found[label] = label, wheel, fits
        return tuple(sorted(found.values(), key=lambda each: not each[2]))

    def _combined(self, release: Release, target: Target) -> VariantMetadata | Unusable:
        """Return the combined metadata of one wheel for each label.

        The other targets of a lock file may need labels without a candidate for this
        one. If such a wheel cannot be read, or contradicts the candidates, its label is
        left out.
        """
        combined: VariantMetadata | None = None
        for label, wheel, is_candidate in self.wheels(release, target):
            content = self._variant_json(wheel)
            problem = content
            if not isinstance(content, Unusable):
                try:
                    found = VariantMetadata.decode_wheel(content, label)
                    before = [] if combined is None else [combined]
                    combined = combine([*before, found])
                    continue
                except InvalidVariantMetadata as error:
                    problem = _invalid(str(error), wheel)
            if is_candidate and isinstance(problem, Unusable):
                return problem
        return combined or _invalid("it has no variant wheel")

    def _index_level(self, file: RemoteFile) -> bytes | Unusable | None:
        """Return the index-level file, None if the index no longer has it.

        It may change at any time, so it is cached as long as a page. If the page gives
        its hash, that decides: the same hash takes no request, and an entry with
        another hash is fetched again.
        """
        wanted = strongest(file.hashes)
        if wanted is not None:
            kept = self._stored(_INDEX, file)
            if kept is not None:
                self._http_cache.traffic.count(from_cache=1)
                return kept.content
        try:
            content = self._ask(file)
            if wanted is None or content is None:
                return content
            if hash_value(wanted[0], content) != wanted[1]:
                if self._http_cache.mode is not CacheMode.OFFLINE:
                    self._http_cache.forget(Bucket.RESPONSES, file.url)
                    content = self._ask(file)
                if content is None or hash_value(wanted[0], content) != wanted[1]:
                    return _invalid("its hash is not that of the index", file)
        except AnswerTooLong as error:
            return _invalid(error.problem, file)
        self._store(_INDEX, file, _Stored(content))
        return content

    def _ask(self, file: RemoteFile) -> bytes | None:
        if is_local(file.url):
            return local_content(file.url)

        def make(response: Response) -> bytes:
            return _encoder.encode(response.content)

        kept = self._http_cache.get(
            Bucket.RESPONSES, file.url, make=make, largest=LARGEST
        )
        return None if kept.content is None else _bytes_decoder.decode(kept.content)

    def _variant_json(self, wheel: RemoteFile) -> bytes | Unusable:
        kept = self._stored(_WHEEL, wheel)
        if kept is None:
            try:
                found = self._files().members(wheel, (VARIANT_JSON,))
            except (HashMismatch, SizeMismatch):
                raise
            except FileCorrupt as error:
                kept = _Stored(unusable=error.problem)
            else:
                content = found.get(VARIANT_JSON)
                kept = _Stored(content, unusable="variant.json is missing")
            self._store(_WHEEL, wheel, kept)
        if kept.content is None:
            return _invalid(kept.unusable, wheel)
        return kept.content

    def _stored(self, kind: str, file: RemoteFile) -> _Stored | None:
        content = self._cache.read(kind, file)
        try:
            return None if content is None else _decoder.decode(content)
        except msgspec.DecodeError:
            return None

    def _store(self, kind: str, file: RemoteFile, stored: _Stored) -> None:
        self._cache.write(kind, file, _encoder.encode(stored))


def _invalid(problem: str, file: RemoteFile | None = None) -> Unusable:
    return Unusable(InvalidMetadata(problem, file=file.filename if file else ""))
