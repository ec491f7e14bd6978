"""An index that is a directory on disk: a static simple index, or just files.

A directory can change at any time, so nothing is taken from the cache except the hash
of a file whose size and times are unchanged.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName, canonicalize_name

from polylock.cache.regular_files import file_digest, read_regular
from polylock.cache.store import Bucket, Store
from polylock.errors import IndexRequestError
from polylock.index.json_page import InvalidPage, parse_json_page
from polylock.index.releases import IndexPage, decode_releases, encode_releases
from polylock.model.distributions import Releases, RemoteFile
from polylock.network.local_files import local_path

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.model.inputs import IndexFormat, IndexLocation

__all__ = ["DirectoryIndex"]

_SDISTS = (".tar.gz", ".zip")
_DISTRIBUTIONS = (".whl", *_SDISTS)
_VARIANTS = "-variants.json"


class DirectoryIndex:
    """The releases in a directory; thread-safe.

    ``format`` is ``flat`` if the files themselves are in the directory, and ``simple``
    if it has a directory with a page for each project (PEP 503, PEP 691). If the
    location does not give it, it is flat if there is a wheel or source distribution.
    """

    def __init__(self, location: IndexLocation, store: Store) -> None:
        self.name = location.name
        self.explicit = location.explicit
        self.url = location.url
        self._format = location.format
        self._store = store

    def cached_releases(self, name: NormalizedName) -> Releases | None:
        """Return the result of ``releases``, which never takes a request."""
        return self.releases(name)

    def releases(self, name: NormalizedName) -> Releases | None:
        """Return the releases of a project, None if the directory has none.

        Raises IndexRequestError if it cannot be read.
        """
        try:
            if self.format == "flat":
                rows = [self._row(path) for path in self._files if _may_be(path, name)]
            else:
                rows = self._page(name)
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from error
        if not rows:
            return None
        page = IndexPage(name=name, index=self.name, index_url=self.url)
        releases = decode_releases(encode_releases(name, rows), page)
        return releases if releases.versions or self.format == "simple" else None

    @cached_property
    def format(self) -> IndexFormat:
        """Return ``flat`` for a directory of files, ``simple`` for one of pages."""
        if self._format is not None:
            return self._format
        return "flat" if self._files else "simple"

    @cached_property
    def _directory(self) -> Path:
        path = local_path(self.url)
        if path is None:
            raise self._failed("is not a path on this machine")
        if not path.is_dir():
            raise self._failed("there is no such directory")
        return path

    @cached_property
    def _files(self) -> list[Path]:
        """Return the distributions and variant metadata files, sorted."""
        try:
            return sorted(
                path
                for path in self._directory.iterdir()
                if path.name.endswith((*_DISTRIBUTIONS, _VARIANTS)) and path.is_file()
            )
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from error

    def _row(self, path: Path) -> RemoteFile:
        status = path.stat()
        key = f"sha256 of {path} {status.st_size} {status.st_mtime_ns}"
        key += f" {status.st_ctime_ns}"
        known = self._store.read(Bucket.METADATA, key)
        if known is not None:
            sha256 = bytes(known).decode("ascii", "replace")
        else:
            sha256 = file_digest(path)
            self._store.write(Bucket.METADATA, key, sha256.encode("ascii"))
        return RemoteFile(
            filename=path.name,
            url=path.as_uri(),
            hashes={"sha256": sha256},
            size=status.st_size,
        )

    def _page(self, name: NormalizedName) -> list[RemoteFile]:
        directory = self._directory / name
        base_url = f"{directory.as_uri()}/"
        page = directory / "index.json"
        try:
            if page.is_file():
                return parse_json_page(read_regular(page), base_url)
            page = directory / "index.html"
            if page.is_file():
                # Most indexes have a JSON page too, so this is imported when needed.
                from polylock.index.html_page import (  # noqa: PLC0415
                    parse_html_page,
                )

                return parse_html_page(read_regular(page), base_url)
        except InvalidPage as error:
            raise IndexRequestError(page.as_uri(), None, str(error)) from error
        return []

    def _failed(self, problem: str) -> IndexRequestError:
        return IndexRequestError(self.url, None, problem)


def _may_be(path: Path, name: NormalizedName) -> bool:
    """Return True if a file may belong to a project; others are not hashed."""
    if path.name.endswith(_SDISTS):
        return canonicalize_name(path.name).startswith(f"{name}-")
    return canonicalize_name(path.name.partition("-")[0]) == name
