"""Tests of polylock.index_server.static_serve."""

from __future__ import annotations

import http.client
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from fakes.wheels import build_wheel
from polylock.errors import UsageError
from polylock.index_server.static_build import build_index
from polylock.index_server.static_serve import IndexServer, ServedRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JSON = "application/vnd.pypi.simple.v1+json"
WHEEL = "/files/demo/demo-1.0-py3-none-any.whl"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Return a built index with one project."""
    build_wheel(tmp_path / "wheels", "demo", "1.0")
    build_index(tmp_path / "wheels", tmp_path / "index")
    return tmp_path / "index"


class _Client:
    """A connection that is kept alive over the requests."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def get(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Return the response and its body."""
        self._connection.request(method, path, headers=headers or {})
        response = self._connection.getresponse()
        return response, response.read()


@contextmanager
def _client(server: IndexServer) -> Iterator[_Client]:
    host, _, port = server.url.removeprefix("http://").partition("/")[0].partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        yield _Client(connection)
    finally:
        connection.close()


@pytest.fixture
def client(index: Path) -> Iterator[_Client]:
    """Serve the index and return a client of it."""
    with IndexServer(index) as server, _client(server) as client:
        yield client


def test_page_comes_in_the_form_asked_for(client: _Client, index: Path) -> None:
    """JSON and HTML lie under one URL (PEP 691)."""
    page = index / "simple" / "demo"

    as_json, json_body = client.get("/simple/demo/", {"Accept": JSON})
    as_html, html_body = client.get("/simple/demo/")

    assert as_json.headers["Content-Type"] == JSON
    assert json_body == (page / "index.json").read_bytes()
    assert as_html.headers["Content-Type"] == "text/html; charset=utf-8"
    assert html_body == (page / "index.html").read_bytes()
    assert as_json.headers["Vary"] == "Accept"
    assert as_json.headers["ETag"] != as_html.headers["ETag"]


def test_page_is_refused_when_no_form_will_do(client: _Client) -> None:
    """A client that takes images alone gets 406."""
    response, _ = client.get("/simple/demo/", {"Accept": "image/png"})

    assert response.status == 406


@pytest.mark.parametrize("path", ["/simple/demo/", WHEEL, WHEEL + ".metadata"])
def test_known_answer_is_not_sent_again(client: _Client, path: str) -> None:
    """An entity tag that still holds is answered with 304 and no body."""
    first, body = client.get(path)
    again, nothing = client.get(path, {"If-None-Match": first.headers["ETag"]})
    other, whole = client.get(path, {"If-None-Match": '"other"'})

    assert (first.status, again.status, other.status) == (200, 304, 200)
    assert (nothing, whole) == (b"", body)
    assert again.headers["Cache-Control"] == "no-cache"


def test_changed_page_has_another_entity_tag(client: _Client, index: Path) -> None:
    """A page that was built again is sent."""
    first, _ = client.get("/simple/demo/")
    page = index / "simple" / "demo" / "index.html"
    page.write_bytes(page.read_bytes().replace(b"1.0", b"1.1"))

    again, _ = client.get("/simple/demo/", {"If-None-Match": first.headers["ETag"]})

    assert again.status == 200


@pytest.mark.parametrize(
    ("header", "status", "part"),
    [
        ("bytes=0-3", 206, slice(0, 4)),
        ("bytes=4-", 206, slice(4, None)),
        ("bytes=-6", 206, slice(-6, None)),
        ("bytes=0-1,4-5", 200, slice(None)),
        ("bytes=999999-", 416, slice(0, 0)),
    ],
)
def test_range_of_a_file(
    client: _Client, index: Path, header: str, status: int, part: slice
) -> None:
    """A single range is sent alone, its place in Content-Range."""
    content = (index / WHEEL[1:]).read_bytes()

    response, body = client.get(WHEEL, {"Range": header})

    assert response.status == status
    assert body == content[part]
    if status == 206:
        first = content.index(body)
        last = first + len(body) - 1
        place = f"bytes {first}-{last}/{len(content)}"
        assert response.headers["Content-Range"] == place
    if status == 416:
        assert response.headers["Content-Range"] == f"bytes */{len(content)}"


def test_range_of_another_state_gives_the_whole(client: _Client, index: Path) -> None:
    """If-Range with an entity tag that no longer holds asks for everything."""
    first, _ = client.get(WHEEL)
    tag = first.headers["ETag"]

    same, part = client.get(WHEEL, {"Range": "bytes=0-1", "If-Range": tag})
    other, whole = client.get(WHEEL, {"Range": "bytes=0-1", "If-Range": '"x"'})

    assert (same.status, part) == (206, b"PK")
    assert (other.status, whole) == (200, (index / WHEEL[1:]).read_bytes())


