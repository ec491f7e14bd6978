"""An index that refuses, lies, stalls and compresses: locked against and synced from.

Each case is a way in which a server answers for a page, for metadata beside a wheel or
for a wheel. The wheel is installed, or the message has the first cause. What uv makes
of the same server is compared: nowhere does it succeed where polylock does not.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from fakes.other_installers import new_environment
from fakes.server import JSON, Answer, Index, Server
from fakes.wheels import build_wheel
from fakes.workspace import Project, this_target
from polylock.errors import PolylockError
from polylock.operations.sync.sync import SyncOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
HTML = "text/html"
INSTALLED = ""


class World:
    """An index with demo 1.0, the only requirement of a project."""

    def __init__(self, server: Server, directory: Path) -> None:
        self.server = server
        self.index = Index(server)
        self.directory = directory
        content = bytes(range(256)) * 400
        self.wheel = build_wheel(
            directory / "files", "demo", "1.0", files={"demo/data": content}
        )
        self.page = self.index.page("demo")
        self.file = self.index.file(self.wheel.name)
        self.index.add("demo", [self.wheel])

    def change(self, path: str, **fields: object) -> None:
        """Change how the server answers for a path."""
        self.server.change(path, **fields)

    def row(self, **fields: object) -> None:
        """Change the row of the wheel on the page."""
        document = json.loads(self.server.routes[self.page].body)
        document["files"][0].update(fields)
        self.change(self.page, body=json.dumps(document).encode())

    def html(self, text: str, **fields: object) -> None:
        """Serve the page as HTML; ``{}`` stands for the absolute path of the wheel."""
        body = text.format(self.file).encode()
        self.change(self.page, body=body, content_type=HTML, **fields)

    def beside(self, **fields: object) -> None:
        """Promise metadata beside the wheel, and serve it so."""
        self.row(**{"core-metadata": True})
        answer = {"body": METADATA, **fields}
        self.server.routes[f"{self.file}.metadata"] = Answer(**answer)  # type: ignore[arg-type]


def _moved(world: World) -> None:
    world.server.routes["/elsewhere/demo/"] = world.server.routes[world.page]
    world.change(world.page, redirect="/elsewhere/demo/", status=301)


def _circle(world: World) -> None:
    # Without a body, which uv takes for a page.
    world.change(world.page, redirect=world.page, status=302, body=b"")


def _relative(world: World) -> None:
    world.row(url=f"../..{world.file}")


def _twice(world: World) -> None:
    document = json.loads(world.server.routes[world.page].body)
    document["files"] *= 2
    world.change(world.page, body=json.dumps(document).encode())


def _login(world: World) -> None:
    body = b"<!doctype html><title>Sign in</title>"
    world.change(world.file, body=body, content_type=HTML, ranges=False)


def _moved_file(world: World) -> None:
    world.server.routes["/cdn/x"] = world.server.routes[world.file]
    world.change(world.file, redirect="/cdn/x", status=307)


LINK = '<a href="{}">demo-1.0-py3-none-any.whl</a>'


def _page(**fields: object) -> Callable[[World], None]:
    return lambda world: world.change(world.page, **fields)


def _file(**fields: object) -> Callable[[World], None]:
    return lambda world: world.change(world.file, **fields)


def _beside(**fields: object) -> Callable[[World], None]:
    return lambda world: world.beside(**fields)


def _html(text: str, **fields: object) -> Callable[[World], None]:
    return lambda world: world.html(text, **fields)


def _refused(status: int) -> Callable[[World], None]:
    return _file(to_ranges=status)


@dataclass(frozen=True)
class Way:
    """How a server answers, and what polylock says: nothing where demo is installed."""

    arrange: Callable[[World], None]
    said: str = INSTALLED


WAYS: Mapping[str, Way] = {
    "page in JSON": Way(_page()),
    "page, gzip": Way(_page(compressed="gzip")),
    "page, deflate": Way(_page(compressed="deflate")),
    "page in HTML": Way(_html(LINK)),
    "page in HTML, gzip": Way(_html(LINK, compressed="gzip")),
    "page in HTML with a mark of the byte order": Way(_html("\ufeff" + LINK)),
    "page in HTML with a base": Way(_html('<base href="/files/">' + LINK)),
    "page in HTML without quotes": Way(_html("<a href={}>demo</a>")),
    "page in HTML that is cut off": Way(_html(LINK + "<a href='")),
    "page with an own character set": Way(_page(content_type=f"{JSON}; charset=utf-8")),
    "page as text": Way(_page(content_type="text/plain"), "is not a project page"),
    "page that is empty": Way(_page(body=b""), "is not valid JSON"),
    "page that is no JSON": Way(_page(body=b"<html>"), "is not valid JSON"),
    "page that moved": Way(_moved),
    "page that leads to itself": Way(_circle, "too many redirects"),
    "page with a relative link": Way(_relative),
    "page with a file twice": Way(_twice),
    "page 404": Way(_page(status=404), "was not found"),
    "page 403": Way(_page(status=403), "answered 403"),
    "page 500 once": Way(_page(failures=(500,))),
    "page 429 once, later": Way(_page(failures=(429,), headers={"Retry-After": "0"})),
    "page 500 for ever": Way(_page(status=500), "answered 500"),
    "page, connection closed once": Way(_page(failures=(0,))),
    "page cut off once": Way(_page(truncate=20, truncations=1)),
    "page cut off for ever": Way(_page(truncate=20), "cut short"),
    "metadata beside the wheel": Way(_beside()),
    "metadata, gzip": Way(_beside(compressed="gzip")),
    "metadata promised and absent": Way(_beside(status=404)),
    "metadata of another project": Way(
        _beside(body=METADATA.replace(b"demo", b"evil")), "evil"
    ),
    "ranges refused with 400": Way(_refused(400)),
    "ranges refused with 401": Way(_refused(401)),
    "ranges refused with 403": Way(_refused(403)),
    "ranges refused with 404": Way(_refused(404)),
    "ranges refused with 405": Way(_refused(405)),
    "ranges refused with 416": Way(_refused(416)),
    "ranges refused with 500": Way(_refused(500)),
    "ranges refused with 501": Way(_refused(501)),
    "ranges refused with 502": Way(_refused(502)),
    "ranges refused by hanging up": Way(_refused(0)),
    "ranges ignored": Way(_file(ranges=False)),
    "wheel, gzip": Way(_file(compressed="gzip")),
    "wheel, gzip, no ranges": Way(_file(compressed="gzip", ranges=False)),
    "wheel that moved": Way(_moved_file),
    "wheel cut off once": Way(_file(ranges=False, truncate=1000, truncations=1)),
    "wheel cut off for ever": Way(_file(ranges=False, truncate=1000), "cut short"),
    "wheel 503 once": Way(_file(failures=(503,))),
    "wheel 404": Way(_file(status=404), "answered 404"),
    "wheel with other bytes": Way(
        _file(body=gzip.compress(b"x") * 5000, ranges=False), "instead of"
    ),
    "wheel that is a page to sign in": Way(_login, "web page|instead of"),
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where all syncs of this module install: to make one takes a second."""
    return tmp_path_factory.mktemp("environment") / "venv"


