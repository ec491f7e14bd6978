"""What the page of ``polylock report --html`` tells, read from the lock file alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from packaging.version import InvalidVersion, Version

from polylock.lockfile.pylock import (
    PackageArchive,
    PackageDirectory,
    PackageVcs,
    last_component,
)
from polylock.lockfile.record import without_credentials
from polylock.model.target import usual_platform
from polylock.operations.inspect.graph import locked_graphs
from polylock.operations.inspect.selection import (
    groups_to_show,
    open_lock,
    require_record,
    selections,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from polylock.lockfile.pylock import PackageFile
    from polylock.lockfile.record import LockedTarget, VariantChoice
    from polylock.lockfile.select import Selected
    from polylock.operations.inspect.graph import LockedGraph
    from polylock.project.settings import Settings

__all__ = [
    "ChosenFile",
    "Edge",
    "Installed",
    "PageFacts",
    "ProjectFacts",
    "TargetFacts",
    "page_facts",
]

_LINKED = ("https", "http")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenFile:
    """A file or a source tree that targets install; equal ones are downloaded once.

    ``place`` is a URL without credentials and query, or a relative path; empty where
    the lock file has only a name or an absolute path. ``size`` is None where it is
    not known, as for trees. ``hashes`` are pairs of algorithm and value; a commit is
    one of them.
    """

    name: str
    place: str
    size: int | None
    hashes: tuple[tuple[str, str], ...]

    @property
    def is_linked(self) -> bool:
        """Tell whether a reader can open its place in a browser."""
        return self.place.startswith(tuple(f"{scheme}://" for scheme in _LINKED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What some targets install of a project, and why they were given this label.

    ``reason`` is ``decided_by`` of the lock file, the weightiest property first, and
    None where there was nothing to choose from. ``group`` numbers the version and
    label among those of the project: 0 is what most targets have.
    """

    version: str
    label: str | None
    file: ChosenFile
    index: str
    requires_python: str
    reason: tuple[str, ...] | None
    targets: tuple[str, ...]
    group: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The other end of an edge, or a place that requires, and for which targets."""

    name: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFacts:
    """A row of the matrix, and what its panel tells.

    ``places`` are those of the project file that require it: ``project``, ``group
    test``. ``chains`` are the shortest ways to it from a requirement of the project
    down, where it is not one itself.
    """

    name: str
    installed: tuple[Installed, ...]
    places: tuple[Edge, ...]
    required_by: tuple[Edge, ...]
    requires: tuple[Edge, ...]
    chains: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the targets that install it, sorted."""
        return tuple(sorted(t for each in self.installed for t in each.targets))

    @property
    def has_variants(self) -> bool:
        """Tell whether a variant was chosen for any target, or could have been."""
        return any(
            each.label is not None or each.reason is not None for each in self.installed
        )

    @property
    def files(self) -> frozenset[ChosenFile]:
        """Return the files that targets install of it."""
        return frozenset(each.file for each in self.installed)

    def differs(self, targets: Sequence[str]) -> tuple[str, ...]:
        """Name how these targets differ: ``version``, ``variant``, ``presence``.

        Versions are compared by their public part: the local one says what a build
        is for, as a label does.
        """
        found = []
        if len({_public(each.version) for each in self.installed}) > 1:
            found.append("version")
        builds = {(_local(each.version), each.label) for each in self.installed}
        if len(builds) > 1:
            found.append("variant")
        if len(self.targets) < len(targets):
            found.append("presence")
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """A column: the machine in words, and what it downloads.

    ``system`` is its platform and Python, which several targets may share. ``size``
    is in bytes; ``unknown`` counts the projects whose size is not known.
    """

    name: str
    machine: str
    system: tuple[str, str]
    projects: int
    size: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """Everything that the page tells."""

    targets: tuple[TargetFacts, ...]
    projects: tuple[ProjectFacts, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the targets, in the order of priority."""
        return tuple(target.name for target in self.targets)

    @property
    def fat_files(self) -> frozenset[ChosenFile]:
        """Return the files of all targets, each once."""
        return frozenset(file for project in self.projects for file in project.files)

    @property
    def fat_size(self) -> int:
        """Return the bytes of one set of files for every target."""
        return _size(self.fat_files)

    def saved_by_hardware(self, target: TargetFacts) -> int:
        """Return the bytes of files that only others of its system install.

        Those differ from it in hardware, or in the C library.
        """
        kin = {each.name for each in self.targets if each.system == target.system}
        files = {
            build.file
            for project in self.projects
            for build in project.installed
            if kin.intersection(build.targets)
        }
        return _size(files) - target.size


def page_facts(settings: Settings) -> PageFacts:
    """Gather what the page tells, for the target asked for or for every target.

    Without groups or extras named, all of them are in it. Reads the lock file alone.
    Raises UsageError, LockFileInvalid, NoSuchTarget.
    """
    pylock, path = open_lock(settings)
    record = require_record(pylock, path, "run `polylock lock`")
    groups, extras = groups_to_show(pylock, settings)
    graphs = {graph.target: graph for graph in locked_graphs(settings)}
    recorded = {target.name: target for target in record.targets}
    cells: dict[str, dict[str, Installed]] = {}
    targets = []
    for selection in selections(
        pylock, path, target=settings.target, groups=groups, extras=extras
    ):
        name = selection.target.name
        for chosen in selection.selected:
            node = graphs[name].nodes[str(chosen.package.name)]
            row = cells.setdefault(node.name, {})
            row[name] = _installed(chosen, node.choice, name)
        sizes = [chosen.size for chosen in selection.selected]
        targets.append(
            TargetFacts(
                name=name,
                machine=_machine(recorded[name]),
                system=(recorded[name].platform, recorded[name].python),
                projects=len(sizes),
                size=sum(size or 0 for size in sizes),
                unknown=sizes.count(None),
            )
        )
    return PageFacts(
        targets=tuple(targets),
        projects=tuple(
            _project(name, row, graphs) for name, row in sorted(cells.items())
        ),
    )


def _project(
    name: str, row: Mapping[str, Installed], graphs: Mapping[str, LockedGraph]
) -> ProjectFacts:
    places: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    above: dict[str, list[str]] = {}
    chains: dict[tuple[str, ...], list[str]] = {}
    for target in row:
        graph = graphs[target]
        for root in graph.roots:
            if root.name == name:
                for place in root.places:
                    places.setdefault(place, []).append(target)
        for other in graph.nodes[name].dependencies:
            below.setdefault(other, []).append(target)
        for other in graph.dependents(name):
            above.setdefault(other, []).append(target)
        ways = graph.chains(name)
        if ways:
            shortest = min(ways, key=lambda way: (len(way), way))
            if len(shortest) > 1:
                chains.setdefault(shortest, []).append(target)
    return ProjectFacts(
        name=name,
        installed=_joined(row),
        places=_edges(places),
        required_by=_edges(above),
        requires=_edges(below),
        chains=tuple((chain, tuple(found)) for chain, found in chains.items()),
    )


def _size(files: Iterable[ChosenFile]) -> int:
    return sum(file.size or 0 for file in files)


def _edges(found: Mapping[str, list[str]]) -> tuple[Edge, ...]:
    return tuple(
        Edge(name=name, targets=tuple(targets))
        for name, targets in sorted(found.items())
    )


def _joined(row: Mapping[str, Installed]) -> tuple[Installed, ...]:
    """Join the targets that were given the same file for the same reason."""
    counts = Counter((each.version, each.label) for each in row.values())
    groups = {key: at for at, (key, _) in enumerate(counts.most_common())}
    targets: dict[tuple[object, ...], list[str]] = {}
    examples: dict[tuple[object, ...], Installed] = {}
    for target, each in row.items():
        key = (each.version, each.label, each.file, each.index, each.reason)
        targets.setdefault(key, []).append(target)
        examples.setdefault(key, each)
    return tuple(
        Installed(
            version=each.version,
            label=each.label,
            file=each.file,
            index=each.index,
            requires_python=each.requires_python,
            reason=each.reason,
            targets=tuple(targets[key]),
            group=groups[each.version, each.label],
        )
        for key, each in examples.items()
    )


def _installed(
    chosen: Selected, choice: VariantChoice | None, target: str
) -> Installed:
    package = chosen.package
    return Installed(
        version=package.version or "source",
        label=chosen.variant_label,
        file=_chosen_file(str(package.name), chosen.file),
        index=_shown_url(package.index or ""),
        requires_python=package.requires_python or "",
        reason=None if choice is None else choice.decided_by,
        targets=(target,),
    )


def _chosen_file(name: str, file: PackageFile) -> ChosenFile:
    if isinstance(file, PackageDirectory):
        shown = _shown_path(file.path)
        return ChosenFile(name=shown or name, place=shown, size=None, hashes=())
    place = _shown_path(file.path) if file.path else _shown_url(file.url or "")
    if isinstance(file, PackageVcs):
        hashes: Iterable[tuple[str, str]] = ((file.type, file.commit_id),)
        title, size = last_component(None, place) or name, None
    else:
        hashes = sorted(file.hashes.items())
        title, size = last_component(file.path, file.url), file.size
        if not isinstance(file, PackageArchive):
            title = file.filename
    if file_tree := getattr(file, "subdirectory", None):
        title = f"{title} ({file_tree})"
    return ChosenFile(name=title or name, place=place, size=size, hashes=tuple(hashes))


def _shown_url(url: str) -> str:
    """Return a URL without user, password, query and fragment.

    Queries hold signatures and tokens. A path of this machine is not shown.
    """
    try:
        parts = urlsplit(without_credentials(url))
    except ValueError:
        return ""
    if parts.scheme == "file":
        return ""
    return urlunsplit(parts._replace(query="", fragment=""))


def _shown_path(path: str) -> str:
    """Return a relative path, nothing of one that names a place on a machine."""
    is_absolute = PurePosixPath(path).is_absolute() or PureWindowsPath(path).anchor
    return "" if is_absolute else path


def _machine(target: LockedTarget) -> str:
    system = f"macOS {target.macos}" if target.macos else target.libc
    platform = usual_platform(target.platform)
    parts = [platform, system, f"Python {target.python.removeprefix('cpython')}"]
    return ", ".join(part for part in parts if part)


def _public(version: str) -> str:
    try:
        return Version(version).public
    except InvalidVersion:
        return version


def _local(version: str) -> str | None:
    try:
        return Version(version).local
    except InvalidVersion:
        return None
