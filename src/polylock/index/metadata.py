"""Core metadata and variant metadata of the files of an index.

From the cheapest place that has it: the file beside the wheel (PEP 658), the wheel's
own end by ranged requests, the wheel. What was read is kept by the file's hash, or by
its URL where it has none, and never asked for again: a file does not change. Content
that cannot be used is a value with a reason, and kept as well; a request that failed
raises.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from polylock.cache.store import Bucket
from polylock.errors import (
    FileCorrupt,
    HashMismatch,
    IndexRequestError,
    Offline,
    SizeMismatch,
)
from polylock.index.pack import Pack
from polylock.model.core_metadata import CoreMetadata, InvalidCoreMetadata
from polylock.model.distributions import Unusable
from polylock.model.filenames import WheelFilename
from polylock.model.hashes import strongest
from polylock.network.auth import origin, redact
from polylock.network.client import status_error
from polylock.network.http_cache import CacheMode
from polylock.network.local_files import is_local, local_path
from polylock.variants.variant_json import (
    InvalidVariantMetadata,
    VariantMetadata,
    combine,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from polylock.cache.store import Store
    from polylock.index.remote_zip import Archive
    from polylock.model.distributions import Release, RemoteFile
    from polylock.network.client import Client, Response
    from polylock.network.download import Downloader
    from polylock.network.http_cache import HttpCache

    SdistMetadata = Callable[[Release, RemoteFile], CoreMetadata | Unusable]

__all__ = ["MetadataReader"]

logger = logging.getLogger(__name__)

_METADATA = "METADATA"
_VARIANT_JSON = "variant.json"


class _StoredMetadata(msgspec.Struct, frozen=True, array_like=True):
    """Core metadata, or why there is none.

    ``dynamic`` tells that a source distribution leaves it to its backend.
    """

    metadata: CoreMetadata | None = None
    unusable: str = ""
    dynamic: bool = False


class _StoredVariant(msgspec.Struct, frozen=True, array_like=True):
    """The bytes of a variant metadata file, or why there are none."""

    content: bytes | None = None
    unusable: str = ""


_metadata_decoder = msgspec.msgpack.Decoder(_StoredMetadata)
_variant_decoder = msgspec.msgpack.Decoder(_StoredVariant)
_bytes_decoder = msgspec.msgpack.Decoder(bytes)
_encoder = msgspec.msgpack.Encoder()


class MetadataReader:
    """Reads metadata by way of the cache; safe to use from many threads.

    ``sdist_metadata`` is asked for what a source distribution leaves to its backend;
    without it such metadata is unusable. Its answers depend on what the project
    allows, so keeping them is its own business.
    """

    def __init__(
        self,
        store: Store,
        client: Client,
        *,
        http_cache: HttpCache,
        downloader: Downloader,
        sdist_metadata: SdistMetadata | None = None,
        pack: Pack | None = None,
    ) -> None:
        self._store = store
        self._pack = Pack() if pack is None else pack
        self._client = client
        self._http_cache = http_cache
        self._downloader = downloader
        self._sdist_metadata = sdist_metadata
        self._mode = http_cache.mode
        self._without_ranges: set[object] = set()

    def cached_core_metadata(self, file: RemoteFile) -> CoreMetadata | Unusable | None:
        """Return what is kept of a file, None where nothing is."""
        stored = self._kept_core_metadata(file)
        if stored is None or (stored.dynamic and self._sdist_metadata is not None):
            return None
        return stored.metadata or Unusable(stored.unusable)

    def core_metadata(
        self, release: Release, file: RemoteFile
    ) -> CoreMetadata | Unusable:
        """Return the core metadata of a wheel or source distribution.

        Raises IndexRequestError, Offline, HashMismatch, SizeMismatch, CacheUnusable,
        and what ``sdist_metadata`` raises.
        """
        stored = self._kept_core_metadata(file)
        if stored is None:
            stored = self._read_core_metadata(release, file)
            self._write(f"core {_key(file)}", _encoder.encode(stored))
        if stored.dynamic and self._sdist_metadata is not None:
            built = self._sdist_metadata(release, file)
            return built if isinstance(built, Unusable) else _agreeing(built, release)
        return stored.metadata or Unusable(stored.unusable)

    def _kept_core_metadata(self, file: RemoteFile) -> _StoredMetadata | None:
        content = self._read(f"core {_key(file)}")
        if content is None:
            return None
        try:
            stored = _metadata_decoder.decode(content)
        except msgspec.DecodeError:
            return None
        self._client.traffic.count(from_cache=1)
        return stored

    def has_variant_metadata(self, release: Release) -> bool:
        """Say whether ``variant_metadata`` can answer without a request."""
        file = release.variants_json
        if file is None:
            return all(
                self._stored_variant(f"variant {_key(wheel)}") is not None
                for wheel in _one_wheel_a_label(release).values()
            )
        if strongest(file.hashes) is not None:
            return self._stored_variant(f"index {_key(file)}") is not None
        kept = self._http_cache.cached(Bucket.RESPONSES, file.url)
        return kept is not None and kept.content is not None

    def variant_metadata(self, release: Release) -> VariantMetadata | Unusable:
        """Return the combined variant metadata of a release.

        From the index-level file if there is one, else from one wheel of each label
        (PEP 825, "Index-level metadata"). Raises as ``core_metadata`` does.
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
                    return self._combined(release)
        except InvalidVariantMetadata as error:
            return Unusable(str(error))

    def _combined(self, release: Release) -> VariantMetadata | Unusable:
        """Combine the metadata of one wheel a label."""
        found = []
        for label, wheel in _one_wheel_a_label(release).items():
            content = self._variant_json(wheel)
            if isinstance(content, Unusable):
                return Unusable(f"{wheel.filename}: {content.reason}")
            try:
                found.append(VariantMetadata.decode_wheel(content, label))
            except InvalidVariantMetadata as error:
                return Unusable(f"{wheel.filename}: {error}")
        return combine(found) if found else Unusable("it has no variant wheel")

    def _index_level(self, file: RemoteFile) -> bytes | Unusable | None:
        """Return the index-level file, None where the index no longer has it.

        It may change at any time, so it is kept as long as any answer of the index.
        Where the page gives its hash, that decides: the same hash needs no request,
        and an entry with another one is asked for anew.
        """
        wanted = strongest(file.hashes)
        if wanted is not None:
            kept = self._stored_variant(f"index {_key(file)}")
            if kept is not None:
                self._client.traffic.count(from_cache=1)
                return kept.content
        content = self._ask_index_level(file)
        if wanted is None or content is None:
            return content
        if _digest(wanted[0], content) != wanted[1]:
            if self._mode is not CacheMode.OFFLINE:
                self._http_cache.forget(Bucket.RESPONSES, file.url)
                content = self._ask_index_level(file)
            if content is None or _digest(wanted[0], content) != wanted[1]:
                return Unusable(f"{file.filename} has not the hash that the index says")
        self._store_variant(f"index {_key(file)}", _StoredVariant(content))
        return content

    def _ask_index_level(self, file: RemoteFile) -> bytes | None:
        if is_local(file.url):
            return _on_disk(file.url)

        def make(response: Response) -> bytes:
            return _encoder.encode(response.content)

        kept = self._http_cache.get(Bucket.RESPONSES, file.url, make=make)
        return None if kept.content is None else _bytes_decoder.decode(kept.content)

    def _variant_json(self, wheel: RemoteFile) -> bytes | Unusable:
        key = f"variant {_key(wheel)}"
        kept = self._stored_variant(key)
        if kept is None:
            try:
                content = self._members(wheel, (_VARIANT_JSON,)).get(_VARIANT_JSON)
            except (HashMismatch, SizeMismatch):
                raise
            except FileCorrupt as error:
                kept = _StoredVariant(unusable=error.problem)
            else:
                kept = _StoredVariant(content, unusable="variant.json is missing")
            self._store_variant(key, kept)
        return Unusable(kept.unusable) if kept.content is None else kept.content

    def _read_core_metadata(
        self, release: Release, file: RemoteFile
    ) -> _StoredMetadata:
        is_wheel = file.filename.endswith(".whl")
        try:
            if file.core_metadata is not None:
                content = self._beside(file, file.core_metadata)
            else:
                content = None
            if content is None:
                content = self._inside(file) if is_wheel else self._pkg_info(file)
            metadata = CoreMetadata.parse(content)
        except (HashMismatch, SizeMismatch):
            raise  # not a broken file but another one than the index says
        except FileCorrupt as error:
            return _StoredMetadata(unusable=error.problem)
        except InvalidCoreMetadata as error:
            return _StoredMetadata(unusable=f"its metadata is invalid: {error}")
        if not is_wheel:
            # Only source distributions are read this way, so not at start-up.
            from polylock.index.sdist_metadata import is_static  # noqa: PLC0415

            if not is_static(metadata):
                reason = "its metadata is dynamic: it would have to be built"
                return _StoredMetadata(unusable=reason, dynamic=True)
        found = _agreeing(metadata, release)
        if isinstance(found, Unusable):
            return _StoredMetadata(unusable=found.reason)
        return _StoredMetadata(metadata=found)

    def _beside(self, file: RemoteFile, hashes: Mapping[str, str]) -> bytes | None:
        """Return the file that PEP 658 puts beside a wheel, None if it is not there."""
        url = f"{file.url}.metadata"
        content = _on_disk(url) if is_local(url) else self._ask_beside(url)
        if content is None:
            logger.debug("%s is offered and not there", redact(url))
            return None
        wanted = strongest(hashes)
        if wanted is not None:
            algorithm, value = wanted
            found = _digest(algorithm, content)
            if found != value:
                raise HashMismatch(
                    f"{file.filename}.metadata",
                    f"{algorithm}:{value}",
                    f"{algorithm}:{found}",
                )
        return content

    def _ask_beside(self, url: str) -> bytes | None:
        self._need_network(url)
        response = self._client.get(url)
        if response.status in {404, 410}:
            return None
        if response.status != 200:
            raise status_error(response.url, response.status)
        return response.content

    def _inside(self, file: RemoteFile) -> bytes:
        """Return METADATA of a wheel; variant.json, which lies beside it, is kept."""
        label = WheelFilename.parse(file.filename).variant_label
        wanted = (_METADATA,) if label is None else (_METADATA, _VARIANT_JSON)
        members = self._members(file, wanted)
        if _METADATA not in members:
            raise FileCorrupt(file.filename, "METADATA is missing")
        if _VARIANT_JSON in members:
            stored = _StoredVariant(members[_VARIANT_JSON])
            self._store_variant(f"variant {_key(file)}", stored)
        return members[_METADATA]

    def _members(self, file: RemoteFile, names: Sequence[str]) -> dict[str, bytes]:
        """Return files of a wheel's ``.dist-info``, those that are there.

        Raises FileCorrupt, and as ``core_metadata`` does.
        """
        # Reading archives is for cold runs only.
        from polylock.index.remote_zip import (  # noqa: PLC0415
            LocalZip,
            RangesUnsupported,
            RemoteZip,
        )

        downloaded = self._downloader.cached(file)
        place = origin(file.url)
        ranges = place not in self._without_ranges and not is_local(file.url)
        if downloaded is None and ranges:
            self._need_network(file.url)
            try:
                remote = RemoteZip(self._client, file.url, file.filename)
                return _dist_info(remote, file.filename, names)
            except RangesUnsupported:
                logger.debug("%s gives no ranges; fetching the wheel", file.url)
                self._without_ranges.add(place)
        if downloaded is None:
            downloaded = self._downloader.fetch(file)
        with LocalZip(downloaded.path, file.filename) as local:
            return _dist_info(local, file.filename, names)

    def _pkg_info(self, file: RemoteFile) -> bytes:
        from polylock.index.sdist_metadata import read_pkg_info  # noqa: PLC0415 - rare

        return read_pkg_info(self._downloader.fetch(file).path, file.filename)

    def _need_network(self, url: str) -> None:
        if self._mode is CacheMode.OFFLINE:
            raise Offline(redact(url), None, "not in the cache")

    def _stored_variant(self, key: str) -> _StoredVariant | None:
        content = self._read(key)
        try:
            return None if content is None else _variant_decoder.decode(content)
        except msgspec.DecodeError:
            return None

    def _store_variant(self, key: str, stored: _StoredVariant) -> None:
        self._write(key, _encoder.encode(stored))

    def _read(self, key: str) -> memoryview | msgspec.Raw | None:
        packed = self._pack.metadata(key)
        if packed is not None:
            return packed
        content = self._store.read(Bucket.METADATA, key)
        if content is not None:
            self._pack.note_metadata(key, content)
        return content

    def _write(self, key: str, content: bytes) -> None:
        self._store.write(Bucket.METADATA, key, content)
        self._pack.note_metadata(key, content)


