"""``polylock add`` and ``polylock remove``: edit the requirements of a project file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polylock.operations.edit.project_file import read_text
from polylock.operations.files import write_atomically
from polylock.operations.workspace import project_path
from polylock.project.edit import add_dependency, remove_dependency
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from polylock.project.settings import Settings

__all__ = ["DependencyEdit", "Place", "add", "remove"]


class Place(Value, frozen=True, kw_only=True):
    """One list of requirements; with all None the project's own dependencies."""

    group: str | None = None
    extra: str | None = None
    target: str | None = None

    def __str__(self) -> str:
        for kind, name in (
            ("group", self.group),
            ("extra", self.extra),
            ("target", self.target),
        ):
            if name is not None:
                return f"{kind} {name}"
        return "dependencies"


class DependencyEdit(Value, frozen=True, kw_only=True):
    """The result of an edit; ``changed`` is false if the items were already listed."""

    path: Path
    place: Place
    items: tuple[str, ...]
    changed: bool

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``add --json`` and ``remove --json``."""
        return {
            "path": str(self.path),
            "place": str(self.place),
            "items": list(self.items),
            "changed": self.changed,
        }


def add(
    settings: Settings, requirements: Sequence[str], place: Place
) -> DependencyEdit:
    """Add requirements to one list of the project file and keep its comments.

    Raises ProjectError, and UsageError for text that is not a requirement.
    """
    return _edit(settings, requirements, place, add_dependency)


def remove(settings: Settings, names: Sequence[str], place: Place) -> DependencyEdit:
    """Remove requirements from one list of the project file and keep its comments.

    Raises ProjectError, also if a project is not required there.
    """
    return _edit(settings, names, place, remove_dependency)


def _edit(
    settings: Settings, items: Sequence[str], place: Place, change: Callable[..., str]
) -> DependencyEdit:
    path = project_path(settings)
    text = read_text(path)
    edited = change(
        text,
        items,
        group=place.group,
        extra=place.extra,
        target=place.target,
        path=str(path),
    )
    if edited != text:
        write_atomically(path, edited)
    return DependencyEdit(
        path=path, place=place, items=tuple(items), changed=edited != text
    )
