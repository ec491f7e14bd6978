"""Pages that need no network, no font and no server: of a report, of a simulation.

The page holds the document as JSON, and its script shows it (``page.js``). A content
security policy names its style and script by hash, so nothing else can run or be
fetched, whatever a lock file has. The same document gives the same bytes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.report.document import ReportDocument

__all__ = ["report_page", "simulation_page"]


def report_page(document: ReportDocument) -> str:
    """Return the page of ``polylock report`` as HTML."""
    return _page("page", document.to_json())


def simulation_page(document: Mapping[str, Any]) -> str:
    """Return the page of ``polylock index simulate`` as HTML, from its JSON."""
    return _page("simulation", document)


def _page(name: str, document: Mapping[str, Any]) -> str:
    style, script = _resource("page.css"), _resource(f"{name}.js")
    # Chromium asks for the icon of a page served over HTTP unless the page has one.
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    text = json.dumps(document, separators=(",", ":"))
    return Template(_resource(f"{name}.html")).substitute(
        policy=policy,
        style=style,
        script=script,
        # A script element ends at the first "</script", and "<!--" begins a comment.
        document=text.replace("<", "\\u003c"),
    )


def _resource(name: str) -> str:
    return files("polylock.report").joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    """Return the source expression of inline text (CSP Level 2, section 7.10)."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
