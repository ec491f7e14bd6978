"""The start tags of an HTML page, in time that grows with its length alone.

``html.parser`` looks for the end of a tag, a comment or a quotation again from every
place where one may begin: 60 kB of ``<a `` take it a minute. Here each character is
passed once, and what is open at the end of the page ends it, as browsers have it
(HTML Living Standard, 13.2.5). Only what project pages use is kept: names and
attributes of start tags.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["StartTag", "start_tags"]

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
"""Elements whose content is text, whatever it looks like."""

_LONG_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{9}")
"""A number of more digits than any character has; Python reads 4,300 at most."""


def start_tags(text: str) -> Iterator[StartTag]:
    """Yield the start tags of a page in their order."""
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
    """Return where a comment or declaration ends, -1 where it does not."""
    if not text.startswith("<!--", position):
        return _after(text, ">", position)
    for empty in ("<!-->", "<!--->"):
        if text.startswith(empty, position):
            return position + len(empty)
    end = _COMMENT_END.search(text, position + 4)
    return -1 if end is None else end.end()


def _tag_end(text: str, position: int, attributes: dict[str, str | None]) -> int:
    """Read the attributes of a tag; return where it ends, -1 where it does not."""
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
        # The first of two attributes of one name counts.
        attributes.setdefault(name.lower(), None if value is None else _decoded(value))


def _decoded(value: str) -> str:
    if "&" not in value or _LONG_REFERENCE.search(value):
        return value
    return unescape(value)


def _content_start(text: str, tag: str, position: int) -> int:
    """Return where tags may come again after a start tag, -1 where none do."""
    if tag == "plaintext":
        return -1
    raw = _RAW.get(tag)
    if raw is None:
        return position
    end = raw.search(text, position)
    return -1 if end is None else end.start()
