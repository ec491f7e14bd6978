"""The page of the report as text: whole, alone, and safe."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from fakes.lock_texts import lock_text, package_text, settings_for
from fakes.report_locks import TARGETS, large_lock
from polylock.report.facts import ChosenFile, Edge, PageFacts, page_facts
from polylock.report.page import report_page, write_report_page

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
def _large(tmp_path: Path) -> PageFacts:
    return page_facts(settings_for(tmp_path, large_lock()))


def _with_text(facts: PageFacts, text: str) -> PageFacts:
    """Put a text wherever a lock file could have one, for the first target."""
    project, target = facts.projects[0], facts.targets[0]
    edge = Edge(name=text, targets=(text,))
    build = replace(
        project.installed[0],
        version=text,
        label=text,
        file=ChosenFile(name=text, place=text, size=5, hashes=((text, text),)),
        index=text,
        requires_python=text,
        reason=(text,),
        targets=(text,),
    )
    changed = replace(
        project,
        name=text,
        installed=(build,),
        places=(edge,),
        required_by=(edge,),
        requires=(edge,),
        chains=(((text, text), (text,)),),
    )
    named = replace(target, name=text, machine=text, unknown=1)
    return PageFacts(targets=(named,), projects=(changed,))


def test_hostile_text_adds_no_element(large: PageFacts) -> None:
    """The page has the same elements and attributes whatever the texts are."""
    plain = _Outline(report_page(_with_text(large, "plain")))
    page = report_page(_with_text(large, HOSTILE))
    hostile = _Outline(page)
    assert hostile.elements == plain.elements
    assert page.count("<script") == page.count("</script") == 3
    assert any("<script>alert(1)</script>" in text for text in hostile.texts)
    assert "\u202e" not in page


def test_policy_names_style_and_script(large: PageFacts) -> None:
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


def test_page_refers_to_nothing_outside(large: PageFacts) -> None:
    """No element loads anything; places of files are links that a reader may open."""
    page = report_page(large)
    outline = _Outline(page)
    assert "src" not in outline.values
    assert "style" not in outline.values
    assert not any(name.startswith("on") for name in outline.values)
    outside = {link for link in outline.values["href"] if not link.startswith("#")}
    assert {link for link in outside if "files.example.com" not in link} == {"data:,"}
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_links_lead_to_what_is_there(large: PageFacts) -> None:
    """Ids are unique, and each link within the page has its element."""
    values = _Outline(report_page(large)).values
    assert len(values["id"]) == len(set(values["id"]))
    inside = {link[1:] for link in values["href"] if link.startswith("#")}
    assert inside <= set(values["id"])
    assert set(" ".join(values["aria-labelledby"]).split()) <= set(values["id"])


def test_matrix_is_plain_html(large: PageFacts) -> None:
    """Each project is a row with a cell for each target, without any script."""
    page = report_page(large)
    matrix = page[page.index('<table id="projects">') : page.index('id="details"')]
    rows = re.findall(r'<tr data-name="([^"]+)".*?</tr>', matrix)
    assert rows == [project.name for project in large.projects]
    framework = re.search(r'<tr data-name="framework".*?</tr>', matrix)
    assert framework is not None
    assert framework[0].count("<td data-target=") == len(TARGETS)
    assert '3.1.0 <span class="label">rocm6.4</span>' in framework[0]
    assert '<span class="marks">variants differ</span>' in framework[0]
    assert "not installed" in matrix


def test_downloads_are_set_beside_the_whole_set(large: PageFacts) -> None:
    """A row for each target says its size and what it saves, the last rows sum up."""
    page = report_page(large)
    table = page[page.index('<table id="download"') : page.index('id="matrix"')]
    assert table.count('<th scope="row">') == len(TARGETS) + 2
    h100, fat = large.targets[0].size, large.fat_size
    share = f"{100 * (fat - h100) / fat:.0f} %"
    assert share in table.partition("h100")[2].partition("</tr>")[0]
    assert f"The whole set: {len(large.fat_files)} files of all targets" in table


def test_same_lock_gives_the_same_bytes(tmp_path: Path) -> None:
    """Neither the time nor the place of the lock file is in the page."""
    pages = []
    for name in ("one", "other"):
        directory = tmp_path / name
        directory.mkdir()
        page = directory / "page.html"
        written = write_report_page(settings_for(directory, large_lock()), page)
        assert (written.projects, written.targets) == (76, 8)
        pages.append(page.read_bytes())
    assert pages[0] == pages[1]
    assert str(tmp_path).encode() not in pages[0]
    assert b"\r" not in pages[0]


def test_one_target_with_the_same_everywhere_needs_no_colours(tmp_path: Path) -> None:
    """The key says so; unknown sizes are counted and told."""
    tree = '[[packages]]\nname = "c"\ndirectory = { path = "../c" }\n'
    text = lock_text(package_text("a"), tree, requirements=("a", "c"))
    page = report_page(page_facts(settings_for(tmp_path, text)))
    assert "Every target that installs a project has the same" in page
    assert "whose size is not known count as nothing: 1 of box" in page
    assert "2 projects for 1 target; 0 differ between targets" in page


def test_lock_without_packages_has_a_page(tmp_path: Path) -> None:
    """Nothing is divided by nothing."""
    page = report_page(page_facts(settings_for(tmp_path, lock_text("packages = []"))))
    assert "0 projects for 1 target" in page
