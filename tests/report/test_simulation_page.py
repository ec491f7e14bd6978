"""The page of ``index simulate``: whole, alone and safe, and drawn in a browser."""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from fakes.browser import Browser, find_browser, open_browser
from polylock.report.page import simulation_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = None if os.name == "nt" else find_browser()
HOSTILE = (
    "</script><script>window.hit=1</script><img src=x onerror='window.hit=1'>\u202e"
)
ROWS = (
    "[...document.querySelectorAll('#machines tbody tr')].filter((row) => !row.hidden)"
)


def taken(kind: str, label: str | None, size: int | None) -> dict[str, Any]:
    """Return a file that a machine could take."""
    return {"kind": kind, "label": label, "file": "x", "size": size, "needs": []}


def machine(name: str, *order: dict[str, Any], because: str = "") -> dict[str, Any]:
    """Return a machine with what it takes."""
    closest = {"label": "gpu", "because": because} if because else None
    return {
        "machine": name,
        "preset": True,
        "platform": "linux-x86_64",
        "python": "3.13",
        "accelerators": ["nvidia"],
        "order": list(order),
        "rejected": [],
        "closest": closest,
    }


def document(text: str = "needs more") -> dict[str, Any]:
    """Return a document with a text in each place where an index can have one."""
    gpu, null = taken("variant", "gpu", 12_000_000), taken("null", "null", None)
    return {
        "index": f"https://example.com/{text}",
        "project": "demo",
        "version": f"1.0 {text}",
        "columns": ["gpu", "null"],
        "machines": [
            machine("h100", gpu, null),
            machine("box", null, because=text),
            machine("mac", because=text),
        ],
    }


def test_page_holds_the_document_and_runs_nothing_else() -> None:
    """Its policy names its own style and script by hash; texts add no element."""
    found = document(HOSTILE)
    page = simulation_page(found)
    held = re.search(r'id="document">(.*?)</sc', page)
    assert held is not None
    assert json.loads(held[1]) == found
    assert page.count("<script") == page.count("</script") == 2
    assert "\u202e" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for tag in ("style", "script"):
        own = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert own is not None
        digest = b64encode(sha256(own[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert simulation_page(document(HOSTILE)) == page


@pytest.fixture(scope="module", name="browser")
def _browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if PROGRAM is None:
        pytest.skip("no Chromium on this machine (or no pipes to drive it by)")
    with open_browser(PROGRAM, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def shown(browser: Browser, directory: Path, found: dict[str, Any]) -> str:
    """Open the page of a document; return its URL."""
    path = directory / "page.html"
    path.write_text(simulation_page(found), "utf-8")
    browser.screen(1280, 900)
    browser.open("about:blank")
    browser.open(path.as_uri())
    return path.as_uri()


def test_page_draws_a_row_for_each_machine(browser: Browser, tmp_path: Path) -> None:
    """With the place of each label, the size, and the reason; it asks for nothing."""
    url = shown(browser, tmp_path, document())
    texts = browser.run(
        f"{ROWS}.map((row) => [...row.cells].map((c) => c.textContent))"
    )
    assert [row[1:] for row in texts] == [
        ["1", "2", "12.0 MB", ""],
        ["-", "1", "not known", "gpu: needs more"],
        ["-", "-", "-", "gpu: needs more"],
    ]
    cards = "[...document.querySelectorAll('.amount strong')].map((e) => e.textContent)"
    assert browser.run(cards) == ["1 machine", "1 machine"]
    assert browser.complaints() == []
    assert browser.requests() == [url]


def test_filters_leave_machines_out(browser: Browser, tmp_path: Path) -> None:
    """By words, and by what they take; the button takes the filters away."""
    shown(browser, tmp_path, document())
    names = f"{ROWS}.map((row) => row.dataset.name)"
    browser.run("document.querySelector('#short').click()")
    assert browser.run(names) == ["box", "mac"]
    browser.run("document.querySelector('#name').focus()")
    browser.call("Input.insertText", text="MAC")
    assert browser.run(names) == ["mac"]
    assert browser.run("document.querySelector('#count').textContent") == (
        "1 of 3 machines"
    )
    browser.run("document.querySelector('#filters').reset()")
    browser.run("new Promise((done) => setTimeout(done, 50))")
    assert browser.run(names) == ["h100", "box", "mac"]


def test_hostile_text_is_shown_and_does_not_run(
    browser: Browser, tmp_path: Path
) -> None:
    """What turns the text around it is written as a code."""
    shown(browser, tmp_path, document(HOSTILE))
    assert browser.run("window.hit") is None
    title = browser.run("document.querySelector('#title').textContent")
    assert title == f"demo 1.0 {HOSTILE[:-1]}\\u202E"
