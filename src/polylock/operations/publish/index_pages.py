"""Reads a whole index for its publisher: every page, and the inside of wheels.

An index is a URL or a directory: pages (PEP 503, PEP 691) below it or below ``simple``
in it, one page with links to all files, or a folder of files. Nothing is cached: what
was just uploaded counts.
"""

from __future__ import annotations

import re
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

import msgspec
from packaging.utils import NormalizedName, canonicalize_name

from polylock.cache.regular_files import read_regular
from polylock.errors import (
    FileCorrupt,
    IndexRequestError,
    Offline,
    ProjectNotFound,
    UsageError,
)
from polylock.index.html_page import parse_html_page, start_tags
from polylock.index.json_page import InvalidPage, parse_json_page
from polylock.index.metadata_files import dist_info
from polylock.index.remote_zip import LocalZip, RangesUnsupported, RemoteZip
from polylock.index.variant_files import VARIANT_JSON
from polylock.model.archive_checks import RefusedArchive
from polylock.model.core_metadata import CoreMetadata, InvalidCoreMetadata
from polylock.model.distributions import RemoteFile
from polylock.model.filenames import InvalidFilename, SdistFilename, WheelFilename
from polylock.model.visible_text import visible
from polylock.network.answers import status_error
from polylock.network.auth import redact
from polylock.network.keyed_jobs import KeyedJobs
from polylock.network.local_files import is_local, local_content, local_path
from polylock.values import Value, replace
from polylock.variants.variant_json import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from polylock.index_server.lint import OpenedFile
    from polylock.operations.context import Context

__all__ = ["MOST_PROJECTS", "IndexPages", "Page"]

MOST_PROJECTS = 5000
"""Most projects of an index that are read without a name: all else is a mistake."""

_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = ("application/vnd.pypi.simple.v1+html", "text/html", "application/xhtml+xml")
_ACCEPT = f"{_JSON}, {_HTML[0]};q=0.2, {_HTML[1]};q=0.01"  # PEP 691, negotiation
_FILES = (".whl", ".tar.gz", ".zip", "-variants.json")
_INDEX_LEVEL_NAME = re.compile(r"(.+?)-[^-]+-variants\.json")
_METADATA = "METADATA"
_SMALL = 1 << 24
"""Bytes of a wheel that is fetched whole where a server has no range requests."""


class Page(Value, frozen=True):
    """A page as served: its URL, ``html`` or ``json``, and its bytes."""

    url: str
    form: str
    content: bytes

    @property
    def files(self) -> list[RemoteFile]:
        """Return the files that it lists; raises IndexRequestError."""
        parse = parse_json_page if self.form == "json" else parse_html_page
        try:
            rows = parse(self.content, self.url)
        except InvalidPage as error:
            raise IndexRequestError(redact(self.url), 200, str(error)) from error
        # A server must not decide what is read from the disk of its client.
        return [row for row in rows if is_local(self.url) or not is_local(row.url)]


class _Root(msgspec.Struct):
    projects: list[dict[str, object]]


