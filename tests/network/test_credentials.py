"""Every place that credentials come from, right and wrong, against a real server."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import pytest

from fakes.server import Answer, Server
from polylock.cache.store import Bucket, Store
from polylock.errors import IndexRequestError
from polylock.model.inputs import IndexLocation
from polylock.network.auth import Authenticator
from polylock.network.client import Client
from polylock.network.http_cache import HttpCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOURCES = ("url", "variables", "netrc", "keyring")
msgpack = msgspec.msgpack.Encoder()
RIGHT = "right-word"
WRONG = "wrong-word"


@dataclass
class World:
    """Where credentials may stand, and who asked the keyring for what."""

    server: Server
    directory: Path
    words: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def index(self) -> IndexLocation:
        """Return the index, with what stands in its URL."""
        user = f"me:{self.words['url']}@" if "url" in self.words else ""
        if not user and "keyring" in self.words:
            user = "me@"
        url = f"http://{user}127.0.0.1:{self.server.port}/simple"
        return IndexLocation(name="a", url=url)

    def client(self) -> Client:
        """Return a client that knows all of it."""
        environment = {}
        if "variables" in self.words:
            environment = {
                "POLYLOCK_INDEX_A_USERNAME": "me",
                "POLYLOCK_INDEX_A_PASSWORD": self.words["variables"],
            }
        netrc = self.directory / "netrc"
        if "netrc" in self.words:
            word = self.words["netrc"]
            line = f"machine {self.server.url} login me password {word}\n"
            netrc.write_text(line, encoding="utf-8")
            netrc.chmod(0o600)
        return Client(
            Authenticator(
                [self.index],
                environment=environment,
                netrc=netrc,
                keyring=self._look_up,
            )
        )

    def _look_up(self, url: str, user: str) -> str | None:
        self.asked.append((url, user))
        return self.words.get("keyring")


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    """Return a world whose index wants the right word."""
    for name in ("x", "y"):
        server.routes[f"/simple/{name}/"] = Answer(
            body=b"ok", credentials=f"me:{RIGHT}"
        )
    return World(server, tmp_path)


@pytest.mark.parametrize("source", SOURCES)
def test_right_credentials(world: World, source: str) -> None:
    """Each source alone opens the index, the keyring after one refusal a run."""
    world.words = {source: RIGHT}
    with world.client() as client:
        for name in ("x", "y"):
            answer = client.get(f"{world.index.url}/{name}/")
            assert (answer.status, answer.content) == (200, b"ok")
    tried = [received.status for received in world.server.log]
    assert tried == ([401, 200, 200] if source == "keyring" else [200, 200])
    bare = f"{world.server.url}/simple"
    assert world.asked == ([(bare, "me")] if source == "keyring" else [])


@pytest.mark.parametrize("source", SOURCES)
def test_wrong_credentials(
    world: World, source: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal is final, and neither message, log nor cache holds the word."""
    caplog.set_level(logging.DEBUG)
    world.words = {source: WRONG}
    store = Store(world.directory / "cache")
    with world.client() as client:
        cache = HttpCache(store, client)
        for name in ("x", "y"):
            with pytest.raises(IndexRequestError) as caught:
                cache.get(
                    Bucket.PAGES, f"{world.index.url}/{name}/", make=lambda _: b""
                )
            assert caught.value.status == 401
            told = f"{caught.value} {caught.value.hint()} {caught.value!r}"
            assert WRONG not in told
            assert "me@" not in told
    assert WRONG not in caplog.text
    assert base64.b64encode(f"me:{WRONG}".encode()).decode() not in caplog.text
    assert len(world.asked) == (source == "keyring")
    # The second request sends what the keyring said at once.
    assert len(world.server.log) == (3 if source == "keyring" else 2)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"variables": RIGHT, "netrc": WRONG}, 200),
        ({"url": RIGHT, "variables": WRONG, "netrc": WRONG, "keyring": WRONG}, 200),
        ({"netrc": RIGHT, "keyring": WRONG}, 200),
        ({"url": WRONG, "keyring": RIGHT}, 401),
        ({"netrc": WRONG, "keyring": RIGHT}, 401),
    ],
)
def test_the_order_of_the_sources(
    world: World, words: dict[str, str], expected: int
) -> None:
    """The first source that has a password decides; none is tried after it."""
    world.words = words
    with world.client() as client:
        assert client.get(f"{world.index.url}/x/").status == expected
    assert not world.asked


