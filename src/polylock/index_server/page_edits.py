"""Project pages with files added: what was on them stays, byte for byte in HTML.

A page may be of any tool. In HTML, links are inserted before the end of the body, and
the link to a file that was replaced gets its new hash. In JSON, entries are added, and
every key that is there stays.
"""

from __future__ import annotations

import json
import re
from html import escape, unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from polylock.index_server.static_build import json_entry, page_link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from polylock.index_server.static_build import ListedFile

__all__ = [
    "InvalidPageEdit",
    "html_with_files",
    "html_with_project",
    "json_with_files",
    "json_with_project",
]

_ANCHOR = re.compile(r"""<a(?=\s)(?:[^<>"']|"[^"]*"|'[^']*')*+>""", re.IGNORECASE)
_REFERENCE = re.compile(r"""(\shref\s*=\s*)(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


class InvalidPageEdit(ValueError):
    """A page to which nothing can be added; the text is the reason."""


def html_with_files(content: bytes, files: Sequence[ListedFile]) -> bytes:
    """Return a page in HTML with links to files; raises InvalidPageEdit.

    A file that it links to already gets a new hash there, and no second link.
    """
    text = _text(content)
    for file in files:
        text, found = _relinked(text, file)
        if not found:
            text = _inserted(text, f"{page_link(file)}\n")
    return text.encode()


def html_with_project(content: bytes, name: NormalizedName) -> bytes:
    """Return a list of projects in HTML with one more."""
    return _inserted(_text(content), f'<a href="{name}/">{name}</a><br>\n').encode()


def json_with_files(
    content: bytes, files: Sequence[ListedFile], versions: Sequence[Version]
) -> bytes:
    """Return a page in JSON with files and their versions; raises InvalidPageEdit."""
    page = _table(content)
    listed = page.get("files")
    if not isinstance(listed, list):
        raise InvalidPageEdit("it has no list of files")
    places = {
        each.get("filename"): place
        for place, each in enumerate(listed)
        if isinstance(each, dict) and isinstance(each.get("filename"), str)
    }
    for file in files:
        place = places.get(file.filename)
        if place is None:
            listed.append(json_entry(file))
        else:
            # Only what a replaced file changes: other keys are the index's.
            entry = json_entry(file)
            listed[place] |= {key: entry[key] for key in ("hashes", "size")}
    known = page.get("versions")
    if isinstance(known, list):
        page["versions"] = [*known, *_further(known, versions)]
    return _json(page)


def json_with_project(content: bytes, name: NormalizedName) -> bytes:
    """Return a list of projects in JSON with one more; raises InvalidPageEdit."""
    page = _table(content)
    projects = page.get("projects")
    if not isinstance(projects, list):
        raise InvalidPageEdit("it has no list of projects")
    projects.append({"name": name})
    return _json(page)


def _further(known: Sequence[object], versions: Sequence[Version]) -> list[str]:
    texts = {str(each) for each in known}
    return [str(each) for each in versions if str(each) not in texts]


def _relinked(text: str, file: ListedFile) -> tuple[str, bool]:
    """Return the page with the new hash in each link to a file; and if there is one."""
    found = False

    def tag(anchor: re.Match[str]) -> str:
        def reference(match: re.Match[str]) -> str:
            nonlocal found
            value = unescape(match[2] if match[2] is not None else match[3])
            try:
                name = unquote(urlsplit(value).path.rpartition("/")[2])
            except ValueError:
                return match[0]
            if name != file.filename:
                return match[0]
            found = True
            place = escape(value.partition("#")[0])
            return f'{match[1]}"{place}#sha256={file.sha256}"'

        return _REFERENCE.sub(reference, anchor[0], count=1)

    return _ANCHOR.sub(tag, text), found


def _inserted(text: str, line: str) -> str:
    ends = list(_BODY_END.finditer(text))
    if not ends:
        return f"{text}{'' if text.endswith(chr(10)) else chr(10)}{line}"
    place = ends[-1].start()
    return f"{text[:place]}{line}{text[place:]}"


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidPageEdit("it is not UTF-8") from error


def _table(content: bytes) -> dict[str, Any]:
    try:
        page = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidPageEdit("it is not JSON") from error
    if not isinstance(page, dict):
        raise InvalidPageEdit("it is not a table")
    return page


def _json(page: object) -> bytes:
    text = json.dumps(page, indent=1, ensure_ascii=False) + "\n"
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a character in a text of the index
        return (json.dumps(page, indent=1) + "\n").encode()