def _outcome(world: World, environment: Path) -> str:
    """Lock and sync; return what was said, nothing where demo is installed."""
    project = Project(
        directory=world.directory / "project",
        index_url=f"{world.index.url}/",
        settings={"python": sys.executable, "venv": environment},
    )
    project.write(
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["demo"]\n'
        + this_target()
    )
    search_path = os.environ.get("PATH", "")
    try:
        project.lock()
        outcome = project.sync(SyncOptions(search_path=search_path, reinstall=True))
    except PolylockError as error:
        return f"{error} {' '.join(error.details())} {error.hint() or ''}"
    assert [entry.name for entry in (*outcome.plan.install, *outcome.plan.reinstall)]
    return INSTALLED


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_is_overcome_or_told(
    server: Server, tmp_path: Path, environment: Path, way: str
) -> None:
    """Demo is installed, or the message has the first cause and a next step."""
    world = World(server, tmp_path)
    WAYS[way].arrange(world)
    found = _outcome(world, environment)
    if WAYS[way].said == INSTALLED:
        assert found == INSTALLED
    else:
        assert re.search(WAYS[way].said, found), found


@pytest.mark.slow
def test_uv_overcomes_no_answer_that_polylock_does_not(tmp_path: Path) -> None:
    """Beside each other on the same servers, with the same patience."""
    python = new_environment(tmp_path / "uv-environment")
    worse = []
    for number, (name, way) in enumerate(WAYS.items()):
        with Server() as server:
            world = World(server, tmp_path / str(number))
            way.arrange(world)
            if _installed_by_uv(world, python) and way.said != INSTALLED:
                worse.append(name)
    assert worse == []


def _installed_by_uv(world: World, python: Path) -> bool:
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "uv",
                "pip",
                "install",
                "--no-config",
                "--reinstall",
            ),
            *("--python", python, "--index-url", f"{world.index.url}/", "demo"),
            *("--cache-dir", world.directory / "uv-cache"),
        ],
        env={**os.environ, "UV_HTTP_RETRIES": "3", "UV_HTTP_TIMEOUT": "10"},
        capture_output=True,
        check=False,
    )
    return done.returncode == 0
