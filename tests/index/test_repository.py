"""One index: negotiation, absence, errors, and pages that are parsed once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import pytest
from packaging.utils import canonicalize_name

from fakes.server import Answer, Index, Server
from fakes.wheels import build_wheel
from polylock.cache.store import Bucket, Store
from polylock.errors import IndexRequestError, Offline
from polylock.index.repository import Repository, Unknown
from polylock.model.inputs import IndexLocation
from polylock.network.http_cache import CachedResponse, CacheMode, HttpCache, Validators

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.network.client import Client

DEMO = canonicalize_name("demo")


@pytest.fixture
def index(server: Server, tmp_path: Path) -> Index:
    """Serve demo 1.0."""
    made = Index(server)
    made.add("demo", [build_wheel(tmp_path, "demo", "1.0")])
    return made


def _repository(
    url: str, store: Store, client: Client, mode: CacheMode = CacheMode.NORMAL
) -> Repository:
    cache = HttpCache(store, client, mode=mode)
    return Repository(IndexLocation(name="a", url=url), cache)


def test_json_is_asked_for_first(
    server: Server, index: Index, store: Store, client: Client
) -> None:
    """The Accept header prefers PEP 691's JSON and takes HTML."""
    found = _repository(index.url, store, client).releases(DEMO)
    assert found is not None
    assert (found.versions, found.index, found.index_url) == (["1.0"], "a", index.url)
    accept = server.log[0].headers["accept"]
    assert accept.startswith("application/vnd.pypi.simple.v1+json,")
    assert "text/html;q=0.01" in accept


def test_html_is_read_where_there_is_no_json(
    server: Server, store: Store, client: Client
) -> None:
    """An old index gives the same releases; URLs are relative to the final page."""
    page = b'<a href="../../files/demo-1.0.tar.gz#sha256=ab">demo-1.0.tar.gz</a>'
    server.routes["/simple/demo/"] = Answer(redirect="/other/place/demo/")
    server.routes["/other/place/demo/"] = Answer(
        body=page, content_type="text/html; charset=utf-8"
    )
    found = _repository(f"{server.url}/simple/", store, client).releases(DEMO)
    assert found is not None
    sdist = found.release(0).sdist
    assert sdist is not None
    assert sdist.url == f"{server.url}/other/files/demo-1.0.tar.gz"


def test_an_absent_project_is_none(
    server: Server, store: Store, client: Client
) -> None:
    """404 means that the index does not have it."""
    assert _repository(f"{server.url}/simple", store, client).releases(DEMO) is None


@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_index_that_cannot_be_asked_is_an_error(
    server: Server, index: Index, store: Store, client: Client, status: int
) -> None:
    """An error does not count as absence: another index must not serve the project."""
    server.change(index.page("demo"), status=status)
    with pytest.raises(IndexRequestError, match=str(status)) as caught:
        _repository(index.url, store, client).releases(DEMO)
    assert caught.value.hint()


@pytest.mark.parametrize(
    ("kind", "body", "problem"),
    [
        ("application/vnd.pypi.simple.v1+json", b"<html>", "not valid JSON"),
        ("application/vnd.pypi.simple.v2+json", b"{}", "is not a project page"),
        ("text/plain", b"hello", "text/plain is not a project page"),
    ],
)
def test_what_is_no_page_is_an_error(
    server: Server, store: Store, client: Client, kind: str, body: bytes, problem: str
) -> None:
    """The error for a captive portal or a wrong URL names the URL of the page."""
    server.routes["/simple/demo/"] = Answer(body=body, content_type=kind)
    with pytest.raises(IndexRequestError, match=problem):
        _repository(f"{server.url}/simple", store, client).releases(DEMO)


def test_a_page_is_parsed_once(
    server: Server,
    index: Index,
    store: Store,
    client: Client,
) -> None:
    """A warm run, and one that revalidates, get no page that they could parse."""
    server.change(index.page("demo"), etag='"v1"')
    _repository(index.url, store, client).releases(DEMO)
    warm = _repository(index.url, store, client).releases(DEMO)
    refreshed = _repository(index.url, store, client, CacheMode.REFRESH).releases(DEMO)
    assert warm is not None
    assert refreshed is not None
    assert warm.release(0).wheels == refreshed.release(0).wheels
    assert [r.status for r in server.requests(index.page("demo"))] == [200, 304]


def test_offline_reads_what_is_kept(
    server: Server, index: Index, store: Store, client: Client
) -> None:
    """A known page is there, an unknown one is an error that names it."""
    offline = _repository(index.url, store, client, CacheMode.OFFLINE)
    with pytest.raises(Offline, match="/simple/demo/"):
        offline.releases(DEMO)
    _repository(index.url, store, client).releases(DEMO)
    assert offline.releases(DEMO) is not None
    assert len(server.log) == 1


def test_a_damaged_table_is_fetched_again(
    server: Server, index: Index, store: Store, client: Client
) -> None:
    """An entry whose table does not decode is replaced."""
    repository = _repository(index.url, store, client)
    repository.releases(DEMO)
    url = f"{index.url}/demo/"
    validators = Validators(stored=time.time(), fresh_until=time.time() + 600)
    damaged = CachedResponse(
        validators, url, msgspec.Raw(msgspec.msgpack.encode("nonsense"))
    )
    store.write(Bucket.PAGES, url, msgspec.msgpack.encode(damaged))
    assert isinstance(repository.cached_releases(DEMO), Unknown)
    found = repository.releases(DEMO)
    assert found is not None
    assert found.versions == ["1.0"]
    assert len(server.log) == 2


def test_cached_releases_need_no_request(
    server: Server, index: Index, store: Store, client: Client
) -> None:
    """Unknown at first, then what was kept; absence is known as well."""
    repository = _repository(index.url, store, client)
    other = canonicalize_name("other")
    assert isinstance(repository.cached_releases(DEMO), Unknown)
    repository.releases(DEMO)
    repository.releases(other)
    asked = len(server.log)
    found = repository.cached_releases(DEMO)
    assert found is not None
    assert not isinstance(found, Unknown)
    assert repository.cached_releases(other) is None
    assert len(server.log) == asked


def test_credentials_are_sent_and_not_recorded(
    server: Server, index: Index, store: Store, client: Client
) -> None:
    """The index URL may hold them; releases and files do not."""
    server.change(index.page("demo"), credentials="user:secret")
    url = index.url.replace("://", "://user:secret@")
    found = _repository(url, store, client).releases(DEMO)
    assert found is not None
    assert found.index_url == index.url
    assert "secret" not in found.release(0).wheels[0].url
