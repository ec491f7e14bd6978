"""docs/index.md leads to every page, and README.md to it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "index.md"

_LINK = re.compile(r"\]\(([^)\s#:]+\.md)")


def _links(page: Path) -> set[Path]:
    """Return the pages that a page links to."""
    found = _LINK.findall(page.read_text("utf-8"))
    return {(page.parent / target).resolve() for target in found}


def test_index_leads_to_every_page() -> None:
    """A page that the index does not list is found by nobody who reads files."""
    missing = set(DOCS.rglob("*.md")) - _links(INDEX) - {INDEX}

    assert sorted(path.relative_to(DOCS).as_posix() for path in missing) == []


def test_readme_leads_to_the_index() -> None:
    """Whoever begins with README.md gets to all pages."""
    assert INDEX in _links(ROOT / "README.md")