class IndexPages:
    """The pages of an index, and what its files contain.

    Every method raises IndexRequestError, Offline and UsageError.
    """

    def __init__(self, place: str, context: Context) -> None:
        self._context = context
        self.directory = None if "://" in place else Path(place)
        if self.directory is not None:
            if not self.directory.is_dir():
                raise UsageError(
                    f"{place} is not a directory", "name the index by URL or directory"
                )
            simple = self.directory / "simple"
            self.root = simple if simple.is_dir() else self.directory
            self.url = f"{self.root.absolute().as_uri()}/"
        elif is_local(place):
            raise UsageError(f"{place} is a file URL", "write the path")
        else:
            self.url = f"{place.rstrip('/')}/"

    @cached_property
    def on_index(self) -> bool:
        """Return True if there are pages; false for a folder of files."""
        return self.directory is None or not self._loose_files

    @cached_property
    def names(self) -> tuple[NormalizedName, ...]:
        """Return the projects, sorted; raises UsageError for too many."""
        if self._flat is not None:
            found = set(self._flat)
        elif self.directory is not None:
            found = {
                canonicalize_name(path.parent.name)
                for pattern in ("*/index.html", "*/index.json")
                for path in self.root.glob(pattern)
            }
        else:
            found = set(self._listed())
        if len(found) > MOST_PROJECTS:
            raise UsageError(
                f"the index has {len(found):,} projects", "name those to read"
            )
        return tuple(sorted(found))

    def files(self, name: NormalizedName) -> list[RemoteFile]:
        """Return the files of a project; raises ProjectNotFound."""
        if self._flat is not None:
            found = self._flat.get(name)
        else:
            pages = self.pages(name)
            found = pages[0].files if pages else None
        if found is None:
            raise ProjectNotFound(name, [redact(self.url)])
        return found

    def pages(self, name: NormalizedName) -> list[Page]:
        """Return the page of a project in each form that there is, JSON first."""
        found: list[Page] = []
        if self.directory is not None:
            folder = self.root / name
            for form in ("json", "html"):
                path = folder / f"index.{form}"
                if path.is_file():
                    url = f"{folder.absolute().as_uri()}/"
                    found.append(Page(url, form, _read(path)))
            return found
        page = self._get(f"{self.url}{name}/")
        return [] if page is None else [page]

    def forms(self, name: NormalizedName) -> list[Page]:
        """Return the page of a project in each form that there is, JSON first.

        A static host serves ``index.html``, and may have ``index.json`` beside it.
        """
        return self._forms(self.pages(name), f"{self.url}{name}/")

    def root_forms(self) -> list[Page]:
        """Return the list of projects in each form that there is."""
        if self.directory is None:
            page = self._root_page
            return self._forms([] if page is None else [page], self.url)
        return [
            Page(self.url, form, _read(self.root / f"index.{form}"))
            for form in ("json", "html")
            if (self.root / f"index.{form}").is_file()
        ]

    def loose(self, name: NormalizedName) -> list[RemoteFile]:
        """Return the files of a project in a folder of files, none if it has none."""
        return (self._flat or {}).get(name, [])

    def listed_on(self, page: Page) -> set[NormalizedName]:
        """Return the projects that a root page lists."""
        if page.form == "html":
            return set(_linked(page))
        try:
            root = msgspec.json.decode(page.content, type=_Root)
        except (msgspec.DecodeError, RecursionError) as error:
            problem = f"it is no list of projects: {error}"
            raise IndexRequestError(redact(page.url), 200, problem) from error
        names = [each.get("name") for each in root.projects]
        return {canonicalize_name(name) for name in names if isinstance(name, str)}

    def _forms(self, found: list[Page], url: str) -> list[Page]:
        if self.directory is not None or not found:
            return found
        if found[0].form == "html":
            beside = self._beside(f"{url}index.json")
            return found if beside is None else [Page(url, "json", beside), *found]
        other = self._get(url, accept=_HTML[1])
        return found if other is None or other.form == "json" else [*found, other]

    def _beside(self, url: str) -> bytes | None:
        """Return a JSON file on a static host, None if there is none."""
        response = self._context.client.get(url)
        if response.status != 200 or not response.content.lstrip().startswith(b"{"):
            return None
        return response.content

    def opened(self, files: Iterable[OpenedFile]) -> list[OpenedFile]:
        """Return the files with the metadata of those that have variants."""
        jobs = KeyedJobs(threads=self._context.settings.threads)
        wanted = list(files)
        with jobs:
            for position, each in enumerate(wanted):
                jobs.start(position, partial(self._opened, each))
            return [
                jobs.result(position, partial(self._opened, each))
                for position, each in enumerate(wanted)
            ]

    # ---- pages ----

    @cached_property
    def _loose_files(self) -> list[Path]:
        assert self.directory is not None
        return sorted(
            path
            for path in self.root.iterdir()
            if path.name.endswith(_FILES) and path.is_file()
        )

    @cached_property
    def _flat(self) -> dict[NormalizedName, list[RemoteFile]] | None:
        """Return the files by project if they are together, else None."""
        if self.directory is not None:
            rows = [
                RemoteFile(
                    filename=path.name,
                    url=path.absolute().as_uri(),
                    size=path.stat().st_size,
                )
                for path in self._loose_files
            ]
        else:
            page = self._root_page
            if page is None or page.form == "json":
                return None
            rows = page.files
            if not any(row.filename.endswith(_FILES) for row in rows):
                return None
        by_project: dict[NormalizedName, list[RemoteFile]] = {}
        for row in rows:
            name = _project_of(row.filename)
            if name is not None:
                by_project.setdefault(name, []).append(row)
        return by_project or None

    @cached_property
    def _root_page(self) -> Page | None:
        return self._get(self.url)

    def _listed(self) -> set[NormalizedName]:
        """Return the projects that the root page lists."""
        page = self._root_page
        if page is None:
            raise UsageError(
                f"{redact(self.url)} does not list its projects", "name those to read"
            )
        return self.listed_on(page)

    def _get(self, url: str, *, accept: str = _ACCEPT) -> Page | None:
        self._need_network(url)
        response = self._context.client.get(url, headers={"accept": accept})
        if response.status in {404, 410}:
            return None
        if response.status != 200:
            raise status_error(response.url, response.status)
        header = response.headers.get("content-type", "")
        kind = header.partition(";")[0].strip().lower()
        if kind != _JSON and kind not in _HTML:
            problem = f"{kind or 'an answer without a type'} is not a project page"
            raise IndexRequestError(redact(response.url), 200, problem)
        form = "json" if kind == _JSON else "html"
        return Page(response.url, form, response.content)

    def _need_network(self, url: str) -> None:
        if self._context.settings.offline:
            raise Offline(redact(url), None, "this command asks the index itself")

    # ---- files ----

    def _opened(self, each: OpenedFile) -> OpenedFile:
        name = each.file.filename
        try:
            if not name.endswith(".whl"):
                return replace(each, is_read=True, content=self._index_level(each.file))
            if WheelFilename.parse(name).variant_label is None:
                return each
            return self._wheel(each)
        except Offline:
            raise
        except (FileCorrupt, IndexRequestError, RefusedArchive) as error:
            return replace(each, problem=str(error))

    def _index_level(self, file: RemoteFile) -> bytes:
        content = self._content(file)
        if content is None:
            raise IndexRequestError(redact(file.url), 404, "there is no such file")
        return content

    def _content(self, file: RemoteFile) -> bytes | None:
        if is_local(file.url):
            return local_content(file.url)
        self._need_network(file.url)
        response = self._context.client.get(file.url, largest=LARGEST)
        if response.status in {404, 410}:
            return None
        if response.status != 200:
            raise status_error(response.url, response.status)
        return response.content

    def _wheel(self, each: OpenedFile) -> OpenedFile:
        file = each.file
        names = (VARIANT_JSON, _METADATA)
        if is_local(file.url):
            path = local_path(file.url)
            if path is None or not path.is_file():
                raise IndexRequestError(file.url, None, "there is no such file")
            members = _members(path, file.filename)
        else:
            self._need_network(file.url)
            try:
                remote = RemoteZip(self._context.client, file.url, file.filename)
                members = dist_info(remote, file.filename, names)
            except RangesUnsupported:
                self._require(file)
                if file.size is None or file.size > _SMALL:
                    reason = "the server has no range requests"
                    return replace(each, unopened=reason)
                found = self._context.downloader.fetch(file)
                members = _members(found.path, file.filename)
        return replace(
            each,
            is_read=True,
            content=members.get(VARIANT_JSON),
            requires=_requires(members.get(_METADATA)),
        )

    def _require(self, file: RemoteFile) -> None:
        """Raise IndexRequestError if a server does not have a file."""
        status = self._context.client.stream(file.url, lambda answer: answer.status)
        if status != 200:
            raise status_error(file.url, status)


