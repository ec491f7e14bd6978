"""Reads a project page in JSON (PEP 691) into rows, one for each file.

Pages of API 1.0, which have no sizes and upload times, are accepted, as are those of
indexes that write null where the specification requires to omit a key.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from polylock.model.distributions import RemoteFile
from polylock.network.auth import without_user

__all__ = ["InvalidPage", "file_url", "is_bounded", "parse_json_page"]

logger = logging.getLogger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SUPPORTED_MAJOR = "1"
_LARGEST_SIZE = 1 << 53
"""The largest size that JSON numbers hold exactly; more is a mistake or an attack."""

_LONGEST_NAME = 255
"""The most bytes that file systems allow in a file name."""

_LONGEST_SPECIFIER = 1000
"""The most characters of a requires-python; the longest known has 200."""

_PLAIN_PATH = re.compile(
    r"[A-Za-z0-9_+%~-][A-Za-z0-9_.+%~-]*(/[A-Za-z0-9_+%~-][A-Za-z0-9_.+%~-]*)*"
)


class InvalidPage(ValueError):
    """A project page that cannot be read; the text is the reason."""


class _File(msgspec.Struct, rename="kebab", gc=False):
    """The keys that polylock reads; msgspec skips the others."""

    filename: str
    url: str
    hashes: dict[str, str] | None = None
    size: int | None = None
    upload_time: datetime | None = None
    requires_python: str | None = None
    core_metadata: bool | dict[str, str] | None = None
    dist_info_metadata: bool | dict[str, str] | None = None
    yanked: bool | str | None = None


class _Meta(msgspec.Struct, rename="kebab"):
    api_version: str = "1.0"


class _Page(msgspec.Struct):
    files: list[_File]
    meta: _Meta = msgspec.field(default_factory=_Meta)


class _LoosePage(msgspec.Struct):
    """A page in which some file does not have the types above."""

    files: list[Any]
    meta: _Meta = msgspec.field(default_factory=_Meta)


_decoder = msgspec.json.Decoder(_Page)
_BAD_VALUE = (
    KeyError,
    TypeError,  # a row that is not a table
    ValueError,  # half a surrogate pair
    msgspec.ValidationError,
)


def parse_json_page(content: bytes, base_url: str) -> list[RemoteFile]:
    """Return the files of a page, in its order; ``base_url`` is that of the page.

    A file without a usable name or URL is left out; a key with a value of the wrong
    type counts as absent. Raises InvalidPage.
    """
    try:
        page = _decoder.decode(content)
    except (msgspec.DecodeError, RecursionError):  # of some row, or of the whole
        return _parse_loosely(content, base_url)
    _check_version(page.meta)
    return _rows(page.files, base_url)


def is_bounded(filename: str, requires_python: str | None) -> bool:
    """Return True if texts of a row are within bounds; other rows are left out."""
    return (
        len(filename) <= _LONGEST_NAME
        and len(requires_python or "") <= _LONGEST_SPECIFIER
    )


def file_url(url: str, base_url: str) -> str:
    """Return the absolute URL of a file, without fragment and credentials.

    Raises ValueError for what is not a URL at all.
    """
    if "[" in url or "]" in url or not url.isascii():
        urlsplit(url)  # what else is wrong with a URL, no server answers
    if not url.startswith(("https://", "http://")):
        url = _joined(url, base_url)
    if "#" in url:
        url = url.partition("#")[0]
    return without_user(url) if "@" in url else url


def _joined(url: str, base_url: str) -> str:
    """Return the result of ``urljoin``, which takes 10 µs for each of 10,000 files.

    For the usual forms, ``/files/x.whl`` and ``../../files/x.whl``, the base is split
    only once; anything else goes to ``urljoin``.
    """
    rest = url.lstrip("./") if url.startswith("../") else url.removeprefix("/")
    climbs, odd = divmod(len(url) - len(rest), 3)
    absolute = url.startswith("/") and not url.startswith("//")
    if _PLAIN_PATH.fullmatch(rest) and (absolute or (odd == 0 and climbs)):
        return _parent(base_url, None if absolute else climbs) + rest
    return urljoin(base_url, url)


@lru_cache(maxsize=1024)
def _parent(base_url: str, climbs: int | None) -> str:
    """Return the beginning of a URL: its root for None, else some levels up."""
    return urljoin(base_url, "/" if climbs is None else "../" * climbs)


def _parse_loosely(content: bytes, base_url: str) -> list[RemoteFile]:
    try:
        page = msgspec.convert(_any_json(content), _LoosePage)
    except msgspec.ValidationError as error:
        raise InvalidPage(f"the page does not follow PEP 691: {error}") from error
    _check_version(page.meta)
    found = []
    for entry in page.files:
        kept = {}
        for field in msgspec.structs.fields(_File):
            name = field.encode_name
            try:
                kept[name] = msgspec.convert(entry[name], field.type)
            except _BAD_VALUE as error:
                logger.debug("key %s of a file on %s: %s", name, base_url, error)
        if "filename" in kept and "url" in kept:
            names = {f.encode_name: f.name for f in msgspec.structs.fields(_File)}
            try:
                msgspec.json.encode(kept)  # half a character can be kept nowhere
            except UnicodeEncodeError as error:
                logger.debug("a file on %s is left out: %s", base_url, error)
                continue
            found.append(_File(**{names[key]: value for key, value in kept.items()}))
    return _rows(found, base_url)


def _any_json(content: bytes) -> Any:  # noqa: ANN401 - any document
    """Return JSON with numbers and characters that msgspec does not accept.

    Raises InvalidPage.
    """
    import json  # noqa: PLC0415 - for a page with a bad row

    try:
        return json.loads(content, parse_int=_number, object_pairs_hook=_table)
    except RecursionError:
        raise InvalidPage("the page is nested too deeply") from None
    except ValueError as error:
        raise InvalidPage(f"the page is not valid JSON: {error}") from error


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a table without the keys that hold half a character: none is known."""
    return {key: value for key, value in pairs if key.isascii() or _is_whole(key)}


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _number(text: str) -> int | None:
    return int(text) if len(text) <= len(str(_LARGEST_SIZE)) else None


def _check_version(meta: _Meta) -> None:
    """Raise InvalidPage for an unknown major version (PEP 629)."""
    if meta.api_version.partition(".")[0] != _SUPPORTED_MAJOR:
        raise InvalidPage(f"version {meta.api_version} of the API is not supported")


def _rows(files: list[_File], base_url: str) -> list[RemoteFile]:
    """Return the rows of files without the invalid ones."""
    rows = []
    for file in files:
        if is_bounded(file.filename, file.requires_python):
            try:
                rows.append(_row(file, base_url))
            except ValueError as error:
                logger.debug("a file on %s is left out: %s", base_url, error)
    return rows


def _row(file: _File, base_url: str) -> RemoteFile:
    offered = file.core_metadata
    if offered is None:  # PEP 714: the older key only if the newer is missing
        offered = file.dist_info_metadata
    if offered is True:
        offered = {}
    yanked = file.yanked or None  # an empty text is not yanked (PEP 691, "yanked")
    # By position, in the order of the fields: names take as long as the rest.
    return RemoteFile(
        file.filename,
        file_url(file.url, base_url),
        file.hashes or {},
        file.size if 0 <= (file.size or 0) < _LARGEST_SIZE else None,
        _microseconds(file.upload_time) if file.upload_time else None,
        file.requires_python or None,
        offered if isinstance(offered, dict) else None,
        "" if yanked is True else yanked,
    )


def _microseconds(time: datetime) -> int:
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    # Half the time of ``timestamp``, and of a division by a timedelta.
    since = time - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
