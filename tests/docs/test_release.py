"""What must be done before a release is in CONTRIBUTING.md as long as it is open."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

OPEN = {
    "a contact for reports": ("SECURITY.md", "SECURITY-CONTACT"),
    "the version in the changelog": ("CHANGELOG.md", "Unreleased"),
}
"""A file, and the text in it that must not be released."""


@pytest.mark.parametrize("kind", OPEN)
def test_what_is_open_is_on_the_list(kind: str) -> None:
    """A placeholder is on the list of what a release needs, and no longer than it."""
    name, text = OPEN[kind]
    checklist = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    checklist = checklist.partition("\n## Before a release\n")[2].partition("\n## ")[0]
    entries = " ".join(checklist.split()).split(" - ")
    listed = any(each.startswith(f"{name}: ") and text in each for each in entries)
    assert listed == (text in (ROOT / name).read_text("utf-8"))


def test_a_private_way_is_named_first() -> None:
    """Reports need no address: the site that hosts the repository takes them."""
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    report = page.partition("## How to report")[2]
    assert "private vulnerability report" in " ".join(report.split())
    if "SECURITY-CONTACT" in report:
        assert "placeholder" in report
