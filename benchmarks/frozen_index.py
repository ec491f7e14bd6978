"""A frozen copy of an index on 127.0.0.1, recorded once and then served unchanged.

On disk it is ``simple/NAME/index.json`` (PEP 691; addresses are relative to the page
there, and served absolute, as the public index does),
``files/NAME/FILENAME`` with ``FILENAME.metadata`` beside it (PEP 658), and
``origins/NAME.json``, which says where the files came from.

Pages are fresh for ten minutes and files for ever, as on the public index, so that
every tool may use its cache as it would there.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from dataclasses import dataclass, replace
from http import HTTPStatus
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import urljoin

from polylock.index.remote_zip import LocalZip, RangesUnsupported, RemoteZip
from polylock.index_server.loopback_server import (
    Content,
    ContentHandler,
    LoopbackServer,
    normalized_page,
    path_segments,
    preferred_page,
)
from polylock.index_server.static_build import ListedFile, project_html
from polylock.network.answers import status_error

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.index.remote_zip import Archive
    from polylock.network.answers import Streaming
    from polylock.network.client import Client

__all__ = ["FrozenIndex", "Recorder", "Tally"]

logger = logging.getLogger(__name__)

_JSON = "application/vnd.pypi.simple.v1+json"
_PAGE_LIFETIME = "max-age=600, public"
_FILE_LIFETIME = "max-age=365000000, immutable, public"
_METADATA = ".metadata"


@dataclass(frozen=True, slots=True)
class Tally:
    """The requests since the last call; ``sent`` is in bytes, without headers.

    ``missing`` are the paths that the copy does not have.
    """

    requests: int = 0
    sent: int = 0
    missing: tuple[str, ...] = ()


class Recorder:
    """Fetches what a copy does not have from the index at ``url``.

    The copy has metadata for every wheel. If the index has no metadata files, the
    metadata is read from the wheel, with range requests if the index supports them.
    """

    def __init__(self, directory: Path, url: str, client: Client) -> None:
        self._directory = directory
        self._url = url if url.endswith("/") else f"{url}/"
        self._client = client

    def page(self, name: str) -> bool:
        """Record a project page; False if the index has no such project."""
        answer = self._client.get(f"{self._url}{name}/", headers={"Accept": _JSON})
        if answer.status == HTTPStatus.NOT_FOUND:
            return False
        if answer.status != HTTPStatus.OK:
            raise status_error(answer.url, answer.status)
        document = json.loads(answer.content)
        origins = {}
        for file in document["files"]:
            filename = file["filename"]
            origins[filename] = {
                "url": urljoin(answer.url, file["url"]),
                "metadata": bool(file.get("core-metadata", False)),
            }
            file["url"] = f"../../files/{name}/{filename}"
            file.pop("data-dist-info-metadata", None)
            if filename.endswith(".whl"):
                file["core-metadata"] = file.get("core-metadata") or True
        # The page comes last: where it is, the origins of its files are too.
        self._write_json(self._directory / "origins" / f"{name}.json", origins)
        self._write_json(self._page_path(name), document)
        return True

    def file(self, name: str, filename: str) -> bool:
        """Record a file or its metadata; False if the index has none."""
        base = filename.removesuffix(_METADATA)
        path = self._directory / "origins" / f"{name}.json"
        if not path.exists() and not self.page(name):
            return False
        origin = json.loads(path.read_bytes()).get(base)
        if origin is None:
            return False
        target = self._directory / "files" / name / filename
        if base == filename:
            return self._save(origin["url"], target)
        if origin["metadata"]:
            return self._save(origin["url"] + _METADATA, target)
        _write(target, [self._read_metadata(origin["url"], target.with_name(base))])
        return True

    def finish(self) -> None:
        """Write the hashes of the recorded metadata into the pages."""
        for path in sorted(self._directory.glob("simple/*/index.json")):
            document = json.loads(path.read_bytes())
            files = self._directory / "files" / path.parent.name
            for file in document["files"]:
                metadata = files / f"{file['filename']}{_METADATA}"
                if file.get("core-metadata") is True and metadata.exists():
                    digest = hashlib.sha256(metadata.read_bytes()).hexdigest()
                    file["core-metadata"] = {"sha256": digest}
            self._write_json(path, document)

    def _page_path(self, name: str) -> Path:
        return self._directory / "simple" / name / "index.json"

    def _save(self, url: str, target: Path) -> bool:
        def save(answer: Streaming) -> int:
            if answer.status == HTTPStatus.OK:
                _write(target, answer.chunks)
            return answer.status

        status = self._client.stream(url, save)
        if status not in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
            raise status_error(url, status)
        return status == HTTPStatus.OK

    def _read_metadata(self, url: str, wheel: Path) -> bytes:
        try:
            return _metadata(RemoteZip(self._client, url, wheel.name))
        except RangesUnsupported:
            self._save(url, wheel)
        with LocalZip(wheel, wheel.name) as archive:
            return _metadata(archive)

    @staticmethod
    def _write_json(path: Path, content: object) -> None:
        _write(path, [json.dumps(content, ensure_ascii=False).encode()])


class FrozenIndex:
    """Serves a copy while in a ``with`` statement.

    With a ``recorder``, missing pages and files are fetched first. Without one they are
    answered with 404 and counted as missing.
    """

    def __init__(self, directory: Path, recorder: Recorder | None = None) -> None:
        self.directory = directory
        self.recorder = recorder
        self._guard = threading.Lock()
        self._tally = Tally()
        self._server = _Server(self)

    @property
    def url(self) -> str:
        """Return the index URL, with a slash at its end."""
        return f"{self._server.url}simple/"

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.__exit__(*exception)

    def take_tally(self) -> Tally:
        """Return the requests since the last call."""
        with self._guard:
            tally, self._tally = self._tally, Tally()
        return tally

    def count(self, *, requests: int = 0, sent: int = 0, missing: str = "") -> None:
        """Add to the tally; may be called from any thread."""
        with self._guard:
            self._tally = replace(
                self._tally,
                requests=self._tally.requests + requests,
                sent=self._tally.sent + sent,
                missing=(*self._tally.missing, missing)
                if missing
                else self._tally.missing,
            )

    def page(self, name: str) -> Path | None:
        """Return a project page as JSON; record it if there is a recorder."""
        path = self.directory / "simple" / name / "index.json"
        if path.exists() or (self.recorder and self.recorder.page(name)):
            return path
        return None

    def file(self, name: str, filename: str) -> Path | None:
        """Return a file; record it if there is a recorder."""
        path = self.directory / "files" / name / filename
        if path.exists() or (self.recorder and self.recorder.file(name, filename)):
            return path
        return None


class _Server(LoopbackServer):
    def __init__(self, index: FrozenIndex) -> None:
        self.index = index
        super().__init__(0, _Handler)


class _Handler(ContentHandler):
    @property
    def _index(self) -> FrozenIndex:
        assert isinstance(self.server, _Server)
        return self.server.index

    def respond(self) -> None:
        """Answer with a page, a file or 404."""
        self._index.count(requests=1)
        match path_segments(self.path):
            case ["simple", _] as segments if moved := normalized_page(
                self.path, segments
            ):
                self.redirect(moved)
            case ["simple", name]:
                self._page(name)
            case ["files", name, filename]:
                self._file(name, filename)
            case _:
                self.refuse(HTTPStatus.NOT_FOUND)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: a line for each request would cost more than the answer."""

    def refuse(self, status: HTTPStatus) -> None:
        """Count what the copy does not have."""
        self._index.count(missing=self.path)
        super().refuse(status)

    def _page(self, name: str) -> None:
        path = self._index.page(name)
        if path is None:
            self.refuse(HTTPStatus.NOT_FOUND)
            return
        choice = preferred_page(",".join(self.headers.get_all("Accept", [])))
        status = path.stat()
        entity_tag = f"{status.st_mtime_ns:x}-{status.st_size:x}"
        host = self._index.url.removesuffix("simple/").encode()
        content = path.read_bytes().replace(b'"../../files/', b'"' + host + b"files/")
        if choice is not None and choice[1] == "index.html":
            content = _html(json.loads(content))
            entity_tag += "-html"
        self.send_content(
            Content(
                body=BytesIO(content),
                size=len(content),
                entity_tag=f'"{entity_tag}"',
                content_type=choice[0] if choice else _JSON,
                headers=_headers(_PAGE_LIFETIME),
            )
        )

    def _file(self, name: str, filename: str) -> None:
        path = self._index.file(name, filename)
        if path is None:
            self.refuse(HTTPStatus.NOT_FOUND)
            return
        self.send_file(path, "application/octet-stream", _headers(_FILE_LIFETIME))

    def copy(self, body: IO[bytes], wanted: range) -> None:
        """Let the kernel copy, so that the server takes little of the machine."""
        self.wfile.flush()
        self._index.count(sent=len(wanted))
        if isinstance(body, BytesIO):
            super().copy(body, wanted)
        else:
            self.connection.sendfile(body, offset=wanted.start, count=len(wanted))


