"""Record from one index, serve from the copy."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from fakes.server import JSON, Answer, Server
from fakes.wheels import build_wheel
from frozen_index import FrozenIndex, Recorder
from polylock.network.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHEEL = "demo-1.0-py3-none-any.whl"


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[Server]:
    """Serve one wheel, without a metadata file, as some indexes do."""
    content = build_wheel(tmp_path, "demo", "1.0").read_bytes()
    page = {
        "meta": {"api-version": "1.1"},
        "name": "demo",
        "files": [
            {
                "filename": WHEEL,
                "url": f"../../stored/{WHEEL}",
                "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
                "size": len(content),
            }
        ],
    }
    with Server() as server:
        server.routes["/simple/demo/"] = Answer(
            body=json.dumps(page).encode(), content_type=JSON
        )
        server.routes[f"/stored/{WHEEL}"] = Answer(body=content)
        yield server


def ask(url: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Return status, body and headers of an answer."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(url, headers=names)) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


@pytest.fixture
def recorded(tmp_path: Path, origin: Server) -> Path:
    """Record the page, the wheel and its metadata."""
    directory = tmp_path / "copy"
    with Client() as client:
        recorder = Recorder(directory, f"{origin.url}/simple/", client)
        with FrozenIndex(directory, recorder) as index:
            ask(f"{index.url}demo/")
            for suffix in ("", ".metadata"):
                ask(f"{index.url[:-8]}/files/demo/{WHEEL}{suffix}")
        recorder.finish()
    return directory


def test_a_copy_answers_without_its_origin(recorded: Path, origin: Server) -> None:
    """What was recorded is served as it was, and the origin is not asked."""
    asked = len(origin.log)
    content = origin.routes[f"/stored/{WHEEL}"].body
    with FrozenIndex(recorded) as index:
        status, body, headers = ask(f"{index.url}demo/", Accept=JSON)
        wheel = ask(f"{index.url[:-8]}/files/demo/{WHEEL}")
        tally = index.take_tally()
    assert status == 200
    assert headers["Cache-Control"].startswith("max-age=600")
    assert json.loads(body)["files"][0]["url"] == f"{index.url[:-8]}/files/demo/{WHEEL}"
    assert wheel[1] == content
    assert (tally.requests, tally.missing) == (2, ())
    assert tally.sent == len(body) + len(content)
    assert len(origin.log) == asked


def test_metadata_is_offered_where_the_origin_has_none(recorded: Path) -> None:
    """The metadata is read out of the wheel, and the page gives its hash."""
    with FrozenIndex(recorded) as index:
        page = json.loads(ask(f"{index.url}demo/", Accept=JSON)[1])
        metadata = ask(f"{index.url[:-8]}/files/demo/{WHEEL}.metadata")[1]
    digest = hashlib.sha256(metadata).hexdigest()
    assert page["files"][0]["core-metadata"] == {"sha256": digest}
    assert b"\nName: demo\n" in metadata


def test_a_miss_is_refused_and_counted(recorded: Path) -> None:
    """A copy never asks an index: what it does not have is an error to look into."""
    with FrozenIndex(recorded) as index:
        status, *_ = ask(f"{index.url}other/")
        tally = index.take_tally()
        assert index.take_tally().missing == ()
    assert status == 404
    assert tally.missing == ("/simple/other/",)


def test_an_unchanged_page_is_not_sent_again(recorded: Path) -> None:
    """A page is revalidated by its entity tag."""
    with FrozenIndex(recorded) as index:
        _, _, headers = ask(f"{index.url}demo/", Accept=JSON)
        index.take_tally()
        status, *_ = ask(
            f"{index.url}demo/", Accept=JSON, If_None_Match=headers["ETag"]
        )
        tally = index.take_tally()
    assert (status, tally.sent) == (304, 0)


def test_html_is_for_those_who_ask_for_it(recorded: Path) -> None:
    """The same page is there in both forms."""
    with FrozenIndex(recorded) as index:
        _, body, headers = ask(f"{index.url}demo/", Accept="text/html")
    assert headers["Content-Type"].startswith("text/html")
    assert f'href="{index.url[:-8]}/files/demo/{WHEEL}#sha256='.encode() in body


def test_ranges_of_a_file(recorded: Path) -> None:
    """A part of a wheel can be asked for."""
    with FrozenIndex(recorded) as index:
        status, body, _ = ask(f"{index.url[:-8]}/files/demo/{WHEEL}", Range="bytes=0-1")
    assert (status, body) == (206, b"PK")


def test_what_the_origin_does_not_have_is_a_miss(
    tmp_path: Path, origin: Server
) -> None:
    """Recording passes on that there is no such project, and keeps nothing of it."""
    with Client() as client:
        recorder = Recorder(tmp_path / "copy", f"{origin.url}/simple/", client)
        with FrozenIndex(tmp_path / "copy", recorder) as index:
            status, *_ = ask(f"{index.url}other/")
    assert status == 404
    assert not (tmp_path / "copy" / "simple" / "other").exists()
