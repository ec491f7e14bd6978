"""Rows of a project page to releases by version, and the form kept on disk.

A page may have 12,000 files of which a solve looks at ten. So a page is sorted out
once, when it comes in, and kept with the files of each version as one undecoded
blob: a warm run reads the versions and masks, and decodes the versions it visits.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from polylock.model.distributions import Release, Releases, RemoteFile
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "IndexPage",
    "StoredReleases",
    "decode_release",
    "decode_releases",
    "encode_releases",
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
    """``finals`` and ``yanked`` are masks, the lowest byte first."""

    versions: list[str]
    finals: bytes
    yanked: bytes
    earliest_upload: list[int | None]
    releases: list[msgspec.Raw]


_encoder = msgspec.msgpack.Encoder()
_page_decoder = msgspec.msgpack.Decoder(_StoredPage)
_release_decoder = msgspec.msgpack.Decoder(_StoredRelease)


class IndexPage(Value, frozen=True, kw_only=True):
    """Which page it is: the project and the index by name and base URL."""

    name: NormalizedName
    index: str
    index_url: str


@dataclass(slots=True)
class _Group:
    """The files of one version, while a page is sorted out."""

    spellings: set[str] = field(default_factory=set)
    wheels: list[RemoteFile] = field(default_factory=list)
    sdists: list[RemoteFile] = field(default_factory=list)
    variants_json: RemoteFile | None = None


def encode_releases(name: NormalizedName, rows: Iterable[RemoteFile]) -> bytes:
    """Sort the files of a page into releases and return the form kept on disk.

    Wheels, source distributions as ``.tar.gz`` or ``.zip`` and index-level variant
    metadata count; files of another project, with an invalid name or version are
    left out, and so is a version that has neither a wheel nor a source distribution.
    The order of the rows does not matter.
    """
    groups = _grouped(name, rows)
    order = sorted(version for version, group in groups.items() if _has_files(group))
    finals = yanked = 0
    stored = _StoredPage([], b"", b"", [], [])
    for position, version in enumerate(order):
        group = groups[version]
        files = group.wheels + group.sdists
        uploads = [f.upload_time for f in files if f.upload_time is not None]
        # ``1.0`` and ``1.0.0`` are one version; the shorter spelling stands for it.
        text = min(group.spellings, key=lambda spelling: (len(spelling), spelling))
        stored.versions.append(text)
        stored.earliest_upload.append(min(uploads, default=None))
        stored.releases.append(msgspec.Raw(_encoder.encode(_release(text, group))))
        finals |= (not version.is_prerelease) << position
        yanked |= all(file.yanked is not None for file in files) << position
    stored.finals, stored.yanked = to_bytes(finals), to_bytes(yanked)
    return _encoder.encode(stored)


class StoredReleases:
    """Decodes the releases of a page when asked; ``opened`` are those that were."""

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
    """Read the form kept on disk; raises msgspec.DecodeError where it is damaged."""
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
        fingerprint=_fingerprint("\n".join(stored.versions).encode()),
    )


def decode_release(content: msgspec.Raw, page: IndexPage) -> Release:
    """Read one release of the form kept on disk; raises msgspec.DecodeError."""
    release = _release_decoder.decode(content)
    return Release(
        name=page.name,
        version=release.version,
        index=page.index,
        wheels=release.wheels,
        sdist=release.sdist,
        variants_json=release.variants_json,
        fingerprint=_fingerprint(memoryview(content)),
    )


def _fingerprint(content: bytes | memoryview) -> str:
    return blake2b(content, digest_size=_FINGERPRINT_BYTES).hexdigest()


def _grouped(name: NormalizedName, rows: Iterable[RemoteFile]) -> dict[Version, _Group]:
    groups: dict[Version, _Group] = {}
    by_text: dict[str, _Group | None] = {}  # parsing a version costs ten look-ups
    ours: dict[str, bool] = {}
    for row in rows:
        filename = row.filename
        text = _version(filename, name, ours)
        if text is None:
            logger.debug("%s is no file of %s", filename, name)
            continue
        if text not in by_text:
            by_text[text] = _group(groups, text)
        group = by_text[text]
        if group is None:
            logger.debug("%s has an invalid version", filename)
        elif filename.endswith(".whl"):
            group.wheels.append(row)
        elif filename.endswith(".json"):
            group.variants_json = _first(group.variants_json, row)
        else:
            group.sdists.append(row)
    return groups


def _version(filename: str, name: NormalizedName, ours: dict[str, bool]) -> str | None:
    """Return the version as written, None for what is no file of the project.

    ``ours`` remembers which spellings of a name are this project's.
    """
    if filename.endswith(".whl"):
        match = _WHEEL.fullmatch(filename)
    elif filename.endswith("-variants.json"):
        match = _VARIANTS_JSON.fullmatch(filename)
    else:
        return _sdist_version(filename, name)
    if match is None:
        return None
    spelling, text = match.groups()
    if spelling not in ours:
        ours[spelling] = canonicalize_name(spelling) == name
    if not ours[spelling]:
        return None
    return text.replace("_", "+", 1) if "+" not in text else text


def _group(groups: dict[Version, _Group], text: str) -> _Group | None:
    try:
        version = Version(text)
    except InvalidVersion:
        return None
    group = groups.setdefault(version, _Group())
    group.spellings.add(str(version))
    return group


def _sdist_version(filename: str, name: NormalizedName) -> str | None:
    """Return the version of a source distribution of this project, else None.

    Old names hold hyphens in the name and the version (``my-app-1.0-1.tar.gz``), so
    every cut is tried, the last one first (PEP 625).
    """
    for suffix in _SDIST_SUFFIXES:
        if filename.endswith(suffix):
            stem = filename[: -len(suffix)]
            cut = stem.rfind("-")
            while cut > 0:
                if canonicalize_name(stem[:cut]) == name:
                    return stem[cut + 1 :]
                cut = stem.rfind("-", 0, cut)
    return None


def _first(left: RemoteFile | None, right: RemoteFile) -> RemoteFile:
    return right if left is None else min(left, right, key=_order)


def _order(file: RemoteFile) -> tuple[str, str]:
    return file.filename, file.url


def _has_files(group: _Group) -> bool:
    return bool(group.wheels or group.sdists)


def _release(version: str, group: _Group) -> _StoredRelease:
    def preference(file: RemoteFile) -> tuple[bool, tuple[str, str]]:
        return not file.filename.endswith(_SDIST_SUFFIXES[0]), _order(file)

    unique: dict[str, RemoteFile] = {}
    for wheel in group.wheels:
        unique[wheel.filename] = _first(unique.get(wheel.filename), wheel)
    return _StoredRelease(
        version=version,
        wheels=tuple(unique[filename] for filename in sorted(unique)),
        sdist=min(group.sdists, key=preference, default=None),
        variants_json=group.variants_json,
    )


def to_bytes(mask: int) -> bytes:
    """Return a mask as bytes, the lowest byte first."""
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little")
