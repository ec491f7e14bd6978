"""What a request to a static index asks for: path, page type, byte range."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes, urlsplit

from packaging.utils import canonicalize_name

__all__ = [
    "byte_range",
    "entity_tag_matches",
    "normalized_page",
    "path_segments",
    "preferred_page",
]

_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = "application/vnd.pypi.simple.v1+html"
_TEXT = "text/html; charset=utf-8"
_DEFAULT = (_TEXT, "index.html")
_PAGES = {
    # What a client may ask for: the type to answer with and the file that has it.
    _JSON: (_JSON, "index.json"),
    "application/vnd.pypi.simple.latest+json": (_JSON, "index.json"),
    _HTML: (_HTML, "index.html"),
    "application/vnd.pypi.simple.latest+html": (_HTML, "index.html"),
    "text/html": _DEFAULT,
    "text/*": _DEFAULT,
    "*/*": _DEFAULT,
    "application/*": (_JSON, "index.json"),
}
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def path_segments(target: str) -> list[str] | None:
    """Return a request's path in segments, None where one could leave the directory.

    A drive letter, a backslash or a NUL is as bad as ``..`` on some system.
    """
    try:
        text = unquote_to_bytes(urlsplit(target).path).decode("utf-8")
    except ValueError:
        return None
    segments = [segment for segment in text.split("/") if segment]
    for segment in segments:
        if segment in {".", ".."} or any(c in segment for c in "\\:\0"):
            return None
    return segments


def normalized_page(target: str, segments: list[str]) -> str | None:
    """Return the path of the page that is meant, None where it is the one asked for.

    A project's page has its normalized name and a slash at its end (PEP 503).
    """
    if not segments:
        return "/simple/"
    if segments[0] != "simple" or len(segments) > 2:
        return None
    if segments[-1] in {"index.html", "index.json"}:
        return None
    wanted = ["simple", *(canonicalize_name(name) for name in segments[1:])]
    if wanted == segments and urlsplit(target).path.endswith("/"):
        return None
    return "".join(f"/{quote(segment)}" for segment in wanted) + "/"


def preferred_page(accept: str) -> tuple[str, str] | None:
    """Return content type and file name of a page, None if no type will do.

    The highest weight wins, of equal weights the first in the header; a client
    without a preference gets HTML (PEP 691).
    """
    best, best_weight = None, 0.0
    for part in accept.split(",") if accept.strip() else ["*/*"]:
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = _weight(parameters)
        if media in _PAGES and weight > best_weight:
            best, best_weight = _PAGES[media], weight
    return best


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def byte_range(header: str | None, size: int) -> range | None:
    """Return the offsets that a Range header asks for, None for the whole file.

    The result is empty where the range cannot be met: it lies behind the end.
    Several ranges and malformed ones are answered with the whole file, as RFC 9110
    section 14.2 lets a server do. ``size`` is that of the file, in bytes.
    """
    match = _RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:
        count = min(int(match[2]), size)
        return range(size - count, size) if count else range(0)
    first = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None
    if first >= size:
        return range(0)
    return range(first, min(last + 1, size))


def entity_tag_matches(header: str | None, entity_tag: str) -> bool:
    """Say whether an If-None-Match header names this entity tag."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or entity_tag in tags
