"""Every place that credentials come from, right and wrong, against a real server."""

from __future__ import annotations

import base64
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
            line = f"machine 127.0.0.1 login me password {self.words['netrc']}\n"
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


@pytest.mark.parametrize("source", [s for s in SOURCES if s != "netrc"])
@pytest.mark.parametrize("ask", ["redirect", "link"])
def test_another_origin_gets_nothing(world: World, source: str, ask: str) -> None:
    """Neither a redirect nor a link carries credentials elsewhere.

    An entry of netrc speaks of a host and no port, so it serves all ports of it.
    """
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
