"""Files in the cache: verified while they come, and fetched once."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from fakes.server import Answer, Server
from polylock.cache.store import Bucket
from polylock.errors import HashMismatch, IndexRequestError, Offline, SizeMismatch
from polylock.model.distributions import RemoteFile
from polylock.network.download import Downloader
from polylock.network.http_cache import CacheMode
from polylock.ports import SilentReporter

if TYPE_CHECKING:
    from polylock.cache.store import Store
    from polylock.network.client import Client

BODY = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(BODY).hexdigest()


class Recorder(SilentReporter):
    """Notes what is told of downloads."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.count = 0

    def fetching(self, what: str, size: int | None) -> None:
        """Note the beginning."""
        self.told.append((what, size))

    def received(self, what: str, count: int) -> None:
        """Add up the bytes."""
        assert what == "demo.whl"
        self.count += count

    def fetched(self, what: str) -> None:
        """Note the end."""
        self.told.append(what)


@pytest.fixture
def url(server: Server) -> str:
    """Serve the file and return its URL."""
    server.routes["/demo.whl"] = Answer(body=BODY, ranges=False)
    return f"{server.url}/demo.whl"


def _file(
    url: str, hashes: dict[str, str] | None = None, size: int | None = len(BODY)
) -> RemoteFile:
    return RemoteFile(
        "demo.whl", url, {"sha256": SHA256} if hashes is None else hashes, size
    )


def _left_behind(store: Store) -> list[str]:
    return [p.name for p in store.root.rglob("*") if p.is_file() and ".tmp" in p.name]


def test_fetch_brings_the_file(store: Store, client: Client, url: str) -> None:
    """The path holds the bytes; hash and size are told."""
    found = Downloader(store, client).fetch(_file(url))
    assert found.path.read_bytes() == BODY
    assert (found.sha256, found.size) == (SHA256, len(BODY))


