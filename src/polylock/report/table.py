"""``polylock report``: the locked projects of every target, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polylock.operations.inspect.selection import groups_to_show, open_lock, selections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polylock.lockfile.select import Selected
    from polylock.project.settings import Settings

__all__ = ["Cell", "Report", "report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one target installs of one project; ``size`` is in bytes, 0 unknown."""

    version: str
    label: str | None
    size: int

    def __str__(self) -> str:
        return f"{self.version} ({self.label})" if self.label else self.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A row for each project, a column for each target."""

    targets: tuple[str, ...]
    rows: Mapping[str, Mapping[str, Cell]]

    def size(self, target: str) -> int:
        """Return the bytes that a target downloads."""
        return sum(row[target].size for row in self.rows.values() if target in row)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``report --json`` (schemas/report.schema.json)."""
        return {
            "targets": [
                {"name": name, "size": self.size(name)} for name in self.targets
            ],
            "projects": [
                {
                    "name": name,
                    "targets": {
                        target: {
                            "version": cell.version,
                            "label": cell.label,
                            "size": cell.size,
                        }
                        for target, cell in row.items()
                    },
                }
                for name, row in self.rows.items()
            ],
        }


def report(settings: Settings) -> Report:
    """Return what each target installs; without groups named, with all of them.

    Reads the lock file alone. Raises UsageError, LockFileInvalid, NoSuchTarget.
    """
    pylock, path = open_lock(settings)
    groups, extras = groups_to_show(pylock, settings)
    rows: dict[str, dict[str, Cell]] = {}
    names: list[str] = []
    for selection in selections(
        pylock, path, target=settings.target, groups=groups, extras=extras
    ):
        names.append(selection.target.name)
        for chosen in selection.selected:
            row = rows.setdefault(chosen.package.name, {})
            row[selection.target.name] = _cell(chosen)
    return Report(targets=tuple(names), rows=dict(sorted(rows.items())))


def _cell(chosen: Selected) -> Cell:
    return Cell(
        version=chosen.package.version or "source",
        label=chosen.variant_label,
        size=chosen.size or 0,
    )
