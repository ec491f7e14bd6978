"""``polylock export``: the lock of one target, for other tools."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, assert_never

from polylock.errors import UsageError
from polylock.operations.exchange.pinned_requirements import PinnedRequirements
from polylock.operations.exchange.single_target import SingleTarget
from polylock.operations.files import write_atomically
from polylock.operations.inspect.graph import selection_graph
from polylock.operations.inspect.selection import named_selections, open_lock
from polylock.operations.workspace import answered_project
from polylock.project.settings import default_index_url
from polylock.values import Value

if TYPE_CHECKING:
    from pathlib import Path

    from polylock.lockfile.pylock import Package, PackageFile, Pylock
    from polylock.lockfile.select import Selected
    from polylock.operations.inspect.graph import LockedGraph
    from polylock.project.pyproject import ProjectFile
    from polylock.project.settings import Settings

__all__ = ["Export", "ExportFormat", "export"]

ExportFormat = Literal["pylock", "requirements", "cyclonedx"]


class Export(Value, frozen=True, kw_only=True):
    """The text, and the packages whose files pip does not know how to read."""

    text: str
    packages: int
    variants: tuple[str, ...]


def export(
    settings: Settings, export_format: ExportFormat, output: Path | None = None
) -> Export:
    """Return the lock of the target that the settings name; write it where asked.

    Reads the lock file alone. Raises UsageError where no target is named or the
    format cannot say what is locked, LockFileInvalid, NoSuchTarget.
    """
    if settings.target is None:
        raise UsageError(
            "no target is named", "add --target NAME; `polylock targets list` has them"
        )
    pylock, path = open_lock(settings)
    found = named_selections(pylock, path, settings)
    selection = next(iter(found))
    beside = output is None or output.resolve().parent == path.resolve().parent
    writer = _Writer(
        single=SingleTarget.of(selection.target, settings),
        graph=selection_graph(
            pylock, path, selection, groups=settings.groups, extras=settings.extras
        ),
        beside=beside,
    )
    match export_format:
        case "pylock":
            text = writer.pylock(pylock, selection.selected)
        case "requirements":
            text = writer.requirements(selection.selected)
        case "cyclonedx":
            project = answered_project(settings, pylock, path, frozen=True)
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


class _Writer(Value, frozen=True, kw_only=True):
    """Writes for one target; ``beside``: into the directory of the lock file."""

    single: SingleTarget
    graph: LockedGraph
    beside: bool

    def pylock(self, pylock: Pylock, selected: tuple[Selected, ...]) -> str:
        """Return a lock file for a single use (PEP 751): no groups, no extras."""
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
                "which is not installed beside polylock",
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

    def requirements(self, selected: tuple[Selected, ...]) -> str:
        """Return a requirements file with a hash for each file, sorted by name."""
        pins = PinnedRequirements(
            single=self.single, selected=selected, graph=self.graph
        )
        return pins.text()


def _default_index() -> str | None:
    try:
        return default_index_url()
    except UsageError:
        return None  # then every index is named


def _refuse_path(package: Package, file: PackageFile) -> None:
    if file.path is not None:
        raise UsageError(
            f"{package.name} is locked as a path relative to the lock file",
            "write the export into the directory of the lock file",
        )
