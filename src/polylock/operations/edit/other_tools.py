"""Files and tables of other tools beside a project file, and the next steps for them.

Nothing is converted or imported automatically: the steps are command lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polylock.cache.regular_files import read_regular
from polylock.errors import ForeignLockInvalid, UnreadSettings, UsageError
from polylock.operations.lock.imported_pins import read_requirement_lines
from polylock.project.pyproject import PROJECT_FILE
from polylock.project.settings import default_index_url
from polylock.project.unread_settings import refuse_unread
from polylock.toml_tables import Table
from polylock.values import Value

__all__ = ["Surroundings", "inspect_surroundings", "require_project_table"]

_REQUIREMENTS = "requirements.txt"
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", _REQUIREMENTS)
_INPUTS = ("requirements.in", _REQUIREMENTS)
_SETUPTOOLS = ("setup.py", "setup.cfg")
_CONDA = ("environment.yml", "environment.yaml", "conda-lock.yml")


class Surroundings(Value, frozen=True, kw_only=True):
    """Notes and next steps after ``init``.

    ``notes`` are sentences, one per line; ``steps`` are the command lines to run next.
    """

    notes: tuple[str, ...]
    steps: tuple[str, ...]


def require_project_table(directory: Path, document: Mapping[str, Any]) -> None:
    """Raise UsageError if the project's requirements are in another tool's place.

    A new, empty ``[project]`` would take precedence, for build backends as well.
    """
    if {"project", "dependency-groups"} & document.keys():
        return
    poetry = _table(document, "tool", "poetry")
    if poetry:
        raise UsageError(
            "the requirements of this project are in [tool.poetry], which only Poetry "
            "reads",
            "`polylock init --from poetry` writes [project], which Poetry 2 reads too",
        )
    present = [name for name in _SETUPTOOLS if (directory / name).is_file()]
    if present:
        raise UsageError(
            f"{' and '.join(present)} may have the requirements of this project, and "
            "polylock reads [project] of pyproject.toml",
            "write [project] with name, version, requires-python and dependencies "
            "(install_requires), then run `polylock init` again; if there are none, "
            "`polylock init --name NAME` writes a new [project]",
        )


def inspect_surroundings(directory: Path, document: Mapping[str, Any]) -> Surroundings:
    """Return notes and steps for the files beside a project file with these tables."""
    notes = list(_above(directory))
    steps: list[str] = []
    locks = [name for name in _LOCKS if (directory / name).is_file()]
    if not _requires(document):
        if any((directory / name).is_file() for name in _INPUTS):
            steps.append("polylock init --from requirements")
        elif not locks:
            steps.append("polylock add NAME ...")
    notes += _settings(document, directory / PROJECT_FILE)
    notes += (
        f"{name} is not read: `polylock add` its Python packages; conda installs the "
        "others"
        for name in _CONDA
        if (directory / name).is_file()
    )
    source = _pinned(directory, locks)
    steps.append(f"polylock lock --pins-from {source}" if source else "polylock lock")
    return Surroundings(notes=tuple(notes), steps=tuple(steps))


def _above(directory: Path) -> Iterator[str]:
    """Yield a note on a project file in a parent directory: it is another project."""
    place = directory.resolve()
    for parent in place.parents:
        if (parent / "pyproject.toml").is_file():
            yield (
                f"{parent} has a pyproject.toml too, which is unchanged: this is "
                "another project with its own lock file"
            )
            return
        if (parent / ".git").exists():
            return


def _pinned(directory: Path, locks: Sequence[str]) -> str | None:
    """Return another tool's lock file to import pins from; None if there is ours."""
    ours = directory / "pylock.toml"
    if ours.is_file():
        if b"[tool.polylock]" in read_regular(ours):
            return None
        locks = (*locks, ours.name)
    for name in locks:
        if name != _REQUIREMENTS or _pins(directory / name):
            return name
    return None


def _requires(document: Mapping[str, Any]) -> bool:
    """Return True if the project has any requirements."""
    project = _table(document, "project")
    return bool(
        project.get("dependencies")
        or project.get("optional-dependencies")
        or document.get("dependency-groups")
    )


def _pins(path: Path) -> bool:
    """Return True if a requirements file consists of pins."""
    try:
        return read_requirement_lines(path)[1]
    except ForeignLockInvalid:
        return False


def _settings(document: Mapping[str, Any], path: Path) -> Iterator[str]:
    """Yield a note if ``lock`` would refuse the settings of another tool."""
    try:
        refuse_unread(
            Table(document, path=str(path)), default_index_url=default_index_url()
        )
    except UnreadSettings as error:
        names = ", ".join(error.keys[:3]) + (", ..." if len(error.keys) > 3 else "")
        yield (
            f"polylock does not read {names}: `polylock init --from {error.tool}` "
            "converts it"
        )


def _table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return a table, empty if it is missing or not a table."""
    for key in keys:
        found = document.get(key)
        document = found if isinstance(found, dict) else {}
    return document
