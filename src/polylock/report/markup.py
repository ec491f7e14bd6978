"""Text of a lock file as HTML: nothing in it can be taken for markup."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from polylock.model.plain_text import visible
from polylock.model.quantities import file_size

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["joined", "label", "project_link", "shown", "size_text"]


def shown(text: str) -> str:
    """Return text as HTML, for content and for attributes in double quotes."""
    return escape(visible(text), quote=True)


def joined(names: Iterable[str]) -> str:
    """Return names as HTML, with commas."""
    return ", ".join(shown(name) for name in names)


def label(name: str | None) -> str:
    """Return the badge of a variant label, nothing where there is none."""
    return f' <span class="label">{shown(name)}</span>' if name else ""


def project_link(name: str) -> str:
    """Return a link to what the page says of a project."""
    return f'<a href="#project-{shown(quote(name, safe=""))}">{shown(name)}</a>'


def size_text(size: int | None) -> str:
    """Return a size in words, also where it is not known."""
    return "size not known" if size is None else file_size(size)