def _read(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError as error:
        problem = error.strerror or str(error)
        raise IndexRequestError(path.absolute().as_uri(), None, problem) from error


def _members(path: Path, filename: str) -> dict[str, bytes]:
    with LocalZip(path, filename) as archive:
        return dist_info(archive, filename, (VARIANT_JSON, _METADATA))


def _requires(content: bytes | None) -> CoreMetadata | None:
    """Return the metadata of a wheel; None if it is invalid, which others tell."""
    try:
        return None if content is None else CoreMetadata.parse(content)
    except InvalidCoreMetadata:
        return None


def _project_of(filename: str) -> NormalizedName | None:
    """Return the project of a file, None for a file of another kind."""
    try:
        if filename.endswith(".whl"):
            return canonicalize_name(filename.partition("-")[0])
        if filename.endswith("-variants.json"):
            found = _INDEX_LEVEL_NAME.fullmatch(filename)
            return None if found is None else canonicalize_name(found[1])
        return SdistFilename.parse(filename).name
    except InvalidFilename:
        return None


def _linked(page: Page) -> Iterable[NormalizedName]:
    """Yield the projects whose pages a root page in HTML links to."""
    for tag, attributes in start_tags(page.content.decode("utf-8", "replace")):
        reference = attributes.get("href") if tag == "a" else None
        if not reference:
            continue
        try:
            path = urlsplit(urljoin(page.url, reference)).path
        except ValueError:
            continue
        name = canonicalize_name(unquote(path.rstrip("/").rpartition("/")[2]))
        if name and visible(name) == name and ".." not in name:
            yield name
