"""``polylock export``: write the lock of one target for other tools."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, assert_never

from polylock.errors import UsageError
from polylock.lockfile.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageFile,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from polylock.lockfile.record import record_target, without_credentials
from polylock.model.target import usual_platform
from polylock.model.visible_text import visible
from polylock.operations.chosen import chosen_by
from polylock.operations.exchange.single_target import SingleTarget
from polylock.operations.files import write_atomically
from polylock.operations.inspect.graph import LockedGraph, selection_graph
from polylock.operations.inspect.selection import named_selection, open_lock
from polylock.operations.workspace import project_of_lock
from polylock.project.lock_names import is_lock_name, name_problem
from polylock.project.settings import Settings, default_index_url
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from polylock.lockfile.select import Selected
    from polylock.project.pyproject import ProjectFile

__all__ = ["Export", "ExportFormat", "export"]


class PinnedRequirements(Value, frozen=True, kw_only=True):
    """A requirements file of one target: pins, their hashes, and who requires each.

    It names no index: URL and credentials of an index depend on the machine that
    installs, and the hashes guarantee the locked bytes. Comments list the locked
    indexes.
    """

    single: SingleTarget
    selected: tuple[Selected, ...]
    graph: LockedGraph
    hashes: bool = True

    def text(self) -> str:
        """Return the file, sorted by name, with a line per hash.

        Raises UsageError for a package without a hash or a URL.
        """
        return "".join(f"{visible(line)}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        target = record_target(self.single.target)
        yield (
            f"# target {target.name}: {usual_platform(target.platform)}, "
            f"Python {target.python}; written by polylock export"
        )
        indexes = {
            without_credentials(chosen.package.index)
            for chosen in self.selected
            if chosen.package.index is not None
        }
        for index in sorted(indexes):
            yield f"# index: {index}"
        for chosen in sorted(self.selected, key=lambda chosen: chosen.package.name):
            yield from self._requirement(chosen)

    def _requirement(self, chosen: Selected) -> Iterator[str]:
        package, file = chosen.package, chosen.file
        if isinstance(file, PackageVcs) and file.url and not self.hashes:
            inside = f"#subdirectory={file.subdirectory}" if file.subdirectory else ""
            pin = f" @ {file.type}+{file.url}@{file.commit_id}{inside}"
        elif isinstance(file, PackageVcs | PackageDirectory):
            raise UsageError(
                f"{package.name} is locked as a source tree, "
                "which a requirements file cannot name with a hash",
                "use --format pylock",
            )
        elif isinstance(file, PackageArchive) or chosen.variant_label is not None:
            # Installers do not find a variant wheel by its version, so its URL is used.
            pin = f" @ {_address(package, file)}"
        else:
            pin = f"=={package.version}"
        marker = self.single.left_open(package)
        condition = f" ; {marker}" if marker is not None else ""
        parts = [
            f"{package.name}{pin}{condition}",
            *(self._hash_lines(file)),
        ]
        yield from (f"{part} \\" for part in parts[:-1])
        yield parts[-1]
        yield from self._reasons(package.name)

    def _hash_lines(self, file: PackageFile) -> Iterator[str]:
        if self.hashes and not isinstance(file, PackageVcs | PackageDirectory):
            for kind in sorted(file.hashes):
                yield f"    --hash={kind}:{file.hashes[kind]}"

    def _reasons(self, name: str) -> Iterator[str]:
        """Yield the dependents of a package as comments, as pip-tools and uv do."""
        places = {root.name: root.places for root in self.graph.roots}
        found = [*self.graph.dependents(name), *sorted(places.get(name, ()))]
        if len(found) == 1:
            yield f"    # via {found[0]}"
        elif found:
            yield "    # via"
            yield from (f"    #   {each}" for each in found)


def _address(
    package: Package, file: PackageArchive | PackageWheel | PackageSdist
) -> str:
    if file.url is None:
        raise UsageError(
            f"{package.name} is locked as a path, "
            "which a requirements file cannot name",
            "use --format pylock",
        )
    if isinstance(file, PackageArchive) and file.subdirectory:
        return f"{file.url}#subdirectory={file.subdirectory}"
    return file.url


ExportFormat = Literal["pylock", "requirements", "cyclonedx"]


class Export(Value, frozen=True, kw_only=True):
    """The text, the number of packages, and the names of those with variant wheels."""

    text: str
    packages: int
    variants: tuple[str, ...]


def export(
    settings: Settings,
    export_format: ExportFormat,
    output: Path | None = None,
    *,
    hashes: bool = True,
) -> Export:
    """Return the lock of the target in the settings, and write it to ``output``.

    Requirements may be without ``hashes``, for installers that also get a source tree.
    Reads only the lock file. Raises UsageError if no target is named or the format
    cannot represent the lock, LockFileInvalid, NoSuchTarget.
    """
    if not hashes and export_format != "requirements":
        raise UsageError(
            f"--no-hashes is for requirements, not for {export_format}",
            "PEP 751 requires the hash of every file",
        )
    pylock, path = open_lock(settings)
    selection = named_selection(pylock, path, settings)
    chosen = chosen_by(settings, pylock)
    if output is not None:
        _check_name(output, export_format, selection.target.name)
    beside = output is None or output.resolve().parent == path.resolve().parent
    writer = _Writer(
        single=SingleTarget.of(selection.target, chosen),
        graph=selection_graph(pylock, path, selection, chosen=chosen),
        beside=beside,
    )
    match export_format:
        case "pylock":
            text = writer.pylock(pylock, selection.selected)
        case "requirements":
            text = writer.requirements(selection.selected, hashes=hashes)
        case "cyclonedx":
            project = project_of_lock(settings, pylock, path, frozen=True)
            text = writer.bill_of_materials(selection.selected, project)
        case _:
            assert_never(export_format)
    if output is not None:
        write_atomically(output, text)
    return Export(
        text=text,
        packages=len(selection.selected),
        variants=tuple(
            chosen.package.name
            for chosen in selection.selected
            if chosen.variant_label is not None
        ),
    )


def _check_name(output: Path, export_format: ExportFormat, target: str) -> None:
    """Raise UsageError for a name that is of another format.

    No installer would find a lock file by it, and another file in the place of a lock
    file would be read as one.
    """
    if export_format == "pylock":
        problem = name_problem(output, "-o", target.replace(".", "-"))
        if problem is not None:
            raise UsageError(*problem)
    elif is_lock_name(output.name):
        raise UsageError(
            f"-o {output} is the name of a lock file, and --format {export_format} "
            "writes none",
            "give --format pylock, or another name",
        )


class _Writer(Value, frozen=True, kw_only=True):
    """Writes for one target; ``beside`` means into the directory of the lock file."""

    single: SingleTarget
    graph: LockedGraph
    beside: bool

    def pylock(self, pylock: Pylock, selected: tuple[Selected, ...]) -> str:
        """Return a single-use lock file (PEP 751), without groups and extras."""
        if not self.beside:
            for chosen in selected:
                _refuse_path(chosen.package, chosen.file)
        return self.single.text(pylock, selected)

    def bill_of_materials(
        self, selected: tuple[Selected, ...], project: ProjectFile | None
    ) -> str:
        """Return a CycloneDX document; raises UsageError without the library."""
        if find_spec("cyclonedx") is None:
            raise UsageError(
                "a bill of materials needs the library cyclonedx-python-lib, "
                "which is not installed",
                "python -m pip install 'polylock[cyclonedx]'",
            )
        from polylock.operations.exchange.bill_of_materials import (  # noqa: PLC0415 - 60 ms
            BillOfMaterials,
        )

        bill = BillOfMaterials(
            single=self.single,
            selected=selected,
            graph=self.graph,
            name=project.name if project else None,
            version=project.version if project else None,
            default_index=_default_index(),
        )
        return bill.text()

    def requirements(self, selected: tuple[Selected, ...], *, hashes: bool) -> str:
        """Return a requirements file, sorted by name."""
        pins = PinnedRequirements(
            single=self.single, selected=selected, graph=self.graph, hashes=hashes
        )
        return pins.text()


def _default_index() -> str | None:
    try:
        return default_index_url()
    except UsageError:
        return None  # then every package URL names its index


def _refuse_path(package: Package, file: PackageFile) -> None:
    if file.path is not None:
        raise UsageError(
            f"{package.name} is locked as a path relative to the lock file",
            "write the export into the directory of the lock file",
        )
