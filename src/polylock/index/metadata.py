"""Core metadata of the files of an index.

What was read is kept by the file's URL and all that its page says of it, and never
asked for again: a file does not change. Content that cannot be used is a value with a
reason, and kept as well; a request that failed raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import Version

from polylock.errors import FileCorrupt, HashMismatch, SizeMismatch
from polylock.index.variant_files import VARIANT_JSON
from polylock.model.core_metadata import CoreMetadata, InvalidCoreMetadata
from polylock.model.distributions import Unusable
from polylock.model.filenames import WheelFilename
from polylock.model.reasons import InvalidMetadata, NeedsBuild

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylock.index.metadata_cache import MetadataCache
    from polylock.index.metadata_files import MetadataFiles
    from polylock.index.variant_files import VariantFiles
    from polylock.model.distributions import Release, RemoteFile

    SdistMetadata = Callable[[Release, RemoteFile], CoreMetadata | Unusable]

__all__ = ["MetadataReader"]

_METADATA = "METADATA"
_KIND = "core"


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """Core metadata, or why there is none, and the line of it that is at fault.

    ``dynamic`` tells that a source distribution leaves it to its backend.
    """

    metadata: CoreMetadata | None = None
    unusable: str = ""
    dynamic: bool = False
    line: str = ""

    def answer(self) -> CoreMetadata | Unusable:
        """Return the metadata, or the reason where there is none."""
        if self.metadata is not None:
            return self.metadata
        if self.dynamic:
            return Unusable(NeedsBuild())
        return Unusable(InvalidMetadata(self.unusable, self.line))


_decoder = msgspec.msgpack.Decoder(_Stored)
_encoder = msgspec.msgpack.Encoder()


class MetadataReader:
    """Reads core metadata by way of the cache; safe to use from many threads.

    ``files`` gives what reads what is not kept. ``variants`` is given what lies beside
    it in a wheel with a label. ``sdist_metadata`` is asked for what a source
    distribution leaves to its backend; without it such metadata is unusable. Its
    answers depend on what the project allows, so keeping them is its own business.
    """

    def __init__(
        self,
        cache: MetadataCache,
        files: Callable[[], MetadataFiles],
        variants: VariantFiles,
        *,
        sdist_metadata: SdistMetadata | None = None,
    ) -> None:
        self._cache = cache
        self._files = files
        self._variants = variants
        self._sdist_metadata = sdist_metadata

    def cached_core_metadata(self, file: RemoteFile) -> CoreMetadata | Unusable | None:
        """Return what is kept of a file, None where nothing is."""
        stored = self._kept_core_metadata(file)
        if stored is None or (stored.dynamic and self._sdist_metadata is not None):
            return None
        return stored.answer()

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
            self._cache.write(_KIND, file, _encoder.encode(stored))
        if stored.dynamic and self._sdist_metadata is not None:
            built = self._sdist_metadata(release, file)
            if isinstance(built, Unusable):
                return built
            mismatch = _mismatch(built, release)
            return Unusable(InvalidMetadata(mismatch)) if mismatch else built
        return stored.answer()

    def _kept_core_metadata(self, file: RemoteFile) -> _Stored | None:
        content = self._cache.read(_KIND, file)
        if content is None:
            return None
        try:
            stored = _decoder.decode(content)
        except msgspec.DecodeError:
            return None
        self._cache.traffic.count(from_cache=1)
        return stored

    def _read_core_metadata(self, release: Release, file: RemoteFile) -> _Stored:
        is_wheel = file.filename.endswith(".whl")
        try:
            content = self._files().beside(file)
            if content is None:
                read = self._inside if is_wheel else self._files().pkg_info
                content = read(file)
            if is_wheel:
                _require_utf_8(content)
            metadata = CoreMetadata.parse(content)
        except (HashMismatch, SizeMismatch):
            raise  # not a broken file but another one than the index says
        except FileCorrupt as error:
            return _Stored(unusable=error.problem)
        except InvalidCoreMetadata as error:
            problem = f"its metadata is invalid: {error.problem}"
            return _Stored(unusable=problem, line=error.line)
        if not is_wheel:
            # Only source distributions are read this way, so not at start-up.
            from polylock.index.sdist_metadata import is_static  # noqa: PLC0415

            if not is_static(metadata):
                return _Stored(dynamic=True)
        mismatch = _mismatch(metadata, release)
        return _Stored(unusable=mismatch) if mismatch else _Stored(metadata=metadata)

    def _inside(self, file: RemoteFile) -> bytes:
        """Return METADATA of a wheel; variant.json, which lies beside it, is kept."""
        label = WheelFilename.parse(file.filename).variant_label
        wanted = (_METADATA,) if label is None else (_METADATA, VARIANT_JSON)
        members = self._files().members(file, wanted)
        if _METADATA not in members:
            raise FileCorrupt(file.filename, "METADATA is missing")
        if VARIANT_JSON in members:
            self._variants.keep(file, members[VARIANT_JSON])
        return members[_METADATA]


def _require_utf_8(content: bytes) -> None:
    """Refuse METADATA that no installer reads; old PKG-INFO may be in any encoding."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise InvalidCoreMetadata("METADATA is not UTF-8") from error


def _mismatch(metadata: CoreMetadata, release: Release) -> str:
    """Return the problem where metadata is not of what the file name says."""
    try:
        same = Version(metadata.version) == Version(release.version)
    except ValueError:
        same = False
    if same and canonicalize_name(metadata.name) == release.name:
        return ""
    return (
        f"its metadata is of {metadata.name} {metadata.version}, "
        f"its file name of {release.name} {release.version}"
    )
