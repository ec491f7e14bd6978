"""Fetches metadata from the cheapest place that has it.

That is the metadata file of a wheel (PEP 658), the end of the wheel by range requests,
or the whole file.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from polylock.errors import (
    AnswerTooLong,
    FileCorrupt,
    HashMismatch,
    IndexRequestError,
    Offline,
)
from polylock.model.filenames import WheelFilename
from polylock.model.hashes import hash_value, strongest
from polylock.network.answers import Streaming, status_error
from polylock.network.auth import origin, redact
from polylock.network.http_cache import CacheMode
from polylock.network.local_files import is_local, local_content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.index.remote_zip import Archive
    from polylock.model.distributions import RemoteFile
    from polylock.model.wheel_members import WheelMembers
    from polylock.network.client import Client
    from polylock.network.download import Downloader

__all__ = ["MetadataFiles", "dist_info"]

logger = logging.getLogger(__name__)

_LARGEST = 1 << 24
"""The most bytes of METADATA; more is an attack or a mistake."""

_FRONT = 1 << 20
"""The first bytes of a source distribution, which nearly always hold PKG-INFO."""


class MetadataFiles:
    """Reads parts of the files of an index; thread-safe.

    If a server refuses a range with any status, the whole file is requested before an
    error is raised; if that succeeds, no more ranges are requested from it. Every
    method raises FileCorrupt, IndexRequestError, Offline, HashMismatch, SizeMismatch,
    CacheUnusable.
    """

    def __init__(
        self, client: Client, downloader: Downloader, *, mode: CacheMode
    ) -> None:
        self._client = client
        self._downloader = downloader
        self._mode = mode
        self._without_ranges: set[object] = set()

    def metadata_file(self, file: RemoteFile) -> bytes | None:
        """Return the metadata file of a wheel (PEP 658), None if it is missing."""
        if file.core_metadata is None:
            return None
        path, mark, query = file.url.partition("?")
        url = f"{path}.metadata{mark}{query}"
        content = local_content(url) if is_local(url) else self._ask(file, url)
        if content is None:
            logger.debug("%s is offered but missing", redact(url))
            return None
        wanted = strongest(file.core_metadata)
        if wanted is not None:
            algorithm, value = wanted
            found = hash_value(algorithm, content)
            if found != value:
                raise HashMismatch(
                    f"{file.filename}.metadata",
                    f"{algorithm}:{value}",
                    f"{algorithm}:{found}",
                )
        return content

    def members(self, file: RemoteFile, names: Sequence[str]) -> dict[str, bytes]:
        """Return those of the named files that a wheel has in its ``.dist-info``."""
        # Only a cold run reads archives.
        from polylock.index.remote_zip import (  # noqa: PLC0415
            LocalZip,
            RangesUnsupported,
            RemoteZip,
        )
        from polylock.model.archive_checks import RefusedArchive  # noqa: PLC0415

        downloaded = self._downloader.cached(file)
        place = origin(file.url)
        refused = False
        if downloaded is None and self._takes_ranges(file):
            self._need_network(file.url)
            try:
                remote = RemoteZip(self._client, file.url, file.filename)
                return dist_info(remote, file.filename, names)
            except RangesUnsupported:
                logger.debug(
                    "%s does not support ranges; fetching the wheel", redact(file.url)
                )
                refused = True
            except RefusedArchive as error:
                raise FileCorrupt(file.filename, str(error)) from error
            except FileCorrupt as error:
                # Only the whole, compared with its hash, tells a damaged wheel from
                # what a server sends in place of it.
                logger.debug("%s; fetching the wheel", error)
        if downloaded is None:
            downloaded = self._downloader.fetch(file)
        if refused:  # and the whole file was available: the server has no ranges
            self._without_ranges.add(place)
        with LocalZip(downloaded.path, file.filename) as local:
            try:
                return dist_info(local, file.filename, names)
            except RefusedArchive as error:
                raise FileCorrupt(file.filename, str(error)) from error

    def pkg_info(self, file: RemoteFile) -> bytes:
        """Return PKG-INFO of a source distribution.

        Of a large one only the part up to PKG-INFO is fetched; like a part of a wheel,
        it is not verified by a hash.
        """
        # Only for source distributions, so not imported at start-up.
        from polylock.index.sdist_metadata import read_pkg_info  # noqa: PLC0415

        is_small = file.size is not None and file.size <= _FRONT
        is_tar = file.filename.endswith(".tar.gz")
        whole = is_small or not is_tar or is_local(file.url)
        if whole or self._downloader.cached(file) is not None:
            return read_pkg_info(self._downloader.fetch(file).path, file.filename)
        self._need_network(file.url)
        found = None
        if self._takes_ranges(file):
            try:
                found = self._from_front(file, whole=False)
            except IndexRequestError as error:
                logger.debug("%s; fetching it without a range", error)
        if found is None:
            found = self._from_front(file, whole=True)
        assert found is not None  # with the whole file this is an error
        return found

    def _takes_ranges(self, file: RemoteFile) -> bool:
        """Return True if a range may be requested, as far as is known."""
        return not is_local(file.url) and origin(file.url) not in self._without_ranges

    def _from_front(self, file: RemoteFile, *, whole: bool) -> bytes | None:
        """Return PKG-INFO from a stream, None if it is not in the first part."""
        from polylock.index.sdist_metadata import pkg_info_in  # noqa: PLC0415 - rare

        def consume(answer: Streaming) -> bytes | None:
            is_part = answer.status == 206 and not whole
            if not is_part and answer.status != 200:
                raise status_error(answer.url, answer.status)
            try:
                return pkg_info_in(answer.chunks, file.filename)
            except FileCorrupt:
                if is_part:
                    return None
                raise

        headers = {"accept-encoding": "identity"}
        if not whole:
            headers["range"] = f"bytes=0-{_FRONT - 1}"
        return self._client.stream(file.url, consume, headers=headers)

    def _ask(self, file: RemoteFile, url: str) -> bytes | None:
        self._need_network(url)
        try:
            response = self._client.get(url, largest=_LARGEST)
        except AnswerTooLong as error:
            raise FileCorrupt(f"{file.filename}.metadata", error.problem) from error
        if response.status in {404, 410}:
            return None
        if response.status != 200:
            raise status_error(response.url, response.status)
        return response.content

    def _need_network(self, url: str) -> None:
        if self._mode is CacheMode.OFFLINE:
            raise Offline(redact(url), None, "not in the cache")


def dist_info(
    archive: Archive, filename: str, names: Sequence[str]
) -> dict[str, bytes]:
    """Return the named files of the one ``.dist-info`` directory (PEP 427).

    Raises FileCorrupt for a damaged archive, RefusedArchive for one that no sync would
    install, as far as the central directory and what came with it show that.
    """
    from polylock.model.wheel_members import wheel_members  # noqa: PLC0415 - cold runs

    # What is locked may be installed on another system than this one.
    wheel = WheelFilename.parse(filename)
    found = wheel_members(archive.entries, wheel, archive.size, windows=False)
    _check_at_hand(archive, found)
    paths = {name: f"{found.stem}.dist-info/{name}" for name in names}
    return {
        name: archive.read(found.files[path])
        for name, path in paths.items()
        if path in found.files
    }


def _check_at_hand(archive: Archive, found: WheelMembers) -> None:
    """Refuse what the files of ``.dist-info`` say that came with the directory."""
    from polylock.model.archive_checks import RefusedArchive  # noqa: PLC0415 - as above
    from polylock.model.wheel_info import (  # noqa: PLC0415 - as above
        parse_entry_points,
        parse_wheel_file,
    )

    def text(name: str) -> str | None:
        entry = found.files.get(f"{found.stem}.dist-info/{name}")
        if entry is None or not archive.is_at_hand(entry):
            return None
        try:
            return archive.read(entry).decode("utf-8")
        except UnicodeDecodeError as error:
            raise RefusedArchive(f"{entry.orig_filename!a} is not UTF-8") from error

    wheel, scripts = text("WHEEL"), text("entry_points.txt")
    text("RECORD")
    if wheel is not None:
        parse_wheel_file(wheel)
    if scripts is not None:
        for _ in parse_entry_points(scripts, windows=False):
            pass
