"""The page of the report as text: whole, alone, and safe."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from fakes.lock_texts import settings_for
from fakes.report_locks import large_lock
from polylock.report.document import (
    File,
    Newer,
    Place,
    ReportDocument,
    ReportedNote,
    Requirement,
    report_document,
)
from polylock.report.page import report_page
from polylock.values import replace

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;$title\u202e"
_VOID = {"meta", "link", "input", "rect"}


class _Outline(HTMLParser):
    """The elements of a page with the names of their attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.values: dict[str, list[str]] = {}
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        for name, value in attrs:
            self.values.setdefault(name, []).append(value or "")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in {"script", "style"}:
            self.texts.append(data)


@pytest.fixture(name="large")
def _large(tmp_path: Path) -> ReportDocument:
    return report_document(settings_for(tmp_path, large_lock()), {})


def _with_text(document: ReportDocument, text: str) -> ReportDocument:
    """Put a text wherever a lock file could have one, for the first target."""
    project, target = document.projects[0], document.targets[0]
    build = replace(
        project.builds[0],
        version=text,
        label=text,
        file=File(name=text, place=text, size=5, hashes={text: text}),
        index=text,
        requires_python=text,
        decided_by=(text,),
        targets=(text,),
    )
    changed = replace(
        project,
        name=text,
        builds=(build,),
        places=(Place(place=text, targets=(text,)),),
        requires=(Requirement(name=text, targets=(text,)),),
        newer=(
            Newer(
                targets=(text,),
                locked=text,
                allowed=text,
                newest=text,
                held_back_by=text,
            ),
        ),
    )
    named = replace(target, name=text, platform=text, unknown=1)
    note = ReportedNote(project=text, targets=(text,), text=text, key=text)
    return replace(
        document,
        project=text,
        targets=(named,),
        projects=(changed,),
        notes=(note,),
    )


def _data(page: str) -> object:
    found = re.search(r'<script type="application/json" id="document">(.*?)</sc', page)
    assert found is not None
    return json.loads(found[1])


def test_page_holds_the_document(large: ReportDocument) -> None:
    """Its script shows what `report --json` prints."""
    assert _data(report_page(large)) == json.loads(json.dumps(large.to_json()))


def test_hostile_text_adds_no_element(large: ReportDocument) -> None:
    """The page has the same elements and attributes whatever the texts are."""
    plain = _Outline(report_page(_with_text(large, "plain")))
    document = _with_text(large, HOSTILE)
    page = report_page(document)
    assert _Outline(page).elements == plain.elements
    assert page.count("<script") == page.count("</script") == 2
    assert "<!--" not in page
    assert "\u202e" not in page
    assert _data(page) == json.loads(json.dumps(document.to_json()))


def test_policy_names_style_and_script(large: ReportDocument) -> None:
    """Nothing but the page's own style and script is allowed, and no address."""
    page = report_page(large)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; img-src data:; ")
    for tag in ("style", "script"):
        found = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert found is not None
        digest = b64encode(sha256(found[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]


def test_page_refers_to_nothing_outside(large: ReportDocument) -> None:
    """No element loads anything; places of files are links that a reader may open."""
    page = report_page(large)
    outline = _Outline(page)
    assert "src" not in outline.values
    assert "style" not in outline.values
    assert not any(name.startswith("on") for name in outline.values)
    outside = {link for link in outline.values["href"] if not link.startswith("#")}
    assert outside == {"data:,"}
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_same_lock_gives_the_same_bytes(tmp_path: Path) -> None:
    """Neither the time nor the place of the lock file is in the page."""
    pages = []
    for name in ("one", "other"):
        directory = tmp_path / name
        directory.mkdir()
        document = report_document(settings_for(directory, large_lock()), {})
        pages.append(report_page(document))
    assert pages[0] == pages[1]
    assert str(tmp_path) not in pages[0]
    assert "\r" not in pages[0]
