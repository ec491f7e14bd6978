"""The pack has the same content as the cache entries, or it is not used."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from fakes.server import Answer, Index, Server
from fakes.wheels import build_wheel
from polylock.cache.store import Bucket, Store
from polylock.errors import Offline
from polylock.index.pack import Pack
from polylock.index.repository import Repository, Unknown
from polylock.model.inputs import IndexLocation
from polylock.network.http_cache import CacheMode, HttpCache

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.network.client import Client

DEMO = canonicalize_name("demo")
OTHER = canonicalize_name("other")


@pytest.fixture
def index(server: Server, tmp_path: Path) -> Index:
    """Serve demo 1.0 and 2.0."""
    made = Index(server)
    made.add("demo", [build_wheel(tmp_path, "demo", v) for v in ("1.0", "2.0")])
    return made


class Cached:
    """A cache and an index, used by one run after the other."""

    def __init__(self, url: str, store: Store, client: Client) -> None:
        self.url = url
        self.store = store
        self.client = client

    def run(
        self,
        pack: Pack,
        mode: CacheMode = CacheMode.NORMAL,
        *,
        later: float = 0,
    ) -> Repository:
        """Return the index as a run sees it that begins ``later`` seconds from now."""
        cache = HttpCache(
            self.store, self.client, mode=mode, clock=lambda: time.time() + later
        )
        return Repository(IndexLocation(name="a", url=self.url), cache, pack)

    def packed(self) -> Pack:
        """Return a pack of demo, of which version 2.0 was opened."""
        pack = Pack()
        releases = self.run(pack).releases(DEMO)
        assert releases is not None
        releases.release(1)
        return reread(pack)


def reread(pack: Pack) -> Pack:
    """Return a pack as the next run reads it."""
    return Pack(memoryview(pack.encode()))


@pytest.fixture
def cached(index: Index, store: Store, client: Client) -> Cached:
    """Return the cache of an index that serves demo."""
    return Cached(index.url, store, client)


def test_a_packed_page_says_what_the_entry_says(cached: Cached) -> None:
    """Versions, masks, times, digests and the opened release are the same."""
    pack = cached.packed()
    packed = cached.run(pack).cached_releases(DEMO)
    entry = cached.run(Pack()).cached_releases(DEMO)
    assert packed is not None
    assert entry is not None
    assert not isinstance(packed, Unknown)
    assert not isinstance(entry, Unknown)
    assert list(packed.versions) == list(entry.versions) == ["1.0", "2.0"]
    assert packed.versions[:1] == ["1.0"]
    assert (packed.finals, packed.yanked) == (entry.finals, entry.yanked)
    assert list(packed.earliest_upload) == list(entry.earliest_upload)
    assert packed.fingerprint == entry.fingerprint
    assert packed.release(1).wheels == entry.release(1).wheels
    assert packed.release(1).fingerprint == entry.release(1).fingerprint
    assert not pack.is_changed


def test_a_release_that_is_not_packed_is_read_from_the_entry(cached: Cached) -> None:
    """It is packed with the others then, so that the next run has them all."""
    pack = cached.packed()
    releases = cached.run(pack).cached_releases(DEMO)
    assert releases is not None
    assert not isinstance(releases, Unknown)
    assert [releases.release(p).version for p in (0, 1)] == ["1.0", "2.0"]
    assert pack.is_changed
    page = reread(pack).page(f"{cached.url.rstrip('/')}/demo/")
    assert page is not None
    assert sorted(page.releases) == [0, 1]


def test_a_page_that_was_replaced_is_read_anew(
    cached: Cached, index: Index, tmp_path: Path
) -> None:
    """If another process has fetched the page meanwhile, the new page counts."""
    pack = cached.packed()
    index.add("demo", [build_wheel(tmp_path, "demo", "3.0")])
    cached.run(Pack(), CacheMode.REFRESH).releases(DEMO)
    for mode in (CacheMode.NORMAL, CacheMode.OFFLINE):
        releases = cached.run(pack, mode).cached_releases(DEMO)
        assert releases is not None
        assert not isinstance(releases, Unknown)
        assert "3.0" in releases.versions


def test_a_page_that_is_no_longer_fresh_needs_a_request(cached: Cached) -> None:
    """A pack makes nothing fresh that is not, and offline that does not matter."""
    pack = cached.packed()
    later = cached.run(pack, later=3600)
    assert isinstance(later.cached_releases(DEMO), Unknown)
    offline = cached.run(pack, CacheMode.OFFLINE, later=3600)
    assert not isinstance(offline.cached_releases(DEMO), Unknown)
    assert isinstance(
        cached.run(pack, CacheMode.REFRESH).cached_releases(DEMO), Unknown
    )


def test_a_page_whose_entry_is_gone_is_gone(cached: Cached) -> None:
    """What was removed from the cache is not served out of a pack."""
    pack = cached.packed()
    cached.store.remove(Bucket.PAGES, f"{cached.url.rstrip('/')}/demo/")
    offline = cached.run(pack, CacheMode.OFFLINE)
    assert isinstance(offline.cached_releases(DEMO), Unknown)
    with pytest.raises(Offline):
        offline.releases(DEMO)


def test_a_version_that_a_newer_page_lacks_has_no_files(
    cached: Cached, server: Server, index: Index
) -> None:
    """A page replaced during a run loses versions without an error."""
    pack = cached.packed()
    releases = cached.run(pack).cached_releases(DEMO)
    server.routes[index.page("demo")] = Answer(
        body=b'{"meta": {"api-version": "1.0"}, "name": "demo", "files": []}',
        content_type="application/vnd.pypi.simple.v1+json",
    )
    cached.run(Pack(), CacheMode.REFRESH).releases(DEMO)
    assert releases is not None
    assert not isinstance(releases, Unknown)
    assert releases.release(0).wheels == ()
    assert releases.release(1).wheels != ()


def test_an_absent_project_is_packed_too(cached: Cached, server: Server) -> None:
    """The first of several indexes is not asked again for a missing project."""
    pack = Pack()
    assert cached.run(pack).releases(OTHER) is None
    assert cached.run(reread(pack)).cached_releases(OTHER) is None
    assert len(server.log) == 1


def test_metadata_is_packed_as_it_is() -> None:
    """An entry of metadata is read back byte for byte; others are missing."""
    pack = Pack()
    pack.note_metadata("core sha256:aa", b"\x93\x01\x02\x03")
    again = reread(pack)
    found = again.metadata("core sha256:aa")
    assert found is not None
    assert bytes(found) == b"\x93\x01\x02\x03"
    assert again.metadata("core sha256:bb") is None
    assert not again.is_changed


def test_what_is_not_used_goes_when_it_outgrows_the_rest() -> None:
    """A lock of one target keeps what the others need; an old project's things go."""
    pack = Pack()
    for key in "abc":
        pack.note_metadata(key, b"\x01")
    some = reread(pack)
    some.metadata("a")
    some.metadata("b")
    assert reread(some).metadata("c") is not None
    few = reread(pack)
    few.metadata("a")
    assert reread(few).metadata("c") is None


@pytest.mark.parametrize("content", [b"\xc1", b"", b"\x92\x80"])
def test_a_damaged_pack_is_an_empty_one(content: bytes, cached: Cached) -> None:
    """What cannot be read is taken from the entries."""
    cached.packed()
    pack = Pack(memoryview(content))
    releases = cached.run(pack).cached_releases(DEMO)
    assert releases is not None
    assert not isinstance(releases, Unknown)
    assert pack.is_changed
