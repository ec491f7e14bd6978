"""``polylock report --html``: one page that needs no network, no font and no server.

The matrix, the sizes and what is said of every project are plain HTML; the scripts
beside this module filter, sort, show a project in a panel and draw who requires whom.
The page's own policy names its style and its scripts by hash, so that nothing else can
run or be fetched, whatever a lock file says. The same lock file gives the same bytes.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from polylock.model.quantities import counted, file_size
from polylock.operations.files import write_atomically
from polylock.report.facts import page_facts
from polylock.report.markup import (
    label,
    project_link,
    shown,
    size_text,
)
from polylock.report.panel import article
from polylock.report.requirement_tree import graph_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from polylock.project.settings import Settings
    from polylock.report.facts import (
        Installed,
        PageFacts,
        ProjectFacts,
        TargetFacts,
    )

__all__ = ["WrittenPage", "report_page", "write_report_page"]

_TINTS = 4
"""How many of a project's versions and labels have a colour of their own."""
_ORDINALS = ("another", "a third", "a fourth", "a fifth")
_DIFFERENCES = {
    "version": "versions differ",
    "variant": "variants differ",
    "presence": "not on every target",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenPage:
    """What a page shows: how many projects for how many targets."""

    projects: int
    targets: int


def write_report_page(settings: Settings, path: Path) -> WrittenPage:
    """Write the page to a file.

    Raises UsageError where there is no lock file of polylock or the page cannot be
    written, LockFileInvalid, NoSuchTarget.
    """
    facts = page_facts(settings)
    write_atomically(path, report_page(facts))
    return WrittenPage(projects=len(facts.projects), targets=len(facts.targets))


def report_page(facts: PageFacts) -> str:
    """Return the page as HTML."""
    style = _resource("report_page.css")
    tree_script, script = _resource("report_tree.js"), _resource("report_page.js")
    # Chromium asks for the icon of a page served over HTTP unless the page has one.
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(tree_script)}' '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    title = (
        f"polylock report: {counted(len(facts.projects), 'project')} "
        f"for {counted(len(facts.targets), 'target')}"
    )
    parts = {
        "policy": policy,
        "style": style,
        "tree_script": tree_script,
        "script": script,
        "title": title,
        "summary": _summary(facts),
        "download": "\n".join(_download(facts)),
        "download_note": _download_note(facts),
        "target_filters": "\n".join(_target_filter(name) for name in facts.names),
        "key": _key(facts),
        "matrix": "\n".join(_matrix(facts)),
        "graph": graph_data(facts),
        "details": "\n".join(article(each, facts.names) for each in facts.projects),
    }
    return Template(_resource("report_page.html")).substitute(parts)


