"""What the last lock of a project needed of the cache, in one file.

A warm lock would open two entries of the cache for each package, and decode pages of
which it needs one release. The pack holds just that. It never says anything that the
entries themselves would not: a page counts only while the entry it was taken from still
lies there untouched, and for as long as that is fresh; metadata is kept by the URL of
its file and what the page says of it, and does not change. What the pack lacks is read
from the entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar, overload

import msgspec

# msgspec reads the annotations of a Struct at run time.
from polylock.cache.store import Stamp
from polylock.index.releases import StoredReleases, decode_release, to_bytes
from polylock.model.distributions import Releases
from polylock.network.http_cache import Validators

if TYPE_CHECKING:
    from collections.abc import Callable

    from polylock.index.releases import IndexPage
    from polylock.model.distributions import Release

__all__ = ["Pack", "PackedPage"]

T = TypeVar("T")


class PackedPage(msgspec.Struct, array_like=True):
    """What a lock needed of a project page, and the entry that it is from.

    ``is_there`` is false where the index has no such project. ``versions`` are joined
    by line feeds, ``uploads`` is a list as msgpack, masks have their lowest byte first.
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
        """Return the releases; ``rest`` finds those that are not in the pack."""

        def load(position: int) -> Release:
            packed = self.releases.get(position)
            return rest(position) if packed is None else decode_release(packed, page)

        return Releases(
            name=page.name,
            index=page.index,
            index_url=page.index_url,
            versions=_Later(self.count, lambda: self.versions.split("\n")),
            finals=int.from_bytes(self.finals, "little"),
            yanked=int.from_bytes(self.yanked, "little"),
            earliest_upload=_Later(
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
    """Pages by URL and metadata by key; what is looked up or noted is kept."""

    def __init__(self, content: memoryview | None = None) -> None:
        """Begin with what ``encode`` gave, with nothing where it is damaged."""
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
        """Say whether there is anything to be kept that was not."""
        return bool(self._pages or self._metadata)

    def page(self, url: str) -> PackedPage | None:
        """Return what is packed of a page, whether it still counts or not."""
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
        """Return the entry of a key, None where it is not packed."""
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
        """Pack a page when all is done, with the releases that were opened by then."""
        self._pages[url] = (stamp, validators, releases)

    def note_metadata(self, key: str, content: bytes | memoryview) -> None:
        """Pack an entry of metadata."""
        self._metadata[key] = content

    def encode(self) -> bytes:
        """Return the form to be kept: what was used, and some of what was not.

        A project may be locked for one target and then for all. What more runs than
        one did not use goes when it outgrows what they did.
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


class _Later(Sequence[T]):
    """A sequence of known length whose items are made when one is asked for."""

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