def _key(file: RemoteFile) -> str:
    """Return what names the bytes of a file: its hash, else its URL."""
    wanted = strongest(file.hashes)
    return f"{wanted[0]}:{wanted[1]}" if wanted else f"url:{redact(file.url)}"


def _one_wheel_a_label(release: Release) -> dict[str, RemoteFile]:
    """Return the first wheel of each label in file name order."""
    wheels: dict[str, RemoteFile] = {}
    for wheel in release.wheels:
        label = WheelFilename.parse(wheel.filename).variant_label
        if label is not None:
            wheels.setdefault(label, wheel)
    return wheels


def _on_disk(url: str) -> bytes | None:
    """Return the bytes of a file of this machine, None where there is none."""
    path = local_path(url)
    try:
        return None if path is None else path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IndexRequestError(url, None, error.strerror or str(error)) from error


def _digest(algorithm: str, content: bytes) -> str:
    import hashlib  # noqa: PLC0415 - 2 ms, for what is not in the cache

    return hashlib.new(algorithm, content).hexdigest()


def _dist_info(
    archive: Archive, filename: str, names: Sequence[str]
) -> dict[str, bytes]:
    """Read the named files of the one ``.dist-info`` directory (PEP 427)."""
    tops = (member.partition("/")[0] for member in archive.members)
    directories = sorted({top for top in tops if top.endswith(".dist-info")})
    if len(directories) > 1:
        # Some wheels carry the directories of what they bundle.
        name = WheelFilename.parse(filename).name
        directories = [
            directory
            for directory in directories
            if canonicalize_name(directory.partition("-")[0]) == name
        ]
    if len(directories) != 1:
        raise FileCorrupt(filename, "there is not one .dist-info directory in it")
    present = set(archive.members)
    paths = {name: f"{directories[0]}/{name}" for name in names}
    return {name: archive.read(p) for name, p in paths.items() if p in present}


def _agreeing(metadata: CoreMetadata, release: Release) -> CoreMetadata | Unusable:
    """Refuse metadata of another project or version than the file name says."""
    try:
        same = Version(metadata.version) == Version(release.version)
    except InvalidVersion:
        same = False
    if same and canonicalize_name(metadata.name) == release.name:
        return metadata
    return Unusable(
        f"its metadata is of {metadata.name} {metadata.version}, "
        f"its file name of {release.name} {release.version}"
    )
