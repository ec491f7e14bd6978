"""A project page in HTML (PEP 503) to the same rows as one in JSON."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import unquote, urljoin, urlsplit

from polylock.index.html_tokens import start_tags
from polylock.index.json_page import InvalidPage, file_url, is_bounded
from polylock.model.distributions import RemoteFile

__all__ = ["parse_html_page"]


def parse_html_page(content: bytes, base_url: str) -> list[RemoteFile]:
    """Read the files of a page, in page order, with URLs relative to ``base_url``.

    A ``<base>`` element counts. A link that is no URL is left out. Raises InvalidPage
    for an unknown version.
    """
    rows: list[RemoteFile] = []
    for tag, attributes in start_tags(content.decode("utf-8", "replace")):
        match tag:
            case "a":
                row = _row(attributes, base_url)
                if row is not None:
                    rows.append(row)
            case "base":
                with suppress(ValueError):  # one that is no URL says nothing
                    base_url = urljoin(base_url, attributes.get("href") or "")
            case "meta" if attributes.get("name") == "pypi:repository-version":
                version = attributes.get("content") or ""
                if version.partition(".")[0] != "1":  # PEP 629
                    problem = f"version {version} of the API is not supported"
                    raise InvalidPage(problem)
            case _:
                pass
    return rows


def _row(attributes: dict[str, str | None], base_url: str) -> RemoteFile | None:
    reference = attributes.get("href")
    if not reference:
        return None
    try:
        parts = urlsplit(urljoin(base_url, reference))
    except ValueError:
        return None
    filename = unquote(parts.path.rpartition("/")[2])
    requires_python = attributes.get("data-requires-python") or None
    if not filename or not is_bounded(filename, requires_python):
        return None
    core_metadata = attributes.get("data-core-metadata")
    if core_metadata is None:  # PEP 714
        core_metadata = attributes.get("data-dist-info-metadata")
    # An attribute without a value is None, one that is not there is not a key.
    yanked = attributes["data-yanked"] or "" if "data-yanked" in attributes else None
    return RemoteFile(
        filename=filename,
        url=file_url(parts.geturl(), base_url),
        hashes=_hash(parts.fragment),
        requires_python=requires_python,
        core_metadata=_offered(core_metadata),
        yanked=yanked,
    )


def _offered(value: str | None) -> dict[str, str] | None:
    """Read PEP 658's attribute: a hash, or ``true`` where there is no hash."""
    if value is None or value == "false":
        return None
    return _hash(value)


def _hash(text: str) -> dict[str, str]:
    """Read ``sha256=…``; other words in a fragment, joined by ``&``, are not ours."""
    for part in text.split("&"):
        algorithm, found, value = part.partition("=")
        if found and value and algorithm not in {"egg", "subdirectory"}:
            return {algorithm: value.lower()}
    return {}
