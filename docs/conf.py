"""How Sphinx makes a site of these pages: ``make docs``.

The pages are plain Markdown, so that they can also be read on a repository host. The
tree of pages, which only the site needs, is added here during the build.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils.nodes import document
    from sphinx.application import Sphinx

project = "polylock"
copyright = "the polylock contributors"  # noqa: A001 - Sphinx reads this name
html_title = "polylock"
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None  # the same pages give the same site, whenever built

extensions = ["myst_parser"]
myst_heading_anchors = 4  # as repositories do: ## Some heading is #some-heading
exclude_patterns = ["build", "pages_from_source"]

nitpicky = True

_SECTIONS = {
    "How to": (
        "how-to",
        (
            "cpu-and-cuda-torch",
            "gpu-projects",
            "upgrade",
            "github-actions",
            "gitlab-ci",
            "docker",
        ),
    ),
    "Reference": ("reference", ("commands", "project-file", "settings")),
    "Explanation": ("explanation", ("targets", "variants", "versions", "lock-file")),
}
"""The captions of the sidebar: a folder, and which of its pages come first."""


def _toctree(caption: str, pages: list[str]) -> str:
    option = f":caption: {caption}\n" if caption else ""
    listed = "\n".join(pages)
    return f"\n\n```{{toctree}}\n:hidden:\n{option}\n{listed}\n```\n"


def _tree() -> Iterator[str]:
    """Yield the parts of the sidebar; a new page is added automatically."""
    here = Path(__file__).parent
    yield _toctree("", [path.stem for path in here.glob("tutorial.md")])
    for caption, (folder, first) in _SECTIONS.items():
        names = sorted(path.stem for path in (here / folder).glob("*.md"))
        names.sort(key=lambda name: first.index(name) if name in first else len(first))
        yield _toctree(caption, [f"{folder}/{name}" for name in names])
    yield _toctree("Measured", ["benchmarks", "applications"])


def _add_tree(app: Sphinx, docname: str, source: list[str]) -> None:
    del app
    if docname == "index":
        source[0] += "".join(_tree())


def _name_what_is_elsewhere(app: Sphinx, doctree: document) -> None:
    """Replace a link to a file outside ``docs/`` by its text.

    The link works on a repository host, but the site has no such page. Sphinx reports
    a link to a missing file as usual.
    """
    from sphinx.addnodes import pending_xref  # noqa: PLC0415 - lint runs without Sphinx

    page = Path(app.env.doc2path(app.env.docname))
    for link in list(doctree.findall(pending_xref)):
        path = (page.parent / link["reftarget"].partition("#")[0]).resolve()
        if path.exists() and not path.is_relative_to(app.srcdir):
            link.parent.replace(link, link.children)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the tree to the first page, and remove links that leave the site."""
    app.connect("source-read", _add_tree)
    app.connect("doctree-read", _name_what_is_elsewhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
