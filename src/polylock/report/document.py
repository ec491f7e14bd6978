"""The document of ``polylock report``: the locked projects and files of all targets.

The table, ``--json`` and the page all show this document. Its data come from the lock
file, the name in the project file, and the revision in git. The keys are those of
``schemas/report.schema.json``.

The download size without variants is known only in part. A lock file lists the chosen
wheels only, so the plain wheel of a variant is known if another target of the same
platform and Python installs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from polylock.cache.regular_files import read_regular
from polylock.errors import ProjectError, UsageError
from polylock.explain.findings import Behind
from polylock.explain.words import note
from polylock.lockfile.pylock import (
    PackageArchive,
    PackageDirectory,
    PackageVcs,
    PackageWheel,
    last_component,
)
from polylock.lockfile.record import without_credentials
from polylock.model.filenames import WheelFilename
from polylock.model.target import usual_platform
from polylock.operations.chosen import chosen_to_show
from polylock.operations.edit.project_file import parse_document, read_text
from polylock.operations.inspect.git_repository import Commit, Repository
from polylock.operations.inspect.graph import selection_graph
from polylock.operations.inspect.selection import (
    open_lock,
    require_record,
    selections,
)
from polylock.operations.workspace import project_path
from polylock.toml_tables import Table
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from polylock.explain.findings import Note
    from polylock.lockfile.pylock import PackageFile
    from polylock.lockfile.record import LockedTarget, VariantChoice
    from polylock.lockfile.select import Selected
    from polylock.model.target import Target
    from polylock.operations.inspect.graph import LockedGraph, Node
    from polylock.operations.inspect.outdated import Outdated
    from polylock.operations.inspect.selection import LockedSelection
    from polylock.project.settings import Settings

__all__ = [
    "Build",
    "File",
    "Lock",
    "Newer",
    "Place",
    "ReportDocument",
    "ReportedNote",
    "ReportedProject",
    "ReportedTarget",
    "Requirement",
    "WithoutVariants",
    "report_document",
]


class WithoutVariants(Value, frozen=True, kw_only=True, rename="kebab"):
    """The size of a target's download with plain wheels instead of variants, in bytes.

    ``variants`` are the projects of which the target has a variant. ``size`` is None
    if the plain wheels of the projects in ``unknown`` are not known.
    """

    size: int | None
    variants: tuple[str, ...]
    unknown: tuple[str, ...]


def without_variants(
    name: str,
    chosen: Mapping[str, LockedSelection],
    graphs: Mapping[str, LockedGraph],
) -> WithoutVariants:
    """Return the download of a target if it used plain wheels only.

    ``chosen`` and ``graphs`` have the selection and the graph of each target by name.
    """
    target = chosen[name].target
    others = [each for each in chosen if each != name]
    same = [each for each in others if _same_system(chosen[each].target, target)]
    similar = [name, *same]
    found: dict[str, Node] = {}
    unknown = set()
    waiting = [root.name for root in graphs[name].roots]
    while waiting:
        project = waiting.pop()
        if project in found or project in unknown:
            continue
        node = next(_plain(project, target, similar, chosen, graphs), None)
        if node is None:
            unknown.add(project)
        else:
            found[project] = node
            waiting += node.dependencies
    return WithoutVariants(
        size=None if unknown else sum(node.size or 0 for node in found.values()),
        variants=tuple(
            sorted(node.name for node in graphs[name].nodes.values() if node.label)
        ),
        unknown=tuple(sorted(unknown)),
    )


def _same_system(one: Target, other: Target) -> bool:
    return one.marker_environment == other.marker_environment


def _plain(
    project: str,
    target: Target,
    similar: list[str],
    chosen: Mapping[str, LockedSelection],
    graphs: Mapping[str, LockedGraph],
) -> Iterator[Node]:
    """Yield the plain builds of a project that ``similar`` targets install.

    The first of these is the target itself. A wheel of another one counts if it has
    the same version and its tags fit the target.
    """
    own = graphs[similar[0]].nodes.get(project)
    for other in similar:
        node = graphs[other].nodes.get(project)
        if node is None or node.label is not None:
            continue
        if own is not None and node.version != own.version:
            continue
        if other == similar[0] or _fits(_selected(project, chosen[other]), target):
            yield node


def _selected(project: str, selection: LockedSelection) -> Selected:
    return next(
        each for each in selection.selected if str(each.package.name) == project
    )


def _fits(selected: Selected, target: Target) -> bool:
    if not isinstance(selected.file, PackageWheel):
        return True
    filename = WheelFilename.parse(selected.file.filename)
    return target.tag_rank(filename) is not None


_SWITCH = ("on",)
"""The only value of a feature that a machine has or lacks."""


class Lock(Value, frozen=True, kw_only=True, rename="kebab"):
    """The lock file: its name, and the hash of its content."""

    name: str
    sha256: str


class ReportedTarget(Value, frozen=True, kw_only=True, rename="kebab"):
    """A target and what it downloads.

    ``size`` is in bytes; ``unknown`` counts the projects whose size is not known.
    ``properties`` maps namespaces to features to the best value that is supported;
    features that a machine only has or lacks are left out.
    """

    name: str
    platform: str
    libc: str | None
    macos: str | None
    python: str
    properties: Mapping[str, Mapping[str, str]]
    projects: int
    size: int
    unknown: int
    without_variants: WithoutVariants


class File(Value, frozen=True, kw_only=True, rename="kebab"):
    """A file or a source tree that targets install; equal ones are downloaded once.

    ``place`` is a URL without credentials and query, or a relative path; None if the
    lock file has only a name or an absolute path. ``size`` is None if it is not known,
    as for trees. The commit of a tree is one of the hashes.
    """

    name: str
    place: str | None
    size: int | None
    hashes: Mapping[str, str]


class Build(Value, frozen=True, kw_only=True, rename="kebab"):
    """One build of a project: its file, its label and the targets that install it.

    ``version`` is None for a source tree. ``decided_by`` are the properties that
    decided the label, the most significant first, None if there was no choice.
    """

    version: str | None
    label: str | None
    targets: tuple[str, ...]
    file: File
    index: str | None
    requires_python: str | None
    decided_by: tuple[str, ...] | None


class Place(Value, frozen=True, kw_only=True, rename="kebab"):
    """A place in the project file that requires a project for some targets."""

    place: str
    targets: tuple[str, ...]


class Requirement(Value, frozen=True, kw_only=True, rename="kebab"):
    """A project that another one requires for some targets."""

    name: str
    targets: tuple[str, ...]


class Newer(Value, frozen=True, kw_only=True, rename="kebab"):
    """A newer version than the locked one of some targets, as in ``outdated``.

    ``allowed`` is the newest that the project itself admits; ``held_back_by`` is the
    reason why the ``newest`` is not locked, as text.
    """

    targets: tuple[str, ...]
    locked: str
    allowed: str
    newest: str
    held_back_by: str


class ReportedProject(Value, frozen=True, kw_only=True, rename="kebab"):
    """A locked project: its builds, the places that require it and its requirements.

    ``newer`` is None if the index was not asked.
    """

    name: str
    builds: tuple[Build, ...]
    places: tuple[Place, ...]
    requires: tuple[Requirement, ...]
    newer: tuple[Newer, ...] | None = None

    def build_for(self, target: str) -> Build | None:
        """Return the build that a target installs, None for none."""
        return next((each for each in self.builds if target in each.targets), None)


class ReportedNote(Value, frozen=True, kw_only=True, rename="kebab"):
    """A note in words, with the setting ``key`` that changes it.

    ``project`` is None for a note about no project in particular, ``targets`` are empty
    for one about all, and ``key`` is None if no setting changes it.
    """

    project: str | None
    targets: tuple[str, ...]
    text: str
    key: str | None


class ReportDocument(Value, frozen=True, kw_only=True, rename="kebab"):
    """The document: targets in the order of priority, projects by name.

    ``notes`` are those that ``newer`` does not cover, None if no index was asked.
    """

    project: str | None
    lock: Lock
    revision: Commit | None
    targets: tuple[ReportedTarget, ...]
    projects: tuple[ReportedProject, ...]
    notes: tuple[ReportedNote, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``report --json``."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def report_document(
    settings: Settings,
    variables: Mapping[str, str],
    outdated: Outdated | None = None,
    notes: Sequence[Note] | None = None,
) -> ReportDocument:
    """Return the report on the chosen target, or on all targets.

    Without groups or extras in the settings, all are included. ``variables`` is the
    environment of git. ``outdated`` has the newer versions and ``notes`` those on the
    lock file, None if no index was asked. Raises UsageError, also for
    the lock file of another tool, LockFileInvalid, NoSuchTarget.
    """
    pylock, path = open_lock(settings)
    record = require_record(pylock, path, "run `polylock lock`")
    shown = chosen_to_show(settings, pylock)
    chosen = {
        each.target.name: each
        for each in selections(pylock, path, target=settings.target, chosen=shown)
    }
    graphs = {
        name: selection_graph(pylock, path, each, chosen=shown)
        for name, each in chosen.items()
    }
    recorded = {target.name: target for target in record.targets}
    content = read_regular(path)
    return ReportDocument(
        project=_project_name(settings, path),
        lock=Lock(name=path.name, sha256=sha256(content).hexdigest()),
        revision=_revision(path, content, variables),
        targets=tuple(_target(recorded[name], chosen, graphs) for name in chosen),
        projects=tuple(
            project
            if outdated is None
            else replace(project, newer=_newer(project.name, outdated))
            for project in _projects(chosen, graphs)
        ),
        notes=None if notes is None else tuple(_remarks(notes, chosen)),
    )


def _remarks(notes: Sequence[Note], shown: Collection[str]) -> Iterator[ReportedNote]:
    """Yield the notes on shown targets, without those that ``newer`` covers."""
    for found in notes:
        targets = tuple(name for name in found.targets if name in shown)
        if isinstance(found.finding, Behind) or (found.targets and not targets):
            continue
        yield ReportedNote(
            project=found.project or None,
            targets=targets,
            text=note(replace(found, targets=targets)),
            key=found.key or None,
        )


def _newer(name: str, outdated: Outdated) -> tuple[Newer, ...]:
    return tuple(
        Newer(
            targets=pin.targets,
            locked=pin.locked,
            allowed=pin.allowed,
            newest=pin.newest,
            held_back_by=pin.held_back_by,
        )
        for pin in outdated.pins
        if pin.name == name
    )


def _project_name(settings: Settings, lock: Path) -> str | None:
    """Return the name in the project file that is named or lies beside the lock."""
    with suppress(ProjectError):
        path = lock.with_name("pyproject.toml")
        if settings.project is not None:
            path = project_path(settings)
        document = Table(parse_document(read_text(path), path), path=str(path))
        return document.table("project").string("name")
    return None


def _revision(
    path: Path, content: bytes, variables: Mapping[str, str]
) -> Commit | None:
    with suppress(UsageError):
        return Repository(directory=path.parent, variables=variables).head(
            path, content
        )
    return None


def _target(
    record: LockedTarget,
    chosen: Mapping[str, LockedSelection],
    graphs: Mapping[str, LockedGraph],
) -> ReportedTarget:
    sizes = [each.size for each in chosen[record.name].selected]
    properties: dict[str, dict[str, str]] = {}
    for feature in (*record.stated, *record.derived):
        values = properties.setdefault(feature.namespace, {})
        if feature.feature is not None and feature.values not in {(), _SWITCH}:
            values.setdefault(feature.feature, feature.values[0])
    return ReportedTarget(
        name=record.name,
        platform=usual_platform(record.platform),
        libc=record.libc,
        macos=record.macos,
        python=record.python.removeprefix("cpython"),
        properties=properties,
        projects=len(sizes),
        size=sum(size or 0 for size in sizes),
        unknown=sizes.count(None),
        without_variants=without_variants(record.name, chosen, graphs),
    )


def _projects(
    chosen: Mapping[str, LockedSelection], graphs: Mapping[str, LockedGraph]
) -> tuple[ReportedProject, ...]:
    rows: dict[str, dict[str, Build]] = {}
    for target, selection in chosen.items():
        for each in selection.selected:
            name = str(each.package.name)
            choice = graphs[target].nodes[name].choice
            rows.setdefault(name, {})[target] = _build(each, choice)
    return tuple(_locked(name, row, graphs) for name, row in sorted(rows.items()))


def _locked(
    name: str, row: Mapping[str, Build], graphs: Mapping[str, LockedGraph]
) -> ReportedProject:
    joined: dict[bytes, Build] = {}
    places: dict[str, list[str]] = {}
    requires: dict[str, list[str]] = {}
    for target, build in row.items():
        key = msgspec.json.encode(build)
        before = joined.get(key, build).targets
        joined[key] = replace(build, targets=(*before, target))
        for root in graphs[target].roots:
            for place in root.places if root.name == name else ():
                places.setdefault(place, []).append(target)
        for other in graphs[target].nodes[name].dependencies:
            requires.setdefault(other, []).append(target)
    return ReportedProject(
        name=name,
        builds=tuple(joined.values()),
        places=tuple(
            Place(place=place, targets=tuple(targets))
            for place, targets in sorted(places.items())
        ),
        requires=tuple(
            Requirement(name=other, targets=tuple(targets))
            for other, targets in sorted(requires.items())
        ),
    )


def _build(chosen: Selected, choice: VariantChoice | None) -> Build:
    package = chosen.package
    return Build(
        version=package.version,
        label=chosen.variant_label,
        targets=(),
        file=_file(str(package.name), chosen.file),
        index=_shown_url(package.index),
        requires_python=package.requires_python,
        decided_by=None if choice is None else choice.decided_by,
    )


def _file(name: str, file: PackageFile) -> File:
    if isinstance(file, PackageDirectory):
        shown = _shown_path(file.path)
        return File(name=shown or name, place=shown, size=None, hashes={})
    place = _shown_path(file.path) if file.path else _shown_url(file.url)
    if isinstance(file, PackageVcs):
        hashes, size = {file.type: file.commit_id}, None
        title = last_component(None, place)
    else:
        hashes, size = dict(sorted(file.hashes.items())), file.size
        title = last_component(file.path, file.url)
        if not isinstance(file, PackageArchive):
            title = file.filename
    if subdirectory := getattr(file, "subdirectory", None):
        title = f"{title or name} ({subdirectory})"
    return File(name=title or name, place=place, size=size, hashes=hashes)


def _shown_url(url: str | None) -> str | None:
    """Return a URL without user, password, query and fragment.

    Queries hold signatures and tokens. A ``file:`` URL is not shown.
    """
    try:
        parts = urlsplit(without_credentials(url or ""))
    except ValueError:
        return None
    if parts.scheme == "file":
        return None
    return urlunsplit(parts._replace(query="", fragment="")) or None


def _shown_path(path: str) -> str | None:
    """Return a relative path, None for an absolute one, which is of one machine."""
    is_absolute = PurePosixPath(path).is_absolute() or PureWindowsPath(path).anchor
    return None if is_absolute else path
