"""One page of links to the files of all projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from fakes.server import Answer, Server
from polylock.cache.store import Bucket, Store
from polylock.errors import IndexRequestError
from polylock.index.flat_page import FlatPage
from polylock.index.repository import UNKNOWN, Unknown
from polylock.model.inputs import IndexLocation
from polylock.network.client import Client
from polylock.network.http_cache import HttpCache

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.model.distributions import Releases

DEMO = canonicalize_name("demo")
HTML = """<a href="demo-1.0-py3-none-any.whl#sha256=00">demo</a>
<a href="https://files.example.com/demo-2.0-py3-none-any.whl">demo</a>
<a href="file:///srv/demo-3.0-py3-none-any.whl">demo</a>
<a href="other-1.0.tar.gz">other</a>"""


@pytest.fixture(autouse=True)
def _page(server: Server) -> None:
    server.routes["/links.html"] = Answer(
        body=HTML.encode(), content_type="text/html; charset=utf-8"
    )


def page_of(server: Server, client: Client, store: Store) -> FlatPage:
    """Return the page as an index."""
    location = IndexLocation(name="x", url=f"{server.url}/links.html", format="flat")
    return FlatPage(location, HttpCache(store, client))


def _found(releases: Releases | Unknown | None) -> list[str]:
    assert releases is not None
    assert not isinstance(releases, Unknown)
    return list(releases.versions)


def test_one_page_serves_all_projects(server: Server, tmp_path: Path) -> None:
    """Projects are distinguished by file name, with one request for all of them."""
    store = Store(tmp_path)
    with Client() as client:
        page = page_of(server, client, store)
        assert page.cached_releases(DEMO) is UNKNOWN
        assert _found(page.releases(DEMO)) == ["1.0", "2.0"]
        assert _found(page.releases(canonicalize_name("other"))) == ["1.0"]
        assert page.releases(canonicalize_name("absent")) is None
        assert _found(page_of(server, client, store).cached_releases(DEMO))
    assert len(server.log) == 1


def test_links_to_files_of_this_machine_are_left_out(
    server: Server, tmp_path: Path
) -> None:
    """A server has no say in what is read from the disk of its client."""
    with Client() as client:
        assert "3.0" not in _found(
            page_of(server, client, Store(tmp_path)).releases(DEMO)
        )


def test_a_page_that_is_not_there(server: Server, tmp_path: Path) -> None:
    """A page that is gone is an error: it is not that the project is missing."""
    del server.routes["/links.html"]
    with Client() as client:
        page = page_of(server, client, Store(tmp_path))
        with pytest.raises(IndexRequestError, match="there is no such page"):
            page.releases(DEMO)


def test_a_damaged_entry_is_fetched_again(server: Server, tmp_path: Path) -> None:
    """What the cache holds of the page is not trusted further than it can be read."""
    store = Store(tmp_path)
    with Client() as client:
        cache = HttpCache(store, client)
        cache.get(Bucket.RESPONSES, f"{server.url}/links.html", make=lambda _: b"\xa1x")
        assert _found(page_of(server, client, store).releases(DEMO)) == ["1.0", "2.0"]
