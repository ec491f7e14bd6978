"""Tests of polylock.index_server.static_build."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser

from packaging.utils import canonicalize_name

from polylock.index_server.static_build import (
    ListedFile,
    project_html,
    project_json,
    root_html,
    root_json,
)

NAME = canonicalize_name("demo")
FULL = ListedFile(
    filename="demo-1.0-py3-none-any.whl",
    url="../../files/demo/demo-1.0-py3-none-any.whl",
    size=12,
    sha256="ab",
    requires_python=">=3.9,<4",
    metadata_sha256="cd",
    upload_time=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    yanked='says "no" & <no>',
)
BARE = ListedFile(filename="demo-1.0.tar.gz", url="x", size=1, sha256="ef")


class _Links(HTMLParser):
    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.links: list[dict[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect anchors."""
        if tag == "a":
            self.links.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        """Collect texts."""
        self.texts.append(data.strip())


def test_project_json_has_every_attribute_that_is_known() -> None:
    """A file's attributes are those of PEP 691 and PEP 700."""
    page = json.loads(project_json(NAME, ["1.0"], [FULL, BARE]))

    assert page["meta"] == {"api-version": "1.1"}
    assert (page["name"], page["versions"]) == ("demo", ["1.0"])
    assert page["files"] == [
        {
            "filename": "demo-1.0-py3-none-any.whl",
            "url": "../../files/demo/demo-1.0-py3-none-any.whl",
            "hashes": {"sha256": "ab"},
            "size": 12,
            "requires-python": ">=3.9,<4",
            "core-metadata": {"sha256": "cd"},
            "upload-time": "2026-01-02T03:04:05.000006Z",
            "yanked": 'says "no" & <no>',
        },
        {
            "filename": "demo-1.0.tar.gz",
            "url": "x",
            "hashes": {"sha256": "ef"},
            "size": 1,
        },
    ]


def test_project_html_escapes_and_keeps_every_attribute() -> None:
    """An HTML parser gets back what went in, whatever characters it has."""
    page = _Links(project_html(NAME, [FULL, BARE]))

    assert page.links == [
        {
            "href": "../../files/demo/demo-1.0-py3-none-any.whl#sha256=ab",
            "data-requires-python": ">=3.9,<4",
            "data-core-metadata": "sha256=cd",
            "data-dist-info-metadata": "sha256=cd",
            "data-yanked": 'says "no" & <no>',
        },
        {"href": "x#sha256=ef"},
    ]
    assert "demo-1.0-py3-none-any.whl" in page.texts


def test_yank_without_reason_is_true_in_json_and_empty_in_html() -> None:
    """PEP 592 and PEP 691 spell a missing reason differently."""
    file = ListedFile(filename="a.whl", url="a", size=1, sha256="ab", yanked="")

    assert json.loads(project_json(NAME, [], [file]))["files"][0]["yanked"] is True
    assert _Links(project_html(NAME, [file])).links[0]["data-yanked"] == ""


def test_root_lists_the_projects() -> None:
    """Both root pages name the same projects."""
    names = [canonicalize_name(name) for name in ("a", "b-c")]

    assert json.loads(root_json(names))["projects"] == [{"name": "a"}, {"name": "b-c"}]
    assert _Links(root_html(names)).links == [{"href": "a/"}, {"href": "b-c/"}]
