"""Text of a lock file as HTML: nothing in it can be taken for markup."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from polylock.model.quantities import file_size

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["joined", "label", "project_link", "shown", "size_text", "visible"]

# Control characters, and those that turn or hide the text around them: a name with
# one of them could be read as another.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


def visible(text: str) -> str:
    r"""Write characters that cannot be seen as TOML writes them: ``\u202E``."""
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04X}", text)


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
