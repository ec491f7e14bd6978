"""The parts of cache entries that the last lock of a project needed, in one file.

Without it a warm lock opens two cache entries for each package, and decodes pages of
which it needs one release. The pack has the same content as the entries: a page is used
only while the entry that it was taken from is unchanged and fresh; metadata is keyed by
the URL of its file and what the page gives for it, and does not change. Whatever the
pack lacks is read from the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

import msgspec

# msgspec reads the annotations of a Struct at run time.
from polylock.cache.store import Stamp
from polylock.index.releases import IndexPage, StoredReleases, decode_release, to_bytes
from polylock.model.distributions import Release, Releases
from polylock.network.http_cache import Validators

__all__ = ["Pack", "PackedPage"]

T = TypeVar("T")


class PackedPage(msgspec.Struct, array_like=True):
    """The parts of a project page that a lock needed, and the stamp of its entry.

    ``is_there`` is false if the index has no such project. ``versions`` are joined by
    line feeds, ``uploads`` is a list as msgpack, masks are little-endian.
    """

    stamp: Stamp
    validators: Validators
    is_there: bool = False
    count: int = 0
    versions: str = ""
    finals: bytes = b""
    yanked: bytes = b""
    uploads: bytes = b""
    releases: dict[int, msgspec.Raw] = {}
    fingerprint: str = ""

    def decode(self, page: IndexPage, rest: Callable[[int], Release]) -> Releases:
        """Return the releases; ``rest`` loads one that is not in the pack."""

        def load(position: int) -> Release:
            packed = self.releases.get(position)
            return rest(position) if packed is None else decode_release(packed, page)

        return Releases(
            name=page.name,
            index=page.index,
            index_url=page.index_url,
            versions=_LazySequence(self.count, lambda: self.versions.split("\n")),
            finals=int.from_bytes(self.finals, "little"),
            yanked=int.from_bytes(self.yanked, "little"),
            earliest_upload=_LazySequence(
                self.count, lambda: _uploads_decoder.decode(self.uploads)
            ),
            load=load,
            fingerprint=self.fingerprint,
        )


class _Contents(msgspec.Struct, array_like=True):
    pages: dict[str, msgspec.Raw] = {}
    metadata: dict[str, msgspec.Raw] = {}


_decoder = msgspec.msgpack.Decoder(_Contents)
_page_decoder = msgspec.msgpack.Decoder(PackedPage)
_uploads_decoder = msgspec.msgpack.Decoder(list[int | None])
_encoder = msgspec.msgpack.Encoder()


class Pack:
    """Pages by URL and metadata by key; keeps entries that are read or added."""

    def __init__(self, content: memoryview | None = None) -> None:
        """Read what ``encode`` returned; damaged content counts as empty."""
        self._packed = _Contents()
        if content is not None:
            try:
                self._packed = _decoder.decode(content)
            except msgspec.DecodeError:
                self._packed = _Contents()
        self._used_pages: set[str] = set()
        self._used_metadata: set[str] = set()
        self._pages: dict[str, tuple[Stamp, Validators, Releases | None]] = {}
        self._metadata: dict[str, bytes | memoryview] = {}

    @property
    def is_changed(self) -> bool:
        """Return True if there are new entries to be written."""
        return bool(self._pages or self._metadata)

    def page(self, url: str) -> PackedPage | None:
        """Return the packed page, None if there is none; it may be out of date."""
        content = self._packed.pages.get(url)
        if content is None:
            return None
        try:
            page = _page_decoder.decode(content)
        except msgspec.DecodeError:
            return None
        self._used_pages.add(url)
        return page

    def metadata(self, key: str) -> msgspec.Raw | None:
        """Return the entry of a key, None if it is not packed."""
        content = self._packed.metadata.get(key)
        if content is not None:
            self._used_metadata.add(key)
        return content

    def note_page(
        self,
        url: str,
        *,
        stamp: Stamp,
        validators: Validators,
        releases: Releases | None,
    ) -> None:
        """Add a page; ``encode`` packs the releases that were opened by then."""
        self._pages[url] = (stamp, validators, releases)

    def note_metadata(self, key: str, content: bytes | memoryview) -> None:
        """Add an entry of metadata."""
        self._metadata[key] = content

    def encode(self) -> bytes:
        """Return the form for the disk: the used entries, and some unused ones.

        A project may be locked for one target and then for all, so unused entries are
        dropped only when they are more than the used ones.
        """
        pages = _kept(self._packed.pages, self._used_pages)
        for url, (stamp, validators, releases) in self._pages.items():
            page = _packed_page(stamp, validators, releases)
            before = self.page(url)
            if before is not None and before.stamp == stamp:
                page.releases = {**before.releases, **page.releases}
            pages[url] = msgspec.Raw(_encoder.encode(page))
        metadata = _kept(self._packed.metadata, self._used_metadata)
        for key, content in self._metadata.items():
            metadata[key] = msgspec.Raw(content)
        return _encoder.encode(_Contents(pages, metadata))


class _LazySequence(Sequence[T]):
    """A sequence of known length whose items are made at the first access."""

    __slots__ = ("_items", "_length", "_make")

    def __init__(self, length: int, make: Callable[[], list[T]]) -> None:
        self._length = length
        self._make = make
        self._items: list[T] | None = None

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        return iter(self[:])

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if self._items is None:
            self._items = self._make()
        return self._items[index]


def _packed_page(
    stamp: Stamp, validators: Validators, releases: Releases | None
) -> PackedPage:
    if releases is None:
        return PackedPage(stamp, validators)
    load = releases.load
    opened = load.opened if isinstance(load, StoredReleases) else {}
    return PackedPage(
        stamp=stamp,
        validators=validators,
        is_there=True,
        count=len(releases.versions),
        versions="\n".join(releases.versions),
        finals=to_bytes(releases.finals),
        yanked=to_bytes(releases.yanked),
        uploads=_encoder.encode(list(releases.earliest_upload)),
        releases=opened,
        fingerprint=releases.fingerprint,
    )


def _kept(packed: dict[str, msgspec.Raw], used: set[str]) -> dict[str, msgspec.Raw]:
    if len(packed) > 2 * len(used):
        return {key: content for key, content in packed.items() if key in used}
    return dict(packed)
