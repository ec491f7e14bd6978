"""Groups the rows of a project page by version, and encodes them for the cache.

A page may have 12,000 files, of which a solve looks at ten. So the rows are grouped
once, when the page is fetched, and cached with each version as a blob of its own: a
warm run reads the versions and masks, and decodes only the versions that it visits.
"""

from __future__ import annotations

import logging
import re
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from polylock.model.distributions import Release, Releases, RemoteFile
from polylock.model.hashes import digest
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "IndexPage",
    "StoredReleases",
    "decode_release",
    "decode_releases",
    "encode_releases",
    "fingerprint",
    "to_bytes",
]

logger = logging.getLogger(__name__)

# One match costs a third of splitting and checking the parts (PEP 427, PEP 825).
_WHEEL = re.compile(
    r"([^-]+)-([^-]+)(?:-\d[^-]*)?-[^-\d][^-]*-[^-]+-[^-]+(?:-[0-9a-z_.]+)?\.whl"
)
_VARIANTS_JSON = re.compile(r"([^-]+)-([^-]+)-variants\.json")
_FINGERPRINT_BYTES = 16
_SDIST_SUFFIXES = (".tar.gz", ".zip")  # the preferred one first


class _StoredRelease(msgspec.Struct, array_like=True):
    version: str
    wheels: tuple[RemoteFile, ...]
    sdist: RemoteFile | None
    variants_json: RemoteFile | None


class _StoredPage(msgspec.Struct, array_like=True):
    """The form of a page on disk; ``finals`` and ``yanked`` are little-endian masks."""

    versions: list[str]
    finals: bytes
    yanked: bytes
    earliest_upload: list[int | None]
    releases: list[msgspec.Raw]


_encoder = msgspec.msgpack.Encoder()
_page_decoder = msgspec.msgpack.Decoder(_StoredPage)
_release_decoder = msgspec.msgpack.Decoder(_StoredRelease)


class IndexPage(Value, frozen=True, kw_only=True):
    """The project of a page, and its index by name and base URL."""

    name: NormalizedName
    index: str
    index_url: str


class _Group:
    """The files of one version.

    ``1.0`` and ``1.0.0`` are the same version; ``text`` is the shorter spelling.
    """

    __slots__ = ("sdists", "text", "variants_json", "wheels")

    def __init__(self, text: str) -> None:
        self.text = text
        self.wheels: list[RemoteFile] = []
        self.sdists: list[RemoteFile] = []
        self.variants_json: RemoteFile | None = None


def encode_releases(name: NormalizedName, rows: Iterable[RemoteFile]) -> bytes:
    """Return the releases of a page in the form for the cache.

    They consist of wheels, source distributions (``.tar.gz`` or ``.zip``) and
    index-level variant metadata. Files of another project or with an invalid name or
    version are left out, as are versions without a wheel or source distribution. The
    order of the rows does not matter.
    """
    groups = _grouped(name, rows)
    order = sorted(version for version, group in groups.items() if _has_files(group))
    finals = yanked = 0
    stored = _StoredPage([], b"", b"", [], [])
    for position, version in enumerate(order):
        group = groups[version]
        files = group.wheels + group.sdists
        uploads = [f.upload_time for f in files if f.upload_time is not None]
        stored.versions.append(group.text)
        stored.earliest_upload.append(min(uploads, default=None))
        stored.releases.append(msgspec.Raw(_encoder.encode(_release(group))))
        finals |= (not version.is_prerelease) << position
        yanked |= all(file.yanked is not None for file in files) << position
    stored.finals, stored.yanked = to_bytes(finals), to_bytes(yanked)
    return _encoder.encode(stored)


class StoredReleases:
    """Decodes releases of a page when needed; ``opened`` has the decoded ones."""

    __slots__ = ("_page", "_stored", "opened")

    def __init__(self, stored: list[msgspec.Raw], page: IndexPage) -> None:
        self._stored = stored
        self._page = page
        self.opened: dict[int, msgspec.Raw] = {}

    def __call__(self, position: int) -> Release:
        """Return the release at a position."""
        content = self.opened[position] = self._stored[position]
        return decode_release(content, self._page)


def decode_releases(content: bytes | memoryview, page: IndexPage) -> Releases:
    """Return the releases from ``encode_releases``; raises msgspec.DecodeError."""
    stored = _page_decoder.decode(content)
    return Releases(
        name=page.name,
        index=page.index,
        index_url=page.index_url,
        versions=stored.versions,
        finals=int.from_bytes(stored.finals, "little"),
        yanked=int.from_bytes(stored.yanked, "little"),
        earliest_upload=stored.earliest_upload,
        load=StoredReleases(stored.releases, page),
        fingerprint=fingerprint("\n".join(stored.versions).encode()),
    )


def decode_release(content: msgspec.Raw, page: IndexPage) -> Release:
    """Return one encoded release; raises msgspec.DecodeError."""
    release = _release_decoder.decode(content)
    return Release(
        name=page.name,
        version=release.version,
        index=page.index,
        wheels=release.wheels,
        sdist=release.sdist,
        variants_json=release.variants_json,
        fingerprint=fingerprint(memoryview(content)),
        index_url=page.index_url,
    )


