"""``polylock init``: write a project file with targets, or add targets to one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylock.errors import UsageError
from polylock.operations.edit.detect import machine_name
from polylock.operations.edit.other_tools import (
    Surroundings,
    inspect_surroundings,
    require_project_table,
)
from polylock.operations.edit.project_file import (
    complete_targets,
    directory_name,
    fitting_python,
    is_admitted,
    parse_document,
    parse_release,
    pinned_release,
    project_to_write,
    read_text,
)
from polylock.operations.edit.target_table import target_table
from polylock.operations.edit.targets import ASSUMED_COMMENTS, preset_target
from polylock.operations.files import write_atomically
from polylock.project.edit import init as edit_init
from polylock.toml_tables import Table
from polylock.values import Value, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polylock.project.settings import Settings
    from polylock.providers.detect import DetectedMachine

__all__ = ["InitOutcome", "InitRequest", "init", "python_to_offer"]


class InitRequest(Value, frozen=True, kw_only=True):
    """The targets to write.

    ``machine`` is this machine if it becomes a target. ``name`` is the project name in
    a new file, None for that of its directory. ``python`` is the Python of the targets,
    None for the project's default, or else the one in ``.python-version`` if
    ``requires-python`` admits it, or else the one that runs polylock.
    """

    presets: Sequence[str] = ()
    machine: DetectedMachine | None = None
    name: str | None = None
    python: str | None = None


class InitOutcome(Value, frozen=True, kw_only=True):
    """The project file, whether it is new, and the targets that were added.

    ``surroundings`` has notes and the next steps.
    """

    path: Path
    created: bool
    targets: tuple[str, ...]
    surroundings: Surroundings

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``init --json`` (schemas/init.schema.json)."""
        return {
            "path": str(self.path),
            "created": self.created,
            "targets": list(self.targets),
        }


def init(settings: Settings, request: InitRequest) -> InitOutcome:
    """Write the targets into the project file, a new one if there is none.

    The file is that of the settings or of the current directory; parent directories are
    not searched. Raises ProjectError, also if a target exists, and UsageError, also if
    the requirements of the project are in another tool's tables or files. After an
    error nothing is written.
    """
    path = project_to_write(settings)
    text = read_text(path) if path.exists() else None
    if request.name is None:
        require_project_table(path.parent, parse_document(text or "", path))
    if request.python is None:
        request = replace(request, python=_pinned_by_file(text, path))
    completed = complete_targets(
        text, _tables(request), python=request.python, path=path
    )
    release = parse_release(request.python)
    edited = edit_init(
        text,
        name=request.name or directory_name(path),
        requires_python=f">={release.minor_version}",
        targets={name: table for name, (table, _) in completed.items()},
        comments=ASSUMED_COMMENTS,
        path=str(path),
    )
    write_atomically(path, edited)
    return InitOutcome(
        path=path,
        created=text is None,
        targets=tuple(
            description.name
            for _, descriptions in completed.values()
            for description in descriptions
        ),
        surroundings=inspect_surroundings(path.parent, parse_document(edited, path)),
    )


def python_to_offer(settings: Settings) -> str | None:
    """Return the Python to propose for new targets, None if the project has one.

    It is the first that ``requires-python`` admits of: the one in ``.python-version``,
    the one that runs polylock, the minor versions from the oldest on. Raises
    ProjectError, and UsageError as ``init`` does, before the first prompt.
    """
    path = project_to_write(settings)
    document = parse_document(read_text(path), path) if path.exists() else {}
    require_project_table(path.parent, document)
    tables = Table(document, path=str(path))
    if "python" in tables.table("tool").table("polylock"):
        return None
    admitted = tables.table("project").string("requires-python") or ""
    return fitting_python(admitted, path.parent)


def _pinned_by_file(text: str | None, path: Path) -> str | None:
    """Return the Python of ``.python-version`` for new targets, None without one.

    Also if the project has a default or its ``requires-python`` excludes it.
    """
    tables = Table(parse_document(text or "", path), path=str(path))
    if "python" in tables.table("tool").table("polylock"):
        return None
    admitted = tables.table("project").string("requires-python") or ""
    wanted = pinned_release(path.parent)
    return wanted if wanted is not None and is_admitted(admitted, wanted) else None


def _tables(request: InitRequest) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {}
    if request.machine is not None:
        release = parse_release(request.python)
        name = machine_name(request.machine)
        tables[name] = target_table(request.machine.describe(release, name=name))
    for preset in request.presets:
        name, table = preset_target(preset)
        if name in tables:
            raise UsageError(
                f"two of the targets would be named {name}",
                "leave one out here, and add it with `polylock targets add --name`",
            )
        tables[name] = table
    if not tables:
        raise UsageError("no target is named", "give --preset NAME, or --here")
    return tables
