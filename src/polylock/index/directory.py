"""An index that is a directory on disk: a static simple index, or files side by side.

What lies on disk may change between two runs without a trace, so nothing of it is
taken from the cache but the hash of a file whose size and times are the same.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from polylock.cache.regular_files import file_digest, read_regular
from polylock.cache.store import Bucket
from polylock.errors import IndexRequestError
from polylock.index.json_page import InvalidPage, parse_json_page
from polylock.index.releases import IndexPage, decode_releases, encode_releases
from polylock.model.distributions import RemoteFile
from polylock.network.local_files import local_path

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.utils import NormalizedName

    from polylock.cache.store import Store
    from polylock.model.distributions import Releases
    from polylock.model.inputs import IndexFormat, IndexLocation

__all__ = ["DirectoryIndex"]

_SDISTS = (".tar.gz", ".zip")
_DISTRIBUTIONS = (".whl", *_SDISTS)
_VARIANTS = "-variants.json"


class DirectoryIndex:
    """The releases in a directory; safe to use from many threads.

    ``format`` is ``flat`` where the files themselves are in the directory, and
    ``simple`` where it has a directory with a page for each project (PEP 503, PEP
    691). Where the location leaves it open, it is flat if there is a wheel or source
    distribution.
    """

    def __init__(self, location: IndexLocation, store: Store) -> None:
        self.name = location.name
        self.explicit = location.explicit
        self.url = location.url
        self._format = location.format
        self._store = store

    def cached_releases(self, name: NormalizedName) -> Releases | None:
        """Return what ``releases`` does: a disk is asked without a request."""
        return self.releases(name)

    def releases(self, name: NormalizedName) -> Releases | None:
        """Return the releases of a project, None where the directory has none.

        Raises IndexRequestError where it cannot be read.
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
        """Return whether the files or pages of projects are in the directory."""
        if self._format is not None:
            return self._format
        return "flat" if self._files else "simple"

    @cached_property
    def _directory(self) -> Path:
        path = local_path(self.url)
        if path is None:
            raise self._failed("is no path of this machine")
        if not path.is_dir():
            raise self._failed("there is no such directory")
        return path

    @cached_property
    def _files(self) -> list[Path]:
        """Return the files that may be of some project, by name."""
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
                # Most have the page in JSON too, so its parser is not loaded at start.
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
    """Say whether a file could be of a project, so that others are not hashed."""
    if path.name.endswith(_SDISTS):
        return canonicalize_name(path.name).startswith(f"{name}-")
    return canonicalize_name(path.name.partition("-")[0]) == name