def fingerprint(content: bytes | memoryview) -> str:
    """Return the digest by which versions or a release are remembered."""
    return digest(content, _FINGERPRINT_BYTES)


def _grouped(name: NormalizedName, rows: Iterable[RemoteFile]) -> dict[Version, _Group]:
    groups: dict[Version, _Group] = {}
    by_text: dict[str, _Group | None] = {}  # parsing a version costs ten look-ups
    by_stem: dict[str, _Group | None] = {}  # ``name-version`` of wheels
    ours: dict[str, bool] = {}
    for row in rows:
        filename = row.filename
        stem = _plain_stem(filename)
        if stem is not None and stem in by_stem:
            group = by_stem[stem]
        else:
            text = _version(filename, name, ours)
            if text is None:
                group = None
            elif text in by_text:
                group = by_text[text]
            else:
                group = by_text[text] = _group(groups, text)
            if stem is not None:
                by_stem[stem] = group
        if group is None:
            logger.debug("%s is not a file of a version of %s", filename, name)
        elif filename.endswith(".whl"):
            group.wheels.append(row)
        elif filename.endswith(".json"):
            group.variants_json = _first(group.variants_json, row)
        else:
            group.sdists.append(row)
    return groups


def _plain_stem(filename: str) -> str | None:
    """Return ``name-version`` of a wheel with five parts, None for other names.

    A regular expression takes three times as long, and a page may have 12,000 wheels.
    """
    if filename.count("-") != 4 or "--" in filename or not filename.endswith(".whl"):
        return None
    end = filename.find("-", filename.find("-") + 1)
    is_plain = filename[0] != "-" != filename[-5] and not filename[end + 1].isdecimal()
    return filename[:end] if is_plain else None


def _version(filename: str, name: NormalizedName, ours: dict[str, bool]) -> str | None:
    """Return the version in a file name as written, None if it is of another project.

    ``ours`` caches which spellings of a name are this project's.
    """
    if filename.endswith(".whl"):
        match = _WHEEL.fullmatch(filename)
    elif filename.endswith("-variants.json"):
        match = _VARIANTS_JSON.fullmatch(filename)
    else:
        return _sdist_version(filename, name, ours)
    if match is None:
        return None
    spelling, text = match.groups()
    if not _is_ours(spelling, name, ours):
        return None
    return text.replace("_", "+", 1) if "+" not in text else text


def _is_ours(spelling: str, name: NormalizedName, ours: dict[str, bool]) -> bool:
    found = ours.get(spelling)
    if found is None:
        found = ours[spelling] = canonicalize_name(spelling) == name
    return found


def _group(groups: dict[Version, _Group], text: str) -> _Group | None:
    try:
        version = Version(text)
    except ValueError:
        return None
    spelling = str(version)
    group = groups.get(version)
    if group is None:
        group = groups[version] = _Group(spelling)
    elif (len(spelling), spelling) < (len(group.text), group.text):
        group.text = spelling
    return group


def _sdist_version(
    filename: str, name: NormalizedName, ours: dict[str, bool]
) -> str | None:
    """Return the version of a source distribution of this project, else None.

    Before PEP 625 names and versions could contain hyphens (``my-app-1.0-1.tar.gz``),
    so every hyphen is tried as the separator, the last one first.
    """
    for suffix in _SDIST_SUFFIXES:
        if filename.endswith(suffix):
            stem = filename[: -len(suffix)]
            cut = stem.rfind("-")
            while cut > 0:
                if _is_ours(stem[:cut], name, ours):
                    return stem[cut + 1 :]
                cut = stem.rfind("-", 0, cut)
    return None


def _first(left: RemoteFile | None, right: RemoteFile) -> RemoteFile:
    return right if left is None else min(left, right, key=_order)


_order = attrgetter("filename", "url")


def _has_files(group: _Group) -> bool:
    return bool(group.wheels or group.sdists)


def _release(group: _Group) -> _StoredRelease:
    wheels, sdists = group.wheels, group.sdists
    if len(wheels) > 1:
        wheels = sorted(wheels, key=_order)
        if len({wheel.filename for wheel in wheels}) < len(wheels):
            wheels = _distinct(wheels)
    return _StoredRelease(
        version=group.text,
        wheels=tuple(wheels),
        sdist=min(sdists, key=_preference) if sdists else None,
        variants_json=group.variants_json,
    )


def _distinct(wheels: Iterable[RemoteFile]) -> list[RemoteFile]:
    """Return the first wheel of each file name."""
    unique: dict[str, RemoteFile] = {}
    for wheel in wheels:
        unique.setdefault(wheel.filename, wheel)
    return list(unique.values())


def _preference(sdist: RemoteFile) -> tuple[bool, str, str]:
    return not sdist.filename.endswith(_SDIST_SUFFIXES[0]), sdist.filename, sdist.url


def to_bytes(mask: int) -> bytes:
    """Return a mask as little-endian bytes."""
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little")
