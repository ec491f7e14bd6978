"""What the page of ``polylock report --html`` says of one project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polylock.report.markup import (
    joined,
    label,
    project_link,
    shown,
    size_text,
)
from polylock.variants.properties import NULL_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from polylock.report.facts import (
        ChosenFile,
        Edge,
        Installed,
        ProjectFacts,
    )

__all__ = ["article"]

_NOTHING = '<span class="none">nothing</span>'


def article(project: ProjectFacts, targets: Sequence[str]) -> str:
    """Return the article of a project: its files with reasons, and its edges."""
    name = shown(project.name)
    missing = [target for target in targets if target not in project.targets]
    lines = [
        f'<article id="project-{name}" data-name="{name}" aria-labelledby="h-{name}">',
        f'<h3 id="h-{name}" tabindex="-1">{name}</h3>',
        "<dl>",
        *_edges(project),
    ]
    if missing:
        lines.append(f"<dt>Not installed on</dt><dd>{joined(missing)}</dd>")
    lines += ["</dl>", *(_build(each) for each in project.installed), "</article>"]
    return "\n".join(lines)


def _build(found: Installed) -> str:
    """Return what some targets install: the file, and why they do."""
    rows = [
        ("Targets", joined(found.targets)),
        ("File", f"<code>{shown(found.file.name)}</code>"),
        ("Size", size_text(found.file.size)),
    ]
    rows += [
        (shown(algorithm), f"<code>{shown(value)}</code>")
        for algorithm, value in found.file.hashes
    ]
    if found.file.place:
        rows.append(("From", _place(found.file)))
    if found.index:
        rows.append(("Index", f"<code>{shown(found.index)}</code>"))
    if found.requires_python:
        rows.append(("Requires Python", f"<code>{shown(found.requires_python)}</code>"))
    if found.label is not None or found.reason is not None:
        rows.append(("Why", _reason(found)))
    listed = "\n".join(f"<dt>{term}</dt><dd>{value}</dd>" for term, value in rows)
    title = f"{shown(found.version)}{label(found.label)}"
    return f'<div class="build">\n<h4>{title}</h4>\n<dl>\n{listed}\n</dl>\n</div>'


def _place(file: ChosenFile) -> str:
    place = shown(file.place)
    if not file.is_linked:
        return f"<code>{place}</code>"
    return f'<a href="{place}" rel="noreferrer noopener"><code>{place}</code></a>'


def _reason(found: Installed) -> str:
    """Say why this label was chosen, as the lock file records it."""
    if not found.reason:
        if found.label is None:
            return "the wheel without a label: no variant fits these targets"
        if found.label == NULL_LABEL:
            return "the null variant, which asks nothing of the machine"
        return "the lock file names no property that decided"
    steps = "".join(f"<li><code>{shown(each)}</code></li>" for each in found.reason)
    return f"decided by, the weightiest first:<ol>{steps}</ol>"


def _edges(project: ProjectFacts) -> Iterator[str]:
    of = project.targets
    asking = [_edge(each, of, shown) for each in project.places]
    asking += [_edge(each, of, project_link) for each in project.required_by]
    below = [_edge(each, of, project_link) for each in project.requires]
    yield f"<dt>Required by</dt><dd>{_list(asking)}</dd>"
    yield f"<dt>Requires</dt><dd>{_list(below)}</dd>"
    if project.chains:
        ways = [
            " &rarr; ".join(project_link(name) for name in chain) + _only(targets, of)
            for chain, targets in project.chains
        ]
        yield f"<dt>Comes by</dt><dd>{_list(ways)}</dd>"


def _edge(edge: Edge, of: Sequence[str], write: Callable[[str], str]) -> str:
    return write(_PLACES.get(edge.name, edge.name)) + _only(edge.targets, of)


_PLACES = {"project": "the project itself"}


def _only(targets: Sequence[str], of: Sequence[str]) -> str:
    """Name the targets for which something holds, where it does not for all."""
    if set(targets) == set(of):
        return ""
    return f' <span class="of">({joined(targets)})</span>'


def _list(entries: Sequence[str]) -> str:
    if not entries:
        return _NOTHING
    if len(entries) == 1:
        return entries[0]
    return "<ul>" + "".join(f"<li>{entry}</li>" for entry in entries) + "</ul>"
