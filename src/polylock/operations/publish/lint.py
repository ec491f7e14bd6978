"""``polylock index lint``: read an index and return the problems of its variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from polylock.index_server.lint import (
    Finding,
    PublishedRelease,
    lint_release,
    published_releases,
)
from polylock.index_server.lint_words import Level, document, level
from polylock.model.inputs import IndexLocation, Inputs
from polylock.network.auth import redact
from polylock.operations.context import Context
from polylock.operations.publish.index_pages import IndexPages
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.ports import Reporter
    from polylock.project.settings import Settings

__all__ = ["Linted", "lint", "place_context"]


_MOST_LEVELS = 3
"""Most index-level files of one release that are read."""


class Linted(Value, frozen=True, kw_only=True):
    """The findings on an index by project and version, and what was checked.

    ``opened`` counts the wheels whose metadata was compared.
    """

    index: str
    findings: tuple[Finding, ...]
    projects: int
    releases: int
    wheels: int
    opened: int

    def count(self, wanted: Level) -> int:
        """Return the number of findings of a level."""
        return sum(level(found) is wanted for found in self.findings)

    @property
    def is_wrong(self) -> bool:
        """Return True if there is more than notes."""
        return any(level(found) is not Level.NOTE for found in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``index lint --json`` (index-lint.schema.json)."""
        return {
            "index": self.index,
            "projects": self.projects,
            "releases": self.releases,
            "wheels": self.wheels,
            "opened": self.opened,
            "findings": [document(found) for found in self.findings],
        }


def place_context(place: str, settings: Settings, reporter: Reporter) -> Context:
    """Return the context for one index, with its credentials."""
    url = place if "://" in place else ""
    locations = (IndexLocation(name="index", url=url),) if url else ()
    return Context(settings, Inputs(indexes=locations), reporter)


def lint(
    place: str,
    names: Sequence[str],
    settings: Settings,
    reporter: Reporter,
    *,
    opens_wheels: bool = True,
) -> Linted:
    """Check the index at a URL or directory, or only some of its projects.

    Raises UsageError if there is no index, ProjectNotFound, IndexRequestError, Offline.
    """
    findings: list[Finding] = []
    counts = {"projects": 0, "releases": 0, "wheels": 0, "opened": 0}
    with place_context(place, settings, reporter) as context:
        pages = IndexPages(place, context)
        wanted = [canonicalize_name(name) for name in names] or list(pages.names)
        for name in wanted:
            releases, unread = published_releases(
                name, pages.files(name), on_index=pages.on_index
            )
            findings.extend(unread)
            counts["projects"] += 1
            for release in releases:
                read = _read(release, pages, opens_wheels=opens_wheels)
                findings.extend(lint_release(read))
                counts["releases"] += 1
                counts["wheels"] += len(read.wheels)
                counts["opened"] += sum(each.is_read for each in read.wheels)
        shown = redact(place) if pages.directory is None else place
    return Linted(index=shown, findings=tuple(findings), **counts)


def _read(
    release: PublishedRelease, pages: IndexPages, *, opens_wheels: bool
) -> PublishedRelease:
    wheels, levels = release.wheels, release.index_level
    return replace(
        release,
        # That there are several is a finding; a page could list thousands.
        index_level=(*pages.opened(levels[:_MOST_LEVELS]), *levels[_MOST_LEVELS:]),
        wheels=tuple(pages.opened(wheels)) if opens_wheels else wheels,
    )
