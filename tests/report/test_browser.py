"""The page of the report in a real browser: filters, sorts, opens, prints."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from fakes.browser import Browser, find_browser, open_browser
from fakes.lock_texts import settings_for
from fakes.report_locks import TARGETS, large_lock
from polylock.report.document import (
    Newer,
    ReportedNote,
    WithoutVariants,
    report_document,
)
from polylock.report.page import report_page
from polylock.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = None if os.name == "nt" else find_browser()
HOSTILE = "</script><script>window.hit=1</script><img src=x onerror='window.hit=1'>"

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium on this machine (or no pipes to drive it by)"
)

VISIBLE = "[...document.querySelectorAll('#projects tbody tr')]"
NAMES = f"{VISIBLE}.map((row) => row.dataset.name)"
COLUMNS = (
    "[...document.querySelectorAll('#projects thead th')]"
    ".map((cell) => cell.textContent)"
)


@pytest.fixture(scope="module", name="browser")
def _browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with open_browser(PROGRAM, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module", name="url")
def _url(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("page")
    text = large_lock().replace("example.com/simple/", f"example.com/{HOSTILE}")
    text = text.replace("[tool.polylock.groups]", "[tool.polylock.groups]\n", 1)
    page = directory / "report.html"
    document = report_document(settings_for(directory, text), {})
    page.write_text(report_page(document), "utf-8")
    assert "window.hit=1" in page.read_text("utf-8")
    return page.as_uri()


@pytest.fixture(name="page")
def _page(browser: Browser, url: str) -> Iterator[Browser]:
    """Open the page; what it complains of fails every test."""
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    browser.screen(1280, 900)
    browser.open("about:blank")
    browser.open(url)
    yield browser
    assert browser.complaints() == []
    assert browser.requests() == [url]


def _click(page: Browser, selector: str) -> None:
    page.run(f"document.querySelector({selector!r}).click()")


def _shown(page: Browser) -> list[str]:
    names: list[str] = page.run(NAMES)
    return names


def _type(page: Browser, text: str) -> None:
    page.run("document.querySelector('#name').focus()")
    page.call("Input.insertText", text=text)
    page.run("null")


def test_hostile_text_does_not_run(page: Browser) -> None:
    """It is shown as it is, in the panel as well."""
    page.run("location.hash = '#project-framework'")
    assert page.run("window.hit") is None
    assert HOSTILE in page.run("document.querySelector('#panel').textContent")


def test_policy_stops_what_is_not_the_pages_own(browser: Browser, url: str) -> None:
    """Neither a script that is added later nor a request gets through."""
    browser.open(url)
    browser.run(
        "(() => { const added = document.createElement('script'); "
        "added.textContent = 'window.hit = 1'; document.body.append(added); })()"
    )
    assert browser.run("window.hit") is None
    asked = "fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')"
    assert browser.run(asked) == "refused"
    assert browser.requests() == [url]
    assert "Content Security Policy" in " ".join(browser.complaints())


def test_name_filter_takes_parts_of_names(page: Browser) -> None:
    """All words must be in the name; the count is said, and nothing is told."""
    _type(page, "API Attr")
    assert _shown(page) == ["attr-api"]
    count = "document.querySelector('#count').value"
    assert page.run(count) == "1 of 76 projects"
    _type(page, "zzz")
    assert _shown(page) == []
    assert page.run("document.querySelector('#nothing').hidden") is False
    _click(page, "button[type=reset]")
    assert page.run(count) == "76 of 76 projects"


def test_differences_are_those_of_the_targets_shown(page: Browser) -> None:
    """Two machines that agree on a project do not differ, whatever others have."""
    _click(page, "#differs")
    assert _shown(page) == ["arrays", "framework", "runtime-cuda", "runtime-rocm"]
    _click(page, "[name=target][value=h100]")
    _click(page, "[name=target][value=rtx-workstation]")
    assert page.run(COLUMNS) == ["Project", "h100", "rtx-workstation", "All files"]
    assert _shown(page) == []
    _click(page, "[name=target][value=mi300x]")
    assert _shown(page) == ["framework", "runtime-cuda", "runtime-rocm"]


def test_target_filter_hides_what_it_does_not_install(page: Browser) -> None:
    """With one target chosen, its column and its projects are left."""
    _click(page, "[name=target][value=mac-m3]")
    assert page.run(COLUMNS) == ["Project", "mac-m3", "All files"]
    assert "runtime-cuda" not in _shown(page)
    assert len(_shown(page)) == 74
    _click(page, "#variants")
    assert _shown(page) == ["framework"]


TREE = "document.querySelector('#tree')"


def _as_tree(page: Browser) -> None:
    _click(page, "[name=view][value=tree]")


def _lines(page: Browser) -> list[str]:
    """Return the names in the tree, as far as it is open."""
    found: list[str] = page.run(f"[...{TREE}.querySelectorAll('a')].map((a) => a.text)")
    return found


def test_tree_begins_with_what_the_project_asks_for(page: Browser) -> None:
    """The view takes the place of the matrix; a branch opens to what it requires."""
    _as_tree(page)
    assert page.run("document.querySelector('#projects')") is None
    roots = _lines(page)
    assert "framework" in roots
    assert "runtime-cuda" not in roots
    page.run(
        f"[...{TREE}.querySelectorAll('summary')]"
        ".find((line) => line.querySelector('a').text === 'framework').click()"
    )
    page.run("new Promise((done) => setTimeout(done, 50))")
    opened = _lines(page)
    assert {"runtime-cuda", "runtime-rocm"} <= set(opened)
    assert len(opened) > len(roots)
    line = page.run(
        f"[...{TREE}.querySelectorAll('li')]"
        ".find((line) => line.querySelector('a').text === 'runtime-rocm').textContent"
    )
    assert "on mi300x" in line


def test_tree_follows_the_targets_chosen(page: Browser) -> None:
    """What a target does not install is on no way that is left."""
    _as_tree(page)
    _type(page, "runtime-rocm")
    assert "runtime-rocm" in _lines(page)
    _click(page, "[name=target][value=h100]")
    assert _lines(page) == []


def test_search_in_the_tree_opens_the_ways(page: Browser) -> None:
    """Every line leads to a match, and each of them is marked."""
    _as_tree(page)
    _type(page, "runtime-cuda")
    lines = _lines(page)
    assert lines.count("framework") == 1
    hits = page.run(f"[...{TREE}.querySelectorAll('.hit')].map((a) => a.text)")
    assert set(hits) == {"runtime-cuda"}
    assert set(lines) <= {"framework", "runtime-cuda"}


def test_size_in_the_tree_is_that_of_everything_below(page: Browser) -> None:
    """A project counts once, on the target that downloads most by it."""
    _click(page, "[name=target][value=mi300x]")
    alone = page.run(
        "Number(document.querySelector('tr[data-name=framework] "
        "td[data-target=mi300x]').dataset.size)"
    )
    _as_tree(page)
    shown = page.run(
        f"[...{TREE}.querySelectorAll('summary')]"
        ".find((line) => line.querySelector('a').text === 'framework')"
        ".querySelector('.size').textContent"
    )
    number, unit = shown.split()
    assert float(number) * {"MB": 1e6, "GB": 1e9}[unit] > alone


def test_a_project_opened_in_the_tree_gives_the_place_back(page: Browser) -> None:
    """Closing returns to the line of the tree; taking filters away keeps the view."""
    _as_tree(page)
    page.run(f"{TREE}.querySelector('a').focus()")
    page.run("document.activeElement.click()")
    page.run("new Promise((done) => setTimeout(done, 100))")
    assert page.run("document.querySelector('#panel').open") is True
    page.run("document.querySelector('#panel').close()")
    page.run("new Promise((done) => setTimeout(done, 50))")
    assert page.run("Boolean(document.activeElement.closest('#tree'))") is True
    _click(page, "button[type=reset]")
    page.run("new Promise((done) => setTimeout(done, 50))")
    assert page.run("Boolean(document.querySelector('#tree'))") is True


def test_sorting_by_size_and_by_name(page: Browser) -> None:
    """Largest first, then smallest; what a target lacks is last in both."""
    sizes = "#projects thead th:last-child button"
    _click(page, sizes)
    assert _shown(page)[:2] == ["framework", "runtime-cuda"]
    _click(page, sizes)
    assert _shown(page)[-1] == "framework"
    headers = "[...document.querySelectorAll('#projects thead th')]"
    ordered = f"{headers}.map((each) => each.getAttribute('aria-sort'))"
    assert page.run(ordered) == [None] * (len(TARGETS) + 1) + ["ascending"]
    mac = "#projects th[data-target=mac-m3] button"
    for first in ("framework", "attr-api"):
        _click(page, mac)
        assert _shown(page)[0] == first
        assert _shown(page)[-2:] == ["runtime-cuda", "runtime-rocm"]
    name = "#projects thead th:first-child button"
    _click(page, name)
    assert _shown(page) == sorted(_shown(page))
    _click(page, name)
    assert _shown(page) == sorted(_shown(page), reverse=True)


def test_keyboard_reaches_a_project_and_comes_back(page: Browser) -> None:
    """The slash finds the search, Enter opens a project, Escape returns to its row."""
    page.press("/", 191, text="/")
    focused = "document.activeElement.id || document.activeElement.textContent"
    assert page.run(focused) == "name"
    _type(page, "framework")
    for _ in range(60):
        page.press("Tab", 9)
        if page.run(focused) == "framework":
            break
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.run(outline) == "solid"
    page.press("Enter", 13, text="\r")
    assert page.run("document.querySelector('#panel').open") is True
    assert page.run(focused) == "h-framework"
    _click(page, '#panel a[href="#project-runtime-rocm"]')
    assert page.run(focused) == "h-runtime-rocm"
    assert "mi300x" in page.run("document.querySelector('#panel').textContent")
    page.run("history.back()")
    assert page.run(focused) == "h-framework"
    page.press("Escape", 27)
    assert page.run("document.querySelector('#panel').open") is False
    assert page.run(focused) == "framework"
    assert "#" not in page.run("location.href")


def test_every_control_has_a_name(page: Browser) -> None:
    """What a screen reader says of a control is never nothing."""
    page.call("Accessibility.enable")
    nodes: list[dict[str, Any]] = page.call("Accessibility.getFullAXTree")["nodes"]
    page.call("Accessibility.disable")
    controls = {"button", "link", "checkbox", "searchbox", "region", "table", "search"}
    found = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node.get("ignored") and node["role"]["value"] in controls
    ]
    assert len(found) > 90
    assert [role for role, name in found if not name] == []


def test_page_prints_the_matrix(page: Browser) -> None:
    """What is filtered is printed, on paper of the size that the style asks for."""
    pages = r"/Type\s*/Page\b"
    every = page.pdf()
    assert every.startswith(b"%PDF-")
    _click(page, "#differs")
    few = page.pdf()
    assert len(re.findall(pages.encode(), few)) < len(re.findall(pages.encode(), every))
    page.call("Emulation.setEmulatedMedia", media="print")
    hidden = "getComputedStyle(document.querySelector('#filters')).display"
    assert page.run(hidden) == "none"
    page.call("Emulation.setEmulatedMedia", media="")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_page_is_no_wider_than_the_screen(page: Browser, width: int) -> None:
    """Only the tables scroll sideways."""
    page.screen(width, 844, phone=width < 1000)
    assert page.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast(page: Browser, *, dark: bool) -> None:
    """Every colour of text is at 4.5 to 1 on its ground at least (WCAG 2.2, 1.4.3)."""
    page.screen(1280, 900, dark=dark)
    script = """(() => {
      const parse = (text) => text.match(/[\\d.]+/g).map(Number);
      const light = (text) => {
        const [r, g, b] = parse(text).map((part) => {
          const value = part / 255;
          return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
          const color = getComputedStyle(at).backgroundColor;
          const parts = parse(color);
          if (parts.length < 4 || parts[3] > 0) return color;
        }
        return 'rgb(255, 255, 255)';
      };
      const bad = new Set();
      for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3
          && node.textContent.trim());
        if (!own || /SCRIPT|STYLE/.test(element.tagName)) continue;
        const pair = [getComputedStyle(element).color, ground(element)].map(light);
        const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
        if (ratio < 4.5) bad.add(`${element.className || element.tagName} ${ratio}`);
      }
      return [...bad];
    })()"""
    assert page.run(script) == []


def test_page_without_a_script_says_what_does_the_same(
    browser: Browser, url: str
) -> None:
    """No control that does nothing is shown."""
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open("about:blank")
    browser.open(url)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    text = browser.run("document.body.innerText")
    assert "polylock report --json" in text
    assert browser.run("document.querySelector('main').hidden") is True


def test_phone_shows_a_list(page: Browser, url: str) -> None:
    """A project is named once, with a line for each version or label."""
    page.open("about:blank")
    page.screen(390, 844, phone=True)
    page.open(url)
    assert page.run("document.querySelector('#projects')") is None
    line = "[...document.querySelectorAll('#list > li')]"
    framework = f"{line}.find((each) => each.dataset.name === 'framework')"
    words = page.run(f"{framework}.innerText").split("\n")
    assert words[0] == "framework"
    assert "h100, rtx-workstation, grace-hopper" in words
    assert "all 8 targets" in page.run(f"{line}[1].innerText")


def test_places_that_are_no_web_address_are_no_links(page: Browser) -> None:
    """What opens in a browser begins with http; all else is text."""
    page.run("location.hash = '#project-framework'")
    links = "[...document.querySelectorAll('#panel a')].map((link) => link.protocol)"
    assert set(page.run(links)) <= {"https:", "file:"}


def test_panel_tells_the_file_and_why(page: Browser) -> None:
    """File, hash, what decided; who requires it, by which way, and where it is not."""
    page.run("location.hash = '#project-framework'")
    text = page.run("document.querySelector('#panel').innerText")
    assert "nvidia :: cuda_version_lower_bound :: 13.0" in text
    assert "the null variant, which requires nothing of the machine" in text
    assert "runtime-rocm on mi300x" in text
    page.run("location.hash = '#project-runtime-rocm'")
    text = page.run("document.querySelector('#panel').innerText")
    assert "framework \u2192 runtime-rocm" in text
    assert "Not installed on" in text


@pytest.mark.parametrize("width", [390, 1280])
def test_newer_versions_are_shown_on_any_screen(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    """In the list above, at the row and in the details; as text whatever it holds."""
    found = report_document(settings_for(tmp_path, large_lock()), {})
    newer = Newer(
        targets=(next(iter(TARGETS)),),
        locked="2.0",
        allowed="2.0",
        newest="3.0",
        held_back_by=f"requires {'x' * 300}=={HOSTILE}",
    )
    projects = tuple(
        replace(each, newer=(newer,) if each.name == "framework" else ())
        for each in found.projects
    )
    page = tmp_path / "newer.html"
    page.write_text(report_page(replace(found, projects=projects)), "utf-8")
    browser.screen(width, 900)
    browser.open(page.as_uri())
    assert browser.run("document.querySelector('#newer').hidden") is False
    browser.run("document.querySelector('#newer details').open = true")
    text = browser.run("document.querySelector('#newer').innerText")
    assert "1 project with a newer version" in text
    assert f"framework 2.0 < 3.0 on {next(iter(TARGETS))}: requires xxx" in text
    wide = "document.documentElement.scrollWidth <= innerWidth"
    assert browser.run(wide) is True
    row = "document.querySelector('#view [data-name=framework]').innerText"
    assert "newest 3.0" in browser.run(row)
    browser.run("location.hash = '#project-framework'")
    assert "2.0 < 3.0" in browser.run("document.querySelector('#panel').innerText")
    assert browser.run("window.hit") is None
    assert browser.complaints() == []


@pytest.mark.parametrize("width", [390, 1280])
def test_notes_are_read_on_any_screen(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    """Project, sentence, targets and key, as text whatever they hold."""
    found = report_document(settings_for(tmp_path, large_lock()), {})
    key = f"tool.polylock.{'x' * 300}"
    note = ReportedNote(
        project="framework",
        targets=tuple(TARGETS),
        text=f"framework 2.0 is yanked: {HOSTILE}{'y' * 300}",
        key=key,
    )
    wide = replace(note, project=None, targets=(), key=None)
    page = tmp_path / "notes.html"
    page.write_text(report_page(replace(found, notes=(note, wide))), "utf-8")
    browser.screen(width, 900)
    browser.open(page.as_uri())
    text = browser.run("document.querySelector('#notes').innerText")
    assert text.count("framework 2.0 is yanked") == 2
    assert key in text
    assert all(name in text for name in TARGETS)
    assert browser.run("document.querySelectorAll('#notes-list a').length") == 1
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert browser.run(fits) is True
    assert browser.run("window.hit") is None
    assert browser.complaints() == []


def test_page_says_nothing_of_notes_unless_asked(page: Browser) -> None:
    """A lock file does not know them."""
    assert page.run("document.querySelector('#notes').hidden") is True


def test_page_says_nothing_of_newer_versions_unless_asked(page: Browser) -> None:
    """A lock file does not know them."""
    assert page.run("document.querySelector('#newer').hidden") is True


def test_cards_compare_with_an_installation_without_variants(
    browser: Browser, tmp_path: Path
) -> None:
    """What is saved, what is more, and what is not known, in words."""
    document = report_document(settings_for(tmp_path, large_lock()), {})
    plain = [(2_000_000_000, ()), (1_000_000_000, ()), (None, ("framework",))]
    changed = [
        replace(
            target,
            size=1_500_000_000,
            without_variants=WithoutVariants(
                size=size, variants=("framework",), unknown=unknown
            ),
        )
        for target, (size, unknown) in zip(document.targets[:3], plain, strict=True)
    ]
    page = tmp_path / "page.html"
    targets = (*changed, *document.targets[3:])
    page.write_text(report_page(replace(document, targets=targets)), "utf-8")
    browser.open(page.as_uri())
    words = browser.run(
        "[...document.querySelectorAll('.compared')].map((each) => each.textContent)"
    )
    assert words[0] == "saves 500.0 MB (25 %) against 2.0 GB without variants"
    assert words[1] == "500.0 MB more (50 %) than the 1.0 GB without variants"
    assert words[2].endswith("not known, the lock has no plain wheel of framework")


def test_invisible_characters_are_written_out(browser: Browser, tmp_path: Path) -> None:
    """A name cannot be turned around or hide a part of itself."""
    document = report_document(settings_for(tmp_path, large_lock()), {})
    page = tmp_path / "page.html"
    named = replace(document, project="a\u202eb\u200bc\0 größe")
    page.write_text(report_page(named), "utf-8")
    browser.open(page.as_uri())
    title = "document.querySelector('h1').textContent"
    assert browser.run(title) == "a\\u202Eb\\u200Bc\\u0000 größe"


def test_many_targets_are_printed_as_a_list(browser: Browser, tmp_path: Path) -> None:
    """A table that is wider than paper is not printed; the screen keeps its table."""
    document = report_document(settings_for(tmp_path, large_lock()), {})
    more = replace(document.targets[0], name="ninth")
    page = tmp_path / "page.html"
    many = replace(document, targets=(*document.targets, more))
    page.write_text(report_page(many), "utf-8")
    browser.screen(1280, 900)
    browser.open(page.as_uri())
    shown = "document.querySelector('#view').firstElementChild.className"
    assert browser.run(shown) == "scroll"
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.run("document.querySelector('#view').firstElementChild.id") == "list"
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.run(shown) == "scroll"