def _resource(name: str) -> str:
    return files("polylock.report").joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    """Return the source expression of inline text (CSP Level 2, section 7.10)."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _summary(facts: PageFacts) -> str:
    differing = sum(bool(each.differs(facts.names)) for each in facts.projects)
    variants = sum(each.has_variants for each in facts.projects)
    sizes = [target.size for target in facts.targets]
    if not sizes:
        return "The lock file has no targets."
    smallest, largest = file_size(min(sizes)), file_size(max(sizes))
    between = smallest if smallest == largest else f"{smallest} to {largest}"
    return (
        f"{counted(len(facts.projects), 'project')} for "
        f"{counted(len(facts.targets), 'target')}; {differing:,} "
        f"{'differs' if differing == 1 else 'differ'} between targets, "
        f"{variants or 'none'} {'have' if variants > 1 else 'has'} variants. "
        f"A target downloads {between}; the whole set, the files of all targets in "
        f"one place, would be {file_size(facts.fat_size)}."
    )


def _download(facts: PageFacts) -> Iterator[str]:
    """Yield the table of sizes, with what is saved beside one set for everybody."""
    fat = facts.fat_size
    yield (
        "<thead><tr>"
        + "".join(
            f'<th scope="col"{kind}>{name}</th>'
            for name, kind in (
                ("Target", ""),
                ("Projects", ' class="number"'),
                ("Download", ' class="number"'),
                ('<span class="unseen">Share of the whole set</span>', ""),
                (
                    f"Saved, against the whole set of {file_size(fat)}",
                    ' class="number"',
                ),
                ("Of that, by hardware", ' class="number"'),
            )
        )
        + "</tr></thead>\n<tbody>"
    )
    for target in facts.targets:
        yield _download_row(facts, target)
    yield "</tbody>\n<tfoot>"
    together = sum(target.size for target in facts.targets)
    by_hardware = sum(facts.saved_by_hardware(target) for target in facts.targets)
    count = len(facts.targets)
    cells = f'<td class="number"></td><td class="number">{file_size(together)}</td>'
    yield (
        f'<tr><th scope="row">{counted(count, "target")} together, '
        f"against {counted(count, 'whole set')}</th>"
        f'{cells}<td></td><td class="number">{_saved(together, fat * count)}</td>'
        f'<td class="number">{file_size(by_hardware)}</td></tr>'
    )
    cells = (
        f'<td class="number">{len(facts.projects):,}</td>'
        f'<td class="number">{file_size(fat)}</td>'
    )
    whole = counted(len(facts.fat_files), "file")
    yield (
        '<tr><th scope="row">The whole set: '
        f"{whole} of all targets, each once</th>"
        f"{cells}<td></td><td></td><td></td></tr>\n</tfoot>"
    )


def _download_row(facts: PageFacts, target: TargetFacts) -> str:
    fat = facts.fat_size
    share = round(100 * target.size / fat, 1) if fat else 0.0
    bar = (
        '<svg aria-hidden="true" focusable="false">'
        '<rect class="whole" width="100%" height="100%" rx="3"/>'
        f'<rect class="part" width="{share}%" height="100%" rx="3"/></svg>'
    )
    return (
        f'<tr><th scope="row">{shown(target.name)} '
        f'<span class="machine">{shown(target.machine)}</span></th>'
        f'<td class="number">{target.projects:,}</td>'
        f'<td class="number">{file_size(target.size)}</td>'
        f'<td class="bar"><span class="unseen">{share} percent</span>{bar}</td>'
        f'<td class="number">{_saved(target.size, fat)}</td>'
        f'<td class="number">{file_size(facts.saved_by_hardware(target))}</td></tr>'
    )


def _saved(size: int, whole: int) -> str:
    if not whole:
        return file_size(0)
    return f"{file_size(whole - size)} ({100 * (whole - size) / whole:.0f} %)"


def _download_note(facts: PageFacts) -> str:
    note = (
        "The whole set is what one image or one cache for every target would hold: "
        "the builds for each kind of hardware, operating system and Python. By "
        "hardware is what targets of the same platform and Python do not share."
    )
    unknown = [
        f"{target.unknown} of {target.name}"
        for target in facts.targets
        if target.unknown
    ]
    if unknown:
        listed = shown(", ".join(unknown))
        note += f" Projects whose size is not known count as nothing: {listed}."
    return note


def _target_filter(name: str) -> str:
    return (
        f'<label class="chip"><input type="checkbox" name="target" '
        f'value="{shown(name)}"> <span>{shown(name)}</span></label>'
    )


def _key(facts: PageFacts) -> str:
    """Explain the colours, where there are any."""
    most = max(
        (each.group for row in facts.projects for each in row.installed), default=0
    )
    if not most:
        return "Every target that installs a project has the same version and label."
    samples = " ".join(
        f'<span class="sample g{at}">{_ORDINALS[at - 1]}</span>'
        for at in range(1, min(most, _TINTS) + 1)
    )
    return (
        "A cell without a colour has what most targets have; another version or label "
        f"in its row has a colour: {samples}"
    )


def _matrix(facts: PageFacts) -> Iterator[str]:
    heads = "".join(
        f'<th scope="col" data-target="{shown(name)}">{shown(name)}</th>'
        for name in facts.names
    )
    yield (
        '<caption class="unseen">Version, variant label and size of every project '
        "on every target</caption>"
    )
    yield (
        f'<thead><tr><th scope="col">Project</th>{heads}'
        '<th scope="col" class="number">All files</th></tr></thead>\n<tbody>'
    )
    for project in facts.projects:
        yield _row(project, facts.names)
    yield "</tbody>\n<tfoot>"
    counts = (_foot_cell(each.name, f"{each.projects:,}") for each in facts.targets)
    whole = f'<td class="number">{len(facts.projects):,}</td>'
    yield f'<tr><th scope="row">All projects</th>{"".join(counts)}{whole}</tr>'
    sizes = (_foot_cell(each.name, file_size(each.size)) for each in facts.targets)
    whole = f'<td class="number">{file_size(facts.fat_size)}</td>'
    yield f'<tr><th scope="row">Download</th>{"".join(sizes)}{whole}</tr>\n</tfoot>'


def _foot_cell(target: str, text: str) -> str:
    return f'<td data-target="{shown(target)}">{text}</td>'


def _row(project: ProjectFacts, targets: tuple[str, ...]) -> str:
    by_target = {name: each for each in project.installed for name in each.targets}
    marks = ", ".join(_DIFFERENCES[each] for each in project.differs(targets))
    head = project_link(project.name)
    if marks:
        head += f' <span class="marks">{marks}</span>'
    cells = "".join(_cell(name, by_target.get(name)) for name in targets)
    size = _sum(file.size for file in project.files)
    return (
        f'<tr data-name="{shown(project.name)}" '
        f'data-variants="{int(project.has_variants)}" '
        f'data-size="{"" if size is None else size}"><th scope="row">{head}</th>'
        f'{cells}<td class="number">{size_text(size)}</td></tr>'
    )


def _sum(sizes: Iterable[int | None]) -> int | None:
    """Add the sizes that are known; None where none is."""
    known = [size for size in sizes if size is not None]
    return sum(known) if known else None


def _cell(target: str, found: Installed | None) -> str:
    where = f'data-target="{shown(target)}"'
    if found is None:
        return (
            f'<td {where} data-group="" data-size="" class="none">'
            '<span aria-hidden="true">&ndash;</span>'
            '<span class="unseen">not installed</span></td>'
        )
    tint = f' class="g{(found.group - 1) % _TINTS + 1}"' if found.group else ""
    size = "" if found.file.size is None else str(found.file.size)
    return (
        f'<td {where} data-group="{found.group}" data-size="{size}"{tint}>'
        f"{shown(found.version)}{label(found.label)} "
        f'<span class="size">{size_text(found.file.size)}</span></td>'
    )