def test_the_keyring_is_not_asked_unless_the_index_refuses(world: World) -> None:
    """An index that lets everybody in never makes the keyring run."""
    world.words = {"keyring": RIGHT}
    world.server.change("/simple/x/", credentials=None)
    with world.client() as client:
        assert client.get(f"{world.index.url}/x/").status == 200
    assert not world.asked


def test_the_keyring_is_not_asked_without_a_user(world: World) -> None:
    """Which of a keyring's users is meant is not guessed."""
    with world.client() as client:
        assert client.get(f"{world.index.url}/x/").status == 401
    assert not world.asked


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("ask", ["redirect", "link"])
def test_another_origin_gets_nothing(world: World, source: str, ask: str) -> None:
    """Neither a redirect nor a link carries credentials to another port."""
    world.words = {source: RIGHT}
    with Server() as other, world.client() as client:
        other.routes["/z"] = Answer(body=b"ok", credentials=f"me:{RIGHT}")
        world.server.change("/simple/x/", redirect=f"{other.url}/z", credentials=None)
        reach: dict[str, Callable[[], object]] = {
            "redirect": lambda: client.get(f"{world.index.url}/x/"),
            "link": lambda: client.get(f"{other.url}/z"),
        }
        reach[ask]()
        assert other.log
        assert all("authorization" not in each.headers for each in other.log)
    assert not world.asked


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}/z", "http://127.0.0.1/z"])
def test_a_host_of_netrc_is_https_on_its_usual_port(
    server: Server, tmp_path: Path, url: str
) -> None:
    """What plain http or another port of the host leads to may be anybody's."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password right-word\n")
    netrc.chmod(0o600)
    known = Authenticator(netrc=netrc)
    assert known.credentials(url.format(server.port)) is None
    assert known.credentials(f"https://127.0.0.1:{server.port}/") is None
    assert known.credentials("https://127.0.0.1/") is not None
    assert known.credentials("https://127.0.0.1:443/") is not None


def test_a_page_for_the_public_answers_no_user(server: Server, store: Store) -> None:
    """What was cached of a page without credentials is not shown with them."""
    path = "/simple/demo/"
    server.routes[path] = Answer(body=b"public", headers={"cache-control": "max-age=9"})
    url = f"{server.url}{path}"
    of_user = IndexLocation(name="a", url=f"http://me:{RIGHT}@127.0.0.1:{server.port}/")

    def read(*indexes: IndexLocation) -> bytes:
        with Client(Authenticator(indexes)) as client:
            kept = HttpCache(store, client).get(
                Bucket.PAGES, url, make=lambda answer: msgpack.encode(answer.content)
            )
        return b"" if kept.content is None else msgspec.msgpack.decode(kept.content)

    assert read() == b"public"
    server.change(path, body=b"private", credentials=f"me:{RIGHT}")
    assert read(of_user) == b"private"
    assert read() == b"public"
    server.change(path, body=b"gone", status=404)
    assert read(of_user) == b"private"


def test_an_absence_for_the_public_is_none_for_a_user(
    server: Server, store: Store
) -> None:
    """A private index answers 404 to whom it does not know."""
    path = "/simple/demo/"
    url = f"{server.url}{path}"

    def is_there(*indexes: IndexLocation) -> bool:
        with Client(Authenticator(indexes)) as client:
            kept = HttpCache(store, client).get(
                Bucket.PAGES, url, make=lambda _: msgpack.encode(1)
            )
        return kept.content is not None

    assert not is_there()
    server.routes[path] = Answer(body=b"x", credentials=f"me:{RIGHT}")
    user = IndexLocation(name="a", url=f"http://me:{RIGHT}@127.0.0.1:{server.port}/")
    assert is_there(user)
    assert not is_there()


def test_who_asks_is_told_by_no_word_of_theirs(tmp_path: Path) -> None:
    """The cache holds a digest; another password is another user."""
    found = {
        Authenticator([IndexLocation(name="a", url=url)]).credentials_digest(
            "https://a.example/x"
        )
        for url in ("https://me:1@a.example/", "https://me:2@a.example/")
    }
    assert len(found) == 2
    assert all("me" not in each and len(each) == 16 for each in found)
    assert (
        Authenticator(netrc=tmp_path / "none").credentials_digest("https://a.example/x")
        == ""
    )
