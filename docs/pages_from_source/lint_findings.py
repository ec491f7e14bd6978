"""``reference/index-lint.md``: what ``polylock index lint`` finds, from its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages_from_source.markdown import code, page, table
from polylock.index_server.lint_words import RULES, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["lint_findings_page"]

_HEAD = """\
# Findings of index lint

`polylock index lint` checks the variants of an index: a URL, a directory with pages, or
a folder of files. It reads the pages, the index-level files and, by range requests, the
metadata inside the wheels that have a label; it installs nothing and takes nothing from
the cache. Each finding has a kind, a level, the project and version, the files, the key
in variant metadata, what is wrong, what to do, and the paragraph that says so.

A rule is here if a standard has it or if it keeps every installer from taking a file.
Values are compared with the published providers, whose names are listed under [built-in
providers](../explanation/variants.md#built-in-providers). In the tables, `{name}`
stands for a detail of the finding."""

_TITLES = {
    Level.ERROR: ("Errors", "Metadata is not valid, or no machine takes a file."),
    Level.WARNING: ("Warnings", "Something is not as a standard says, or not meant."),
    Level.NOTE: ("Notes", "They do not change the exit code."),
}


def lint_findings_page() -> str:
    """Return the reference of all findings."""
    return page([_HEAD, *(part for rank in Level for part in _section(rank))])


def _section(rank: Level) -> Iterator[str]:
    title, meaning = _TITLES[rank]
    yield f"## {title}"
    yield meaning
    rows = (
        (code(kind.value), rule.cause, rule.next_step, rule.source)
        for kind, rule in RULES.items()
        if rule.level is rank
    )
    yield table(("kind", "what is wrong", "what to do", "source"), rows)
