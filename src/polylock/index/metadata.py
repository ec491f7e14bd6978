"""Reads the core metadata of the files of an index.

It is cached by the file's URL and what the page gives for it, without expiry, because
files do not change. Unusable content is a value with a reason, and cached as well; a
failed request raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from polylock.errors import FileCorrupt, HashMismatch, SizeMismatch
from polylock.index.variant_files import VARIANT_JSON, VariantFiles
from polylock.model.core_metadata import CoreMetadata, InvalidCoreMetadata
from polylock.model.distributions import Release, RemoteFile, Unusable
from polylock.model.filenames import WheelFilename
from polylock.model.reasons import InvalidMetadata, NeedsBuild

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylock.index.metadata_cache import MetadataCache
    from polylock.index.metadata_files import MetadataFiles

    SdistMetadata = Callable[[Release, RemoteFile], CoreMetadata | Unusable]

__all__ = ["MetadataReader"]

_METADATA = "METADATA"
_KIND = "core"


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """Core metadata, or why there is none, with the invalid line.

    ``dynamic`` means that a source distribution leaves it to its backend.
    """

    metadata: CoreMetadata | None = None
    unusable: str = ""
    dynamic: bool = False
    line: str = ""

    def answer(self) -> CoreMetadata | Unusable:
        """Return the metadata, or the reason why there is none."""
        if self.metadata is not None:
            return self.metadata
        if self.dynamic:
            return Unusable(NeedsBuild())
        return Unusable(InvalidMetadata(self.unusable, self.line))


_decoder = msgspec.msgpack.Decoder(_Stored)
_encoder = msgspec.msgpack.Encoder()


class MetadataReader:
    """Reads core metadata, from the cache or an index; thread-safe.

    ``files`` returns the reader for files that are not cached. ``variants`` is given
    the ``variant.json`` of an opened wheel. ``sdist_metadata`` builds metadata that a
    source distribution leaves to its backend; without it such metadata is unusable. Its
    results depend on the project's settings, so they are not cached here.
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
        """Return the cached metadata of a file, None if there is none."""
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
            content = self._files().metadata_file(file)
            if content is None:
                read = self._inside if is_wheel else self._files().pkg_info
                content = read(file)
            if is_wheel:
                _require_utf_8(content)
            metadata = CoreMetadata.parse(content)
        except (HashMismatch, SizeMismatch):
            raise  # not a broken file, but not the one that the index lists
        except FileCorrupt as error:
            return _Stored(unusable=error.problem)
        except InvalidCoreMetadata as error:
            problem = f"its metadata is invalid: {error.problem}"
            return _Stored(unusable=problem, line=error.line)
        if not is_wheel:
            # Only for source distributions, so not imported at start-up.
            from polylock.index.sdist_metadata import is_static  # noqa: PLC0415

            if not is_static(metadata):
                return _Stored(dynamic=True)
        mismatch = _mismatch(metadata, release)
        return _Stored(unusable=mismatch) if mismatch else _Stored(metadata=metadata)

    def _inside(self, file: RemoteFile) -> bytes:
        """Return METADATA of a wheel; its variant.json is cached as well."""
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
    """Return the problem if metadata and file name differ, else an empty string."""
    from polylock.model.wheel_members import is_same_release  # noqa: PLC0415 - cold runs

    wanted = (release.name, release.version)
    if is_same_release((metadata.name, metadata.version), wanted):
        return ""
    return (
        f"its metadata is of {metadata.name} {metadata.version}, "
        f"its file name of {release.name} {release.version}"
    )
