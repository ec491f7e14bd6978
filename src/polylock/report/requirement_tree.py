"""What the page of ``polylock report --html`` draws its dependency view from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from polylock.model.plain_text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from polylock.report.facts import Installed, PageFacts, ProjectFacts

__all__ = ["graph_data"]

_NOBODY = "No requirement known leads here"


def graph_data(facts: PageFacts) -> str:
    """Return the graph of all targets as JSON that can stand in a script element.

    Targets are numbers, their places in ``targets``; null stands for all of them.
    ``places`` are pairs of a title and the edges from it, an edge being a project and
    targets; a project has its ``builds``, each with targets, and what it ``requires``.
    """
    number = {name: at for at, name in enumerate(facts.names)}
    data = {
        "targets": [visible(name) for name in facts.names],
        "places": [
            [visible(title), [_pair(name, on, number) for name, on in edges]]
            for title, edges in sorted(_places(facts.projects).items(), key=_order)
        ],
        "projects": {
            visible(project.name): {
                "builds": [
                    _pair(_build(each), each.targets, number)
                    for each in project.installed
                ],
                "requires": [
                    _pair(edge.name, edge.targets, number) for edge in project.requires
                ],
            }
            for project in facts.projects
        },
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # A script element ends at the first "</script", a comment in it begins with "<!--".
    return text.replace("<", "\\u003c")


def _places(
    projects: Iterable[ProjectFacts],
) -> Mapping[str, list[tuple[str, Sequence[str]]]]:
    """Return what the places of the project file ask for, by the title of a place."""
    found: dict[str, list[tuple[str, Sequence[str]]]] = {}
    for project in projects:
        for place in project.places:
            title = "The project" if place.name == "project" else place.name
            found.setdefault(title, []).append((project.name, place.targets))
        if not project.places and not project.required_by:
            found.setdefault(_NOBODY, []).append((project.name, project.targets))
    return found


def _order(entry: tuple[str, object]) -> tuple[bool, bool, str]:
    title = entry[0]
    return title != "The project", title == _NOBODY, title


def _pair(
    value: Any,  # noqa: ANN401 - JSON
    targets: Sequence[str],
    number: Mapping[str, int],
) -> list[Any]:
    if isinstance(value, str):
        value = visible(value)
    numbers = sorted(number[target] for target in targets)
    return [value, None if len(numbers) == len(number) else numbers]


def _build(found: Installed) -> dict[str, Any]:
    return {
        "version": visible(found.version),
        "label": None if found.label is None else visible(found.label),
        "size": found.file.size,
    }
