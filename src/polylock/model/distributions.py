"""Files on an index, and releases."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import msgspec

from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.values import Value, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from packaging.utils import NormalizedName

    from polylock.model.direct import DirectSource
    from polylock.model.reasons import Refusal

__all__ = [
    "DirectOrigin",
    "Release",
    "Releases",
    "RemoteFile",
    "Unusable",
    "labelled_wheels",
    "span",
]

_LABELLED_HYPHENS = 5


class RemoteFile(
    msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False
):
    """A file that an index offers (PEP 691).

    ``url`` is absolute and without credentials or fragment. ``hashes`` maps
    algorithm to lower-case hexadecimal value. ``size`` is in bytes. ``upload_time``
    is in microseconds since 1970 UTC. ``core_metadata`` holds the hashes of the
    metadata file beside the wheel (PEP 658), an empty dict if the index gives no hash
    of it, None if there is no such file. ``yanked`` is the reason (PEP 592), empty if
    none is given, None for a file that is not yanked.
    """

    filename: str
    url: str
    hashes: dict[str, str] = {}
    size: int | None = None
    upload_time: int | None = None
    requires_python: str | None = None
    core_metadata: dict[str, str] | None = None
    yanked: str | None = None


class DirectOrigin(Value, frozen=True, kw_only=True):
    """A direct source as it was found.

    ``path`` is POSIX-style and relative to the lock file, None if the source has a
    URL. ``commit`` is that of a git source. ``is_stable`` means that a later
    installation has the same version: not so for a directory, which may change, nor if
    only a build determines the version.
    """

    source: DirectSource
    path: str | None = None
    commit: str | None = None
    is_stable: bool = True


class Release(Value, frozen=True, kw_only=True, eq=False):
    """The files of one version of a project on one index, or of a direct source.

    ``version`` is the normalized version. ``wheels`` are in file name order;
    ``variants_json`` is the index-level metadata file (PEP 825), if there is one.
    ``fingerprint`` is a digest of all the files, empty if not computed. A source tree
    has an ``sdist`` whose file name is for display only. ``index_url`` is that of the
    index, empty for a direct source.
    """

    name: NormalizedName
    version: str
    index: str
    wheels: tuple[RemoteFile, ...]
    sdist: RemoteFile | None = None
    variants_json: RemoteFile | None = None
    fingerprint: str = ""
    direct: DirectOrigin | None = None
    index_url: str = ""


class Releases(Value, frozen=True, kw_only=True, eq=False, dict=True):
    """All versions of a project on the index that serves it.

    ``versions`` are normalized and ascending in PEP 440 order; the position of a
    version in it is its bit in every mask. ``finals`` has the bit of each version
    that is not a pre-release, ``yanked`` of each whose files are all yanked.
    ``earliest_upload`` gives the time of the first upload of each version in
    microseconds since 1970 UTC, None if the index gives none for its files.
    ``index`` is the name of the index and ``index_url`` its base URL. ``fingerprint``
    is a digest of ``versions``, empty if not computed.
    """

    name: NormalizedName
    index: str
    index_url: str
    versions: Sequence[str]
    finals: int
    yanked: int
    earliest_upload: Sequence[int | None]
    load: Callable[[int], Release]
    """Decode the release at a position, at the cost of its own files only."""
    fingerprint: str = ""
    _loaded: dict[int, Release] = field(default_factory=dict)

    @cached_property
    def has_upload_times(self) -> bool:
        """Return True if the index gives the upload time of any file."""
        return any(uploaded is not None for uploaded in self.earliest_upload)

    def release(self, position: int) -> Release:
        """Return the release at a position, the same object each time."""
        release = self._loaded.get(position)
        if release is None:
            release = self._loaded.setdefault(position, self.load(position))
        return release


class Unusable(Value, frozen=True):
    """A file that cannot be fetched or read; the solve continues without it."""

    reason: Refusal


@lru_cache(maxsize=4096)
def labelled_wheels(release: Release) -> tuple[WheelFilename, ...]:
    """Return the file names of a release's variant wheels, cached for all targets.

    File names with too few parts for a label, the most, are not parsed.
    """
    found = []
    for file in release.wheels:
        if file.filename.count("-") >= _LABELLED_HYPHENS:
            with suppress(InvalidFilename):
                found.append(WheelFilename.parse(file.filename))
    return tuple(name for name in found if name.variant_label is not None)


def span(releases: Releases, found: Sequence[int]) -> str:
    """Return the versions at positions as ranges: ``1.0 to 1.4, 2.0``."""
    parts: list[str] = []
    for first, last in _runs(found):
        low, high = releases.versions[first], releases.versions[last]
        parts.append(low if low == high else f"{low} to {high}")
    return ", ".join(parts)


def _runs(found: Sequence[int]) -> Iterator[tuple[int, int]]:
    ordered = sorted(set(found))
    start = previous = ordered[0]
    for position in ordered[1:]:
        if position != previous + 1:
            yield start, previous
            start = position
        previous = position
    yield start, previous