def _headers(lifetime: str) -> tuple[tuple[str, str], ...]:
    return (("Cache-Control", lifetime), ("Vary", "Accept"))


def _html(page: dict[str, Any]) -> bytes:
    name: NormalizedName = page["name"]
    return project_html(name, [_listed(file) for file in page["files"]])


def _listed(file: dict[str, Any]) -> ListedFile:
    metadata = file.get("core-metadata")
    yanked = file.get("yanked", False)
    return ListedFile(
        filename=file["filename"],
        url=file["url"],
        size=file.get("size", 0),
        sha256=file["hashes"].get("sha256", ""),
        requires_python=file.get("requires-python"),
        metadata_sha256=metadata.get("sha256") if isinstance(metadata, dict) else None,
        yanked=None if yanked is False else str(yanked or ""),
    )


def _metadata(archive: Archive) -> bytes:
    """Return the core metadata of a wheel."""
    entry = next(
        entry
        for entry in archive.entries
        if entry.filename.endswith(".dist-info/METADATA")
        and entry.filename.count("/") == 1
    )
    return archive.read(entry)


def _write(path: Path, blocks: Iterable[bytes]) -> None:
    """Write a file in one step, so that no partial file is left behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{threading.get_ident()}.part")
    with part.open("wb") as stream:
        stream.writelines(blocks)
    part.replace(path)