def test_fetch_asks_once(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """A file that is there is not fetched again, wherever it came from."""
    Downloader(store, client).fetch(_file(url))
    mirror = RemoteFile("demo.whl", "http://127.0.0.1:9/", {"sha256": SHA256})
    assert Downloader(store, client).fetch(mirror).path.read_bytes() == BODY
    offline = Downloader(store, client, mode=CacheMode.OFFLINE)
    assert offline.fetch(_file(url)).sha256 == SHA256
    assert len(server.requests("/demo.whl")) == 1


def test_a_wrong_hash_is_refused(store: Store, client: Client, url: str) -> None:
    """The error names both hashes and nothing is kept."""
    wanted = {"sha256": "0" * 64}
    downloader = Downloader(store, client)
    with pytest.raises(HashMismatch, match=SHA256):
        downloader.fetch(_file(url, wanted))
    assert downloader.cached(_file(url, wanted)) is None
    assert downloader.cached(_file(url)) is None
    assert _left_behind(store) == []


def test_a_wrong_size_is_refused(store: Store, client: Client, url: str) -> None:
    """Too long ends the download early, too short at its end."""
    downloader = Downloader(store, client)
    for size in (10, len(BODY) + 1):
        with pytest.raises(SizeMismatch):
            downloader.fetch(_file(url, size=size))
    assert _left_behind(store) == []


def test_a_truncated_download_begins_anew(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """A connection that breaks in the middle is overcome."""
    server.change("/demo.whl", truncate=1000, truncations=2)
    assert Downloader(store, client).fetch(_file(url)).path.read_bytes() == BODY
    assert len(server.requests("/demo.whl")) == 3
    assert _left_behind(store) == []


def test_a_download_that_stays_truncated_is_an_error(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """Half a file is never kept, even where no hash could tell."""
    server.change("/demo.whl", truncate=1000)
    downloader = Downloader(store, client)
    file = _file(url, hashes={}, size=None)
    with pytest.raises(IndexRequestError, match="cut short"):
        downloader.fetch(file)
    assert downloader.cached(file) is None


def test_a_broken_download_is_taken_up_where_it_ended(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """Where the server knows ranges, only the rest is asked for."""
    server.change("/demo.whl", ranges=True, truncate=100_000, truncations=2)
    recorder = Recorder()
    found = Downloader(store, client, reporter=recorder).fetch(_file(url))
    assert found.path.read_bytes() == BODY
    asked = [r.headers.get("range") for r in server.requests("/demo.whl")]
    assert asked == [None, "bytes=100000-", "bytes=200000-"]
    assert recorder.count == len(BODY)
    assert _left_behind(store) == []


def test_a_later_run_takes_up_what_an_earlier_one_began(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """What came before the attempts were used up is not asked for again."""
    server.change("/demo.whl", ranges=True, truncate=10_000, truncations=4)
    with pytest.raises(IndexRequestError, match="cut short"):
        Downloader(store, client).fetch(_file(url))
    assert len(_left_behind(store)) == 1
    found = Downloader(store, client).fetch(_file(url))
    assert found.path.read_bytes() == BODY
    assert server.requests("/demo.whl")[-1].headers["range"] == "bytes=40000-"
    assert _left_behind(store) == []


@pytest.mark.parametrize("left", [b"other bytes", BODY, BODY + b"more"])
def test_what_an_earlier_run_left_may_be_wrong(
    server: Server, store: Store, client: Client, url: str, left: bytes
) -> None:
    """Bytes that are not of the file cost one more request, and are never kept."""
    server.change("/demo.whl", ranges=True)
    (store.root / "files-v1").mkdir(parents=True)
    (store.root / "files-v1" / f".tmp-{SHA256}").write_bytes(left)
    assert Downloader(store, client).fetch(_file(url)).path.read_bytes() == BODY
    assert _left_behind(store) == []


@pytest.mark.parametrize(
    "lie",
    [
        Answer(body=BODY, status=206, headers={"Content-Range": "bytes 0-9/10"}),
        Answer(body=BODY, status=206, headers={"Content-Range": "all of it"}),
        Answer(status=416),
    ],
    ids=["another range", "no range", "unsatisfiable"],
)
def test_a_server_that_lies_about_ranges(
    server: Server, store: Store, client: Client, url: str, lie: Answer
) -> None:
    """An answer that is not the rest leads to one request for the whole, no more."""
    (store.root / "files-v1").mkdir(parents=True)
    (store.root / "files-v1" / f".tmp-{SHA256}").write_bytes(BODY[:1000])
    server.routes["/demo.whl"] = lie
    with pytest.raises(IndexRequestError, match=f"answered {lie.status}"):
        Downloader(store, client).fetch(_file(url))
    assert [r.headers.get("range") for r in server.requests("/demo.whl")] == [
        "bytes=1000-",
        None,
    ]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 500, 501, 502])
def test_a_refused_rest_leads_to_the_whole(
    server: Server, store: Store, client: Client, url: str, status: int
) -> None:
    """Whatever status a server refuses ranges with, the file itself may be had."""
    (store.root / "files-v1").mkdir(parents=True)
    (store.root / "files-v1" / f".tmp-{SHA256}").write_bytes(BODY[:1000])
    server.change("/demo.whl", to_ranges=status)
    assert Downloader(store, client).fetch(_file(url)).path.read_bytes() == BODY
    assert _left_behind(store) == []


def test_a_rest_that_is_compressed_is_not_joined(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """The range is one of the compressed bytes."""
    (store.root / "files-v1").mkdir(parents=True)
    (store.root / "files-v1" / f".tmp-{SHA256}").write_bytes(BODY[:1000])
    server.change("/demo.whl", compressed="gzip", ranges=True)
    assert Downloader(store, client).fetch(_file(url)).path.read_bytes() == BODY


def test_a_server_that_is_down_for_a_while_costs_no_bytes(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """What had come is kept while a server answers errors, with and without a range."""
    (store.root / "files-v1").mkdir(parents=True)
    place = store.root / "files-v1" / f".tmp-{SHA256}"
    place.write_bytes(BODY[:1000])
    server.change("/demo.whl", status=503)
    with pytest.raises(IndexRequestError, match="503"):
        Downloader(store, client).fetch(_file(url))
    assert place.read_bytes() == BODY[:1000]


def test_a_file_that_changes_between_two_halves(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """The rest of another file makes no good whole; all of it is asked for again."""
    server.change("/demo.whl", body=bytes(len(BODY)), ranges=True)
    (store.root / "files-v1").mkdir(parents=True)
    (store.root / "files-v1" / f".tmp-{SHA256}").write_bytes(BODY[:1000])
    with pytest.raises(HashMismatch):
        Downloader(store, client).fetch(_file(url))
    assert [r.headers.get("range") for r in server.requests("/demo.whl")] == [
        "bytes=1000-",
        None,
    ]
    assert _left_behind(store) == []


def test_a_304_that_nobody_asked_for_is_an_error(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """Without a kept file there is nothing that could be unchanged."""
    server.change("/demo.whl", status=304)
    for hashes in ({"sha256": SHA256}, {}):
        with pytest.raises(IndexRequestError, match="answered 304"):
            Downloader(store, client).fetch(_file(url, hashes))


def test_threads_that_fetch_one_file_ask_once(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """The others wait for the first and take what it brought."""
    server.change("/demo.whl", delay=0.1)
    downloader = Downloader(store, client)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(downloader.fetch, [_file(url)] * 8))
    assert {each.path.read_bytes() for each in found} == {BODY}
    assert len(server.requests("/demo.whl")) == 1


def test_an_absent_file_is_an_error(
    server: Server, store: Store, client: Client
) -> None:
    """404 for a file that the page lists is told with the URL."""
    with pytest.raises(IndexRequestError, match=r"/none.whl answered 404"):
        Downloader(store, client).fetch(_file(f"{server.url}/none.whl"))


def test_a_file_without_hash_gets_one(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """Its SHA-256 is computed, and the file found by its URL later."""
    file = _file(url, hashes={}, size=None)
    assert Downloader(store, client).fetch(file).sha256 == SHA256
    assert Downloader(store, client).fetch(file).path.read_bytes() == BODY
    assert len(server.requests("/demo.whl")) == 1


def test_a_file_without_hash_is_revalidated(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """When it is no longer fresh its index is asked, and may send another one."""
    now = 1_000_000.0
    file = _file(url, hashes={}, size=None)
    server.change("/demo.whl", etag='"v1"')

    def fetch() -> str:
        return Downloader(store, client, clock=lambda: now).fetch(file).sha256

    assert fetch() == SHA256
    now += 601
    assert fetch() == SHA256
    assert [r.status for r in server.requests("/demo.whl")] == [200, 304]
    server.change("/demo.whl", etag='"v2"', body=b"another")
    now += 601
    assert fetch() == hashlib.sha256(b"another").hexdigest()


def test_another_secure_hash_is_verified(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """An index that gives only SHA-512 is held to it, and the file found by it."""
    downloader = Downloader(store, client)
    good = _file(url, {"sha512": hashlib.sha512(BODY).hexdigest()})
    with pytest.raises(HashMismatch, match="sha512"):
        downloader.fetch(_file(url, {"sha512": "0" * 128}))
    assert downloader.fetch(good).sha256 == SHA256
    assert downloader.fetch(good).sha256 == SHA256
    assert len(server.requests("/demo.whl")) == 2


@pytest.mark.parametrize("algorithm", ["md5", "sha1"])
def test_a_weak_hash_shows_damage_alone(
    store: Store, client: Client, url: str, algorithm: str
) -> None:
    """A file that has it is taken under its SHA-256; one that has not is refused."""
    right = hashlib.new(algorithm, BODY, usedforsecurity=False).hexdigest()
    downloader = Downloader(store, client)
    with pytest.raises(HashMismatch, match=algorithm):
        downloader.fetch(_file(url, {algorithm: "0" * len(right)}))
    assert downloader.fetch(_file(url, {algorithm: right.upper()})).sha256 == SHA256


@pytest.mark.parametrize(
    "value", ["", "0" * 63, "z" * 64, f"{'../' * 20}{'a' * 4}", "/" + "a" * 63]
)
def test_a_value_that_is_no_hash_counts_as_none(
    server: Server, store: Store, client: Client, url: str, value: str
) -> None:
    """It names no file and no lock, in the cache or out of it."""
    downloader = Downloader(store, client)
    assert downloader.fetch(_file(url, {"sha256": value})).sha256 == SHA256
    assert not (store.root / Bucket.LOCKS.directory).exists()
    assert len(server.requests("/demo.whl")) == 1


def test_offline_without_the_file_is_an_error(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """Nothing is asked."""
    with pytest.raises(Offline):
        Downloader(store, client, mode=CacheMode.OFFLINE).fetch(_file(url))
    assert server.log == []


def test_a_file_that_was_cut_short_on_disk_is_fetched_again(
    store: Store, client: Client, url: str
) -> None:
    """The size is looked at before a file is taken from the cache."""
    downloader = Downloader(store, client)
    downloader.fetch(_file(url)).path.write_bytes(b"")
    assert downloader.fetch(_file(url)).path.read_bytes() == BODY


def test_a_discarded_file_is_fetched_again(
    server: Server, store: Store, client: Client, url: str
) -> None:
    """What turned out to be damaged can be forgotten."""
    downloader = Downloader(store, client)
    downloader.discard(downloader.fetch(_file(url)).sha256)
    downloader.fetch(_file(url))
    assert len(server.requests("/demo.whl")) == 2


def test_progress_is_reported(store: Store, client: Client, url: str) -> None:
    """Beginning with the size, every byte, and the end."""
    recorder = Recorder()
    Downloader(store, client, reporter=recorder).fetch(_file(url))
    assert recorder.told == [("demo.whl", len(BODY)), "demo.whl"]
    assert recorder.count == len(BODY)
