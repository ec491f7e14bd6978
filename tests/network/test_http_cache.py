"""Kept answers: fresh, revalidated, offline, refreshed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from fakes.server import Answer, Server
from polylock.cache.store import Bucket, Store
from polylock.errors import IndexRequestError, Offline
from polylock.network.http_cache import CacheMode, HttpCache

if TYPE_CHECKING:
    from polylock.network.answers import Response
    from polylock.network.client import Client


class World:
    """A cache over a server, with a clock that the test sets."""

    def __init__(self, server: Server, store: Store, client: Client) -> None:
        self.now = 1_000_000.0
        self.made = 0
        self.url = f"{server.url}/x"
        self._store = store
        self._client = client

    def ask(self, mode: CacheMode = CacheMode.NORMAL) -> str | None:
        """Ask for /x in a run of its own; return what is kept of the body."""
        cache = HttpCache(self._store, self._client, mode=mode, clock=lambda: self.now)
        return self.ask_in(cache)

    def ask_in(self, cache: HttpCache) -> str | None:
        """Ask for /x in a run that goes on."""
        kept = cache.get(Bucket.RESPONSES, self.url, make=self._make)
        if kept.content is None:
            return None
        return msgspec.msgpack.decode(kept.content, type=str)

    def cache(self, mode: CacheMode) -> HttpCache:
        """Begin a run."""
        return HttpCache(self._store, self._client, mode=mode, clock=lambda: self.now)

    def _make(self, response: Response) -> bytes:
        self.made += 1
        return msgspec.msgpack.encode(response.content.decode())


@pytest.fixture
def world(server: Server, store: Store, client: Client) -> World:
    """Make a world in which /x says one."""
    server.routes["/x"] = Answer(body=b"one")
    return World(server, store, client)


def test_ten_minutes_where_the_index_says_nothing(server: Server, world: World) -> None:
    """Without headers an answer is fresh for 600 seconds, then asked for again."""
    assert world.ask() == "one"
    server.change("/x", body=b"two")
    world.now += 599
    assert world.ask() == "one"
    assert len(server.requests("/x")) == 1
    world.now += 2
    assert world.ask() == "two"
    assert len(server.requests("/x")) == 2


@pytest.mark.parametrize(
    ("header", "lifetime"),
    [
        ({"Cache-Control": "public, max-age=60"}, 60),
        ({"Cache-Control": 'Max-Age="60"'}, 60),
        ({"Cache-Control": "max-age=60", "Age": "50"}, 10),
        ({"Cache-Control": "max-age=60, no-cache"}, 0),
        ({"Cache-Control": "max-age=sixty"}, 0),
        ({"Cache-Control": "private"}, 600),
    ],
)
def test_cache_control_says_how_long(
    server: Server, world: World, header: dict[str, str], lifetime: int
) -> None:
    """The lifetime is max-age less the age; no-cache asks each time."""
    server.change("/x", headers=header)
    world.ask()
    if lifetime:
        world.now += lifetime - 1
        world.ask()
        assert len(server.requests("/x")) == 1
        world.now += 1
    world.ask()
    assert len(server.requests("/x")) == 2


def test_no_store_is_not_kept(server: Server, world: World) -> None:
    """An answer that must not be stored is used and forgotten."""
    server.change("/x", headers={"Cache-Control": "no-store"})
    assert world.ask() == "one"
    with pytest.raises(Offline):
        world.ask(CacheMode.OFFLINE)


@pytest.mark.parametrize(
    ("validator", "header"),
    [
        ({"etag": '"v1"'}, "if-none-match"),
        ({"last_modified": "Wed, 01 Jul 2026 10:00:00 GMT"}, "if-modified-since"),
    ],
)
def test_a_stale_answer_is_revalidated(
    server: Server, world: World, validator: dict[str, str], header: str
) -> None:
    """304 makes the entry fresh again without a body and without parsing."""
    server.change("/x", **validator)
    world.ask()
    world.now += 601
    assert world.ask() == "one"
    world.now += 599
    assert world.ask() == "one"
    first, second = server.requests("/x")
    assert header not in first.headers
    assert (header in second.headers, second.status) == (True, 304)
    assert world.made == 1


def test_a_changed_answer_replaces_the_kept_one(server: Server, world: World) -> None:
    """Another ETag brings the new body."""
    server.change("/x", etag='"v1"')
    world.ask()
    server.change("/x", etag='"v2"', body=b"two")
    world.now += 601
    assert world.ask() == "two"
    assert world.ask(CacheMode.OFFLINE) == "two"


def test_offline_takes_what_there_is(server: Server, world: World) -> None:
    """However old, and without a request."""
    world.ask()
    world.now += 10_000_000
    assert world.ask(CacheMode.OFFLINE) == "one"
    assert len(server.requests("/x")) == 1


def test_offline_without_an_entry_is_an_error(server: Server, world: World) -> None:
    """The error names the URL and nothing is asked."""
    with pytest.raises(Offline, match="/x is not in the cache"):
        world.ask(CacheMode.OFFLINE)
    assert server.log == []


def test_refresh_asks_once_a_run(server: Server, world: World) -> None:
    """A fresh entry of an earlier run is asked about, one of this run is not."""
    server.change("/x", headers={"Cache-Control": "max-age=0"})
    world.ask()
    world.now += 1
    run = world.cache(CacheMode.REFRESH)
    world.ask_in(run)
    world.ask_in(run)
    assert len(server.requests("/x")) == 2


def test_an_absent_answer_is_kept(server: Server, world: World) -> None:
    """404 is known for as long as any answer, offline too."""
    server.change("/x", status=404, body=b"not here")
    assert world.ask() is None
    assert world.ask() is None
    assert world.ask(CacheMode.OFFLINE) is None
    assert len(server.requests("/x")) == 1


def test_a_failure_is_not_kept(server: Server, world: World) -> None:
    """An error status raises and leaves the older entry."""
    world.ask()
    server.change("/x", status=403)
    world.now += 601
    with pytest.raises(IndexRequestError, match="403"):
        world.ask()
    assert world.ask(CacheMode.OFFLINE) == "one"


def test_an_entry_from_the_future_is_stale(server: Server, world: World) -> None:
    """A clock that was wrong once does not freeze an answer."""
    world.ask()
    world.now -= 1000
    world.ask()
    assert len(server.requests("/x")) == 2


def test_a_damaged_entry_is_fetched_again(
    server: Server, world: World, store: Store
) -> None:
    """Content that no longer decodes counts as absent."""
    world.ask()
    store.write(Bucket.RESPONSES, world.url, b"\xc1 nonsense")
    assert world.ask() == "one"
    assert len(server.requests("/x")) == 2


def test_cached_needs_no_request(server: Server, world: World) -> None:
    """Only what may be used as it is comes back."""
    run = world.cache(CacheMode.NORMAL)
    assert run.cached(Bucket.RESPONSES, world.url) is None
    world.ask_in(run)
    assert run.cached(Bucket.RESPONSES, world.url) is not None
    assert len(server.requests("/x")) == 1


def test_the_cache_holds_no_credentials(
    server: Server, world: World, store: Store, client: Client
) -> None:
    """Who asked is in the key of an entry, as a digest."""
    world.url = f"http://user:secret@127.0.0.1:{server.port}/x"
    world.ask()
    world.ask()
    assert len(server.requests("/x")) == 1
    files = [path for path in store.root.rglob("*") if path.is_file()]
    assert files
    assert not any(b"secret" in path.read_bytes() for path in files)
    assert client.traffic.from_cache == 1
