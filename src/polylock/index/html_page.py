"""Reads a project page in HTML (PEP 503) into the same rows as one in JSON.

``html.parser`` searches for the end of a tag, comment or quotation again from every
place where one may begin: it needs a minute for 60 kB of ``<a ``. The tokenizer here
passes each character once, and an unclosed construct ends with the page, as in browsers
(HTML Living Standard, 13.2.5). It yields only what project pages use: start tags.
"""

from __future__ import annotations

import re
from contextlib import suppress
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from polylock.index.json_page import InvalidPage, file_url, is_bounded
from polylock.model.distributions import RemoteFile

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["StartTag", "parse_html_page", "start_tags"]

StartTag = tuple[str, dict[str, str | None]]
"""A name in lower case and the attributes; one without a value has None."""

_NAME = re.compile(r"[a-zA-Z][^\s/>]*+")
_BETWEEN = re.compile(r"[\s/]*+")
_ATTRIBUTE = re.compile(
    r"""(=?[^\s/>=]*+)"""
    r"""(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|(?!["'])([^\s>]*+)))?+"""
)
_UNCLOSED = re.compile(r"""\s*+=\s*+["']""")
_COMMENT_END = re.compile(r"--!?>")
_RAW = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "textarea", "title", "xmp", "iframe", "noframes")
}
"""Elements whose content is text, even if it looks like tags."""

_LONG_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{9}")
"""A character reference with too many digits; ``int`` raises beyond 4,300 digits."""


def parse_html_page(content: bytes, base_url: str) -> list[RemoteFile]:
    """Return the files of a page, in its order; ``base_url`` is that of the page.

    A ``<base>`` element replaces it. A link that is not a URL is left out. Raises
    InvalidPage for an unknown version.
    """
    rows: list[RemoteFile] = []
    for tag, attributes in start_tags(content.decode("utf-8", "replace")):
        match tag:
            case "a":
                row = _row(attributes, base_url)
                if row is not None:
                    rows.append(row)
            case "base":
                with suppress(ValueError):  # an invalid URL is ignored
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
    # The value of an attribute without one is None; a missing attribute has no key.
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
    """Return the hashes of the metadata (PEP 658), None if it is not offered.

    The attribute is a hash, or ``true`` without one.
    """
    if value is None or value == "false":
        return None
    return _hash(value)


def _hash(text: str) -> dict[str, str]:
    """Return the hash in ``sha256=…``; other parts of a fragment are ignored."""
    for part in text.split("&"):
        algorithm, found, value = part.partition("=")
        if found and value and algorithm not in {"egg", "subdirectory"}:
            return {algorithm: value.lower()}
    return {}


def start_tags(text: str) -> Iterator[StartTag]:
    """Yield the start tags of a page, in its order."""
    position = text.find("<")
    while position >= 0:
        following = text[position + 1 : position + 2]
        if following in {"!", "?"}:
            end = _after_markup(text, position)
        else:
            closing = following == "/"
            name = _NAME.match(text, position + (2 if closing else 1))
            if name is None:
                # "</" and no letter is a comment up to ">"; else "<" is text.
                end = _after(text, ">", position) if closing else position + 1
            else:
                attributes: dict[str, str | None] = {}
                end = _tag_end(text, name.end(), attributes)
                if end >= 0 and not closing:
                    tag = name.group().lower()
                    yield tag, attributes
                    end = _content_start(text, tag, end)
        if end < 0:
            return
        position = text.find("<", end)


def _after(text: str, ending: str, position: int) -> int:
    found = text.find(ending, position)
    return -1 if found < 0 else found + len(ending)


def _after_markup(text: str, position: int) -> int:
    """Return the end of a comment or declaration, -1 if it has none."""
    if not text.startswith("<!--", position):
        return _after(text, ">", position)
    for empty in ("<!-->", "<!--->"):
        if text.startswith(empty, position):
            return position + len(empty)
    end = _COMMENT_END.search(text, position + 4)
    return -1 if end is None else end.end()


def _tag_end(text: str, position: int, attributes: dict[str, str | None]) -> int:
    """Add the attributes of a tag; return its end, -1 if it has none."""
    while True:
        space = _BETWEEN.match(text, position)
        assert space is not None  # it matches nothing as well
        position = space.end()
        if position >= len(text):
            return -1
        if text[position] == ">":
            return position + 1
        found = _ATTRIBUTE.match(text, position)
        assert found is not None  # as above
        name, double, single, bare = found.groups()
        value = next((v for v in (double, single, bare) if v is not None), None)
        position = found.end()
        if value is None and _UNCLOSED.match(text, position):
            return -1
        # Of two attributes with the same name, the first counts.
        attributes.setdefault(name.lower(), None if value is None else _decoded(value))


def _decoded(value: str) -> str:
    if "&" not in value or _LONG_REFERENCE.search(value):
        return value
    return unescape(value)


def _content_start(text: str, tag: str, position: int) -> int:
    """Return the position of the next possible tag after a start tag, -1 for none."""
    if tag == "plaintext":
        return -1
    raw = _RAW.get(tag)
    if raw is None:
        return position
    end = raw.search(text, position)
    return -1 if end is None else end.start()
