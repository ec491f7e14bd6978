"""The pages of a static simple index, as bytes (PEP 503, 592, 658, 691, 700, 714)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from packaging.utils import NormalizedName

__all__ = ["ListedFile", "project_html", "project_json", "root_html", "root_json"]

_API_VERSION = "1.1"
"""PEP 700: sizes and the list of versions are there."""

_HTML = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="pypi:repository-version" content="{version}">
<title>{title}</title>
</head>
<body>
<h1>{title}</h1>
{links}</body>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """One line of a project page; ``url`` is relative to the page.

    ``metadata_sha256`` is None where no metadata file lies beside the file,
    ``yanked`` where the file is not yanked. ``upload_time`` is in UTC.
    """

    filename: str
    url: str
    size: int
    sha256: str
    requires_python: str | None = None
    metadata_sha256: str | None = None
    upload_time: datetime | None = None
    yanked: str | None = None


def project_json(
    name: NormalizedName, versions: Sequence[str], files: Iterable[ListedFile]
) -> bytes:
    """Return a project page as JSON (PEP 691)."""
    return _json(
        {
            "meta": {"api-version": _API_VERSION},
            "name": name,
            "versions": list(versions),
            "files": [_json_file(file) for file in files],
        }
    )


def project_html(name: NormalizedName, files: Iterable[ListedFile]) -> bytes:
    """Return a project page as HTML (PEP 503)."""
    links = (
        f"<a {' '.join(_html_attributes(file))}>{escape(file.filename)}</a><br>\n"
        for file in files
    )
    return _html(f"Links for {name}", links)


def root_json(names: Iterable[NormalizedName]) -> bytes:
    """Return the list of projects as JSON (PEP 691)."""
    return _json(
        {
            "meta": {"api-version": _API_VERSION},
            "projects": [{"name": name} for name in names],
        }
    )


def root_html(names: Iterable[NormalizedName]) -> bytes:
    """Return the list of projects as HTML (PEP 503)."""
    links = (f'<a href="{name}/">{name}</a><br>\n' for name in names)
    return _html("Simple index", links)


def _json_file(file: ListedFile) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "filename": file.filename,
        "url": file.url,
        "hashes": {"sha256": file.sha256},
        "size": file.size,
    }
    if file.requires_python is not None:
        entry["requires-python"] = file.requires_python
    if file.metadata_sha256 is not None:
        entry["core-metadata"] = {"sha256": file.metadata_sha256}
    if file.upload_time is not None:
        entry["upload-time"] = file.upload_time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if file.yanked is not None:
        entry["yanked"] = file.yanked or True
    return entry


def _html_attributes(file: ListedFile) -> Iterator[str]:
    yield f'href="{escape(file.url)}#sha256={file.sha256}"'
    if file.requires_python is not None:
        yield f'data-requires-python="{escape(file.requires_python)}"'
    if file.metadata_sha256 is not None:
        # PEP 714: the second spelling is for clients older than it.
        yield f'data-core-metadata="sha256={file.metadata_sha256}"'
        yield f'data-dist-info-metadata="sha256={file.metadata_sha256}"'
    if file.yanked is not None:
        yield f'data-yanked="{escape(file.yanked)}"'


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _html(title: str, links: Iterable[str]) -> bytes:
    page = _HTML.format(version=_API_VERSION, title=escape(title), links="".join(links))
    return page.encode()
