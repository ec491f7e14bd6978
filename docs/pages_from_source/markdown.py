"""Pieces of Markdown that work on a repository host and in MyST."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["anchor", "block", "code", "code_list", "link", "page", "table"]


_WIDTH = 88
_WHOLE = re.compile(r"`[^`]+`|\[[^\]]*\]\([^)]*\)")
_SPACE = "\x00"


def anchor(heading: str) -> str:
    """Return the fragment of a heading, as code forges make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def code(text: str) -> str:
    """Return text as code; the fence is longer than any run of backticks in it."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence}{text}{fence}"


def code_list(texts: Iterable[str]) -> str:
    """Return texts as code with commas between them."""
    return ", ".join(code(text) for text in texts)


def link(text: str, page: str, heading: str = "") -> str:
    """Return a link to a heading of a page, the empty string being this one."""
    fragment = f"#{anchor(heading)}" if heading else ""
    return f"[{text}]({page}{fragment})"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; columns that are empty in every row are left out."""
    lines = [tuple(row) for row in rows]
    kept = [at for at in range(len(header)) if any(row[at] for row in lines)]
    cells = [[header[at] for at in kept], ["---" for _ in kept]]
    cells += [[_cell(row[at]) for at in kept] for row in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def block(language: str, text: str) -> str:
    """Return lines as a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def page(parts: Iterable[str]) -> str:
    """Join the parts of a page with blank lines; empty parts are left out.

    Lines of text and of lists are wrapped, but not within code and links.
    """
    kept = (part.strip("\n") for part in parts if part.strip())
    return "\n\n".join(map(_folded, kept)) + "\n"


def _folded(part: str) -> str:
    if part.startswith(("```", "|", "#")):
        return part
    return "\n".join(_folded_line(line) for line in part.split("\n"))


def _folded_line(line: str) -> str:
    if len(line) <= _WIDTH or line.startswith("|"):
        return line
    whole = _WHOLE.sub(lambda found: found[0].replace(" ", _SPACE), line)
    marker = re.match(r"(?:- |\d+\. )?", line)
    indent = " " * len(marker[0]) if marker else ""
    lines = textwrap.wrap(
        whole,
        _WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(_SPACE, " ")


def _cell(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text).replace("|", "\\|")