@pytest.mark.parametrize("path", ["/simple/", "/simple/demo/", WHEEL, "/files/no"])
def test_head_has_the_headers_of_get_and_no_body(client: _Client, path: str) -> None:
    """HEAD sends the size and not the file."""
    get, _ = client.get(path)
    head, body = client.get(path, method="HEAD")

    assert body == b""
    assert head.status == get.status
    for name in ("Content-Length", "Content-Type", "ETag"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/", "/simple/"),
        ("/simple", "/simple/"),
        ("/simple/demo", "/simple/demo/"),
        ("/simple/DEMO/", "/simple/demo/"),
    ],
)
def test_other_spelling_of_a_page_is_redirected(
    client: _Client, path: str, location: str
) -> None:
    """PEP 503: the page of a project has one URL."""
    response, _ = client.get(path)

    assert response.status == 301
    assert response.headers["Location"] == location


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/simple/../../secret.txt",
        "/files/%2e%2e/%2e%2e/secret.txt",
        "/files/..%2f..%2fsecret.txt",
        "/files/..\\..\\secret.txt",
        "/files/way-out/secret.txt",
        "/simple/way-out/",
        "/secret.txt%00",
    ],
)
def test_nothing_outside_the_directory_is_served(
    client: _Client, index: Path, path: str
) -> None:
    """Neither dots nor a link lead out of the directory."""
    (index.parent / "secret.txt").write_text("secret")
    (index.parent / "index.html").write_text("secret")
    if sys.platform != "win32":  # making a link needs a privilege there
        (index / "files" / "way-out").symlink_to(index.parent)
        (index / "simple" / "way-out").symlink_to(index.parent)

    response, body = client.get(path)

    assert response.status == 404
    assert b"secret" not in body


@pytest.mark.parametrize("path", ["/simple/missing/", "/files/", "/files/demo/no.whl"])
def test_missing_file_is_404_and_the_connection_lives_on(
    client: _Client, path: str
) -> None:
    """An error leaves the connection usable."""
    missing, _ = client.get(path)
    page, _ = client.get("/simple/")

    assert (missing.status, page.status) == (404, 200)
    assert missing.headers["Connection"] is None


def test_other_methods_are_refused(client: _Client) -> None:
    """Nothing can be changed through the server."""
    response, _ = client.get(WHEEL, method="DELETE")

    assert response.status == 501


def test_page_lifetime_is_told_to_clients(index: Path) -> None:
    """A client may be allowed to keep pages for some time."""
    with IndexServer(index, page_lifetime=600) as server, _client(server) as client:
        page, _ = client.get("/simple/")

    assert page.headers["Cache-Control"] == "max-age=600"


def test_requests_are_told_to_the_listener(index: Path) -> None:
    """``on_request`` is called for every request."""
    seen: list[ServedRequest] = []

    with (
        IndexServer(index, on_request=seen.append) as server,
        _client(server) as client,
    ):
        client.get("/simple/demo/")
        client.get("/simple/none/", method="HEAD")

    assert seen == [
        ServedRequest("GET", "/simple/demo/", 200),
        ServedRequest("HEAD", "/simple/none/", 404),
    ]


def test_server_listens_on_loopback_alone(index: Path) -> None:
    """The URL names 127.0.0.1 and the port that was taken."""
    with IndexServer(index) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert server.url.endswith("/simple/")


def test_leaving_frees_the_port_while_a_client_keeps_its_connection(
    index: Path,
) -> None:
    """A kept connection neither delays the end nor survives it."""
    with IndexServer(index) as server:
        url = server.url
        port = int(url.split(":")[2].partition("/")[0])
        idle = socket.create_connection(("127.0.0.1", port), timeout=10)
        idle.sendall(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle.recv(4096).startswith(b"HTTP/1.1 301")
    with idle:
        assert idle.recv(1) == b""
    with IndexServer(index, port=port) as server:
        assert server.url == url


def test_wait_returns_when_the_time_is_over(index: Path) -> None:
    """``--for SECONDS`` ends by itself."""
    with IndexServer(index) as server:
        server.wait(0)


def test_wait_returns_on_interrupt(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends the server without a traceback."""

    def interrupted(_self: threading.Event, _timeout: float | None = None) -> bool:
        raise KeyboardInterrupt

    with IndexServer(index) as server:
        monkeypatch.setattr(threading.Event, "wait", interrupted)
        server.wait()
        monkeypatch.undo()


def test_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    """The hint names the command that makes one."""
    with pytest.raises(UsageError) as caught:
        IndexServer(tmp_path)

    assert "polylock index build" in str(caught.value.hint())


@pytest.mark.parametrize("port", [-1, 65536])
def test_port_that_cannot_be_is_refused(index: Path, port: int) -> None:
    """A number that is not a port is an error."""
    with pytest.raises(UsageError, match=f"127.0.0.1:{port}"):
        IndexServer(index, port=port)


def test_port_in_use_is_refused(index: Path) -> None:
    """A second server on the same port is an error."""
    with IndexServer(index) as server:
        port = int(server.url.split(":")[2].partition("/")[0])
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}"):
            IndexServer(index, port=port)
