"""Members of an archive on a server, by ranges."""

from __future__ import annotations

import io
import random
import zipfile
from typing import TYPE_CHECKING

import pytest

from fakes.server import Answer, Server
from fakes.wheels import build_wheel
from polylock.errors import FileCorrupt
from polylock.index.remote_zip import Archive, LocalZip, RangesUnsupported, RemoteZip

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.network.client import Client

LARGE = random.Random(0).randbytes(200_000)


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return output.getvalue()


def content_of(archive: Archive, name: str) -> bytes:
    """Return the content of a member by its name."""
    return archive.read({entry.filename: entry for entry in archive.entries}[name])


def _open(server: Server, client: Client, body: bytes, **fields: bool) -> RemoteZip:
    server.routes["/demo.whl"] = Answer(body=body, **fields)  # type: ignore[arg-type]
    return RemoteZip(client, f"{server.url}/demo.whl", "demo.whl")


def test_a_member_in_the_tail_takes_one_request(
    server: Server, client: Client, tmp_path: Path
) -> None:
    """Directory and metadata stand at the end of a wheel."""
    wheel = build_wheel(tmp_path, "demo", "1.0", files={"demo/data": LARGE})
    archive = _open(server, client, wheel.read_bytes())
    assert b"Name: demo" in content_of(archive, "demo-1.0.dist-info/METADATA")
    assert [r.headers["range"] for r in server.log] == ["bytes=-65536"]
    assert archive.entries[0].filename == "demo/data"


def test_a_member_before_the_tail_takes_one_more(
    server: Server, client: Client
) -> None:
    """Its header and content come in one request, far from the whole file."""
    body = _zip({"a": LARGE, "first": b"x" * 1000, "b": LARGE})
    archive = _open(server, client, body)
    assert content_of(archive, "first") == b"x" * 1000
    assert len(server.log) == 2
    assert client.traffic.received < len(body) / 2


def test_a_directory_larger_than_the_tail_is_read(
    server: Server, client: Client
) -> None:
    """A wheel of thousands of files has a long directory."""
    members = {f"package/a-rather-long-name-{n:06}": b"" for n in range(2000)}
    archive = _open(server, client, _zip({**members, "last": b"content"}))
    assert len(archive.entries) == 2001
    assert content_of(archive, "last") == b"content"
    assert content_of(archive, "package/a-rather-long-name-000000") == b""


def test_a_file_smaller_than_the_tail_is_read(server: Server, client: Client) -> None:
    """With ranges, and without: what comes whole is taken."""
    body = _zip({"a": b"content"})
    assert content_of(_open(server, client, body), "a") == b"content"
    assert content_of(_open(server, client, body, ranges=False), "a") == b"content"


def test_a_server_without_ranges_is_told_apart(server: Server, client: Client) -> None:
    """A large file that comes whole is not read to its end."""
    body = _zip({"a": LARGE * 20})
    with pytest.raises(RangesUnsupported):
        _open(server, client, body, ranges=False)
    assert client.traffic.received < len(body)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 416, 500, 501, 502, 0])
def test_any_refusal_of_a_range_means_no_ranges(
    server: Server, client: Client, status: int
) -> None:
    """Servers use many statuses for it; 0 is a connection that was closed."""
    body = _zip({"a": b"content"})
    server.routes["/demo.whl"] = Answer(body=body, to_ranges=status)
    with pytest.raises(RangesUnsupported):
        RemoteZip(client, f"{server.url}/demo.whl", "demo.whl")


@pytest.mark.parametrize("ranges", [True, False])
def test_a_compressed_answer_means_no_ranges(
    server: Server, client: Client, *, ranges: bool
) -> None:
    """A part of the compressed bytes is no part of the file."""
    body = _zip({"a": b"content", "b": LARGE})
    server.routes["/demo.whl"] = Answer(body=body, compressed="gzip", ranges=ranges)
    with pytest.raises(RangesUnsupported):
        RemoteZip(client, f"{server.url}/demo.whl", "demo.whl")


@pytest.mark.parametrize("body", [b"no archive", b"PK\5\6" + b"\xff" * 18, LARGE])
def test_what_is_no_archive_is_corrupt(
    server: Server, client: Client, body: bytes
) -> None:
    """The file is named, zipfile's exceptions stay inside."""
    with pytest.raises(FileCorrupt, match=r"demo\.whl"):
        _open(server, client, body)


def test_a_damaged_member_is_corrupt(server: Server, client: Client) -> None:
    """The CRC is checked."""
    body = _zip({"a": b"content"}).replace(b"content", b"contemt")
    with pytest.raises(FileCorrupt, match="damaged"):
        content_of(_open(server, client, body), "a")


def test_a_huge_member_is_refused(server: Server, client: Client) -> None:
    """A zip bomb is not unpacked."""
    body = _zip({"a": b"\0" * (17 << 20)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(FileCorrupt, match="larger than"):
        content_of(_open(server, client, body), "a")


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_unusual_compression_is_read(
    server: Server, client: Client, kind: int
) -> None:
    """What zipfile reads, as pip does, but within bounds."""
    body = _zip({"a": b"content"}, kind)
    assert content_of(_open(server, client, body), "a") == b"content"


def test_a_file_that_changes_meanwhile_is_not_read(
    server: Server, client: Client
) -> None:
    """Parts of two files are never put together; the whole is fetched, and verified."""
    archive = _open(server, client, _zip({"first": b"1", "a": LARGE}))
    server.change("/demo.whl", body=_zip({"first": b"1", "a": LARGE + b"more"}))
    with pytest.raises(RangesUnsupported):
        content_of(archive, "first")


def test_a_local_archive_reads_alike(tmp_path: Path) -> None:
    """The same interface for a file on disk."""
    path = tmp_path / "demo.whl"
    path.write_bytes(_zip({"a": b"content"}))
    with LocalZip(path, "demo.whl") as archive:
        assert content_of(archive, "a") == b"content"
    path.write_bytes(b"nothing")
    with pytest.raises(FileCorrupt, match=r"demo\.whl"):
        LocalZip(path, "demo.whl")
