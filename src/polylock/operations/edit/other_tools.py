"""Files and tables of other tools beside a project file, and the next steps for them.

Nothing is imported automatically. Notes say what polylock reads instead, where possible
as command lines.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polylock.errors import ForeignLockInvalid, UsageError
from polylock.operations.lock.imported_pins import read_requirement_lines
from polylock.values import Value

__all__ = ["Surroundings", "inspect_surroundings", "require_project_table"]

_REQUIREMENTS = "requirements.txt"
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", _REQUIREMENTS)
_INPUTS = ("requirements.in", _REQUIREMENTS)
_SETUPTOOLS = ("setup.py", "setup.cfg")
_CONDA = ("environment.yml", "environment.yaml", "conda-lock.yml")
_UV_EQUIVALENTS = {
    "index": "[[tool.polylock.index]]",
    "index-url": "[[tool.polylock.index]]",
    "extra-index-url": "[[tool.polylock.index]]",
    "find-links": '[[tool.polylock.index]] with format = "flat"',
    "sources": "[tool.polylock.sources]",
    "constraint-dependencies": "constraint-dependencies",
    "override-dependencies": "override-dependencies",
    "exclude-newer": "exclude-newer",
    "resolution": "resolution",
    "prerelease": "prerelease",
    "environments": "[tool.polylock.targets]",
    "required-environments": "[tool.polylock.targets]",
    "conflicts": "[tool.polylock.targets], with a source for each",
    "dev-dependencies": "[dependency-groups]",
    "no-build": 'build = "none"',
    "no-build-package": "no-build-package",
    "no-binary-package": "no-binary-package",
}
"""Keys of ``[tool.uv]`` and their equivalents; a bare key is in ``[tool.polylock]``."""


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
            "move name, version, requires-python and dependencies to [project], which "
            "Poetry 2 reads too, and groups to [dependency-groups]; then run "
            "`polylock init` again",
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
        wanted, about_files = _wanted(directory)
        notes += about_files
        if wanted is not None:
            steps.append(wanted)
        elif not locks:
            steps.append("polylock add NAME ...")
    notes += _settings(document)
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
        if b"[tool.polylock]" in ours.read_bytes():
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


def _wanted(directory: Path) -> tuple[str | None, list[str]]:
    """Return the command that adds the requirements of a file, and notes."""
    for name in _INPUTS:
        path = directory / name
        if not path.is_file():
            continue
        try:
            lines, is_pinned = read_requirement_lines(path)
        except ForeignLockInvalid as error:
            return None, [f"{error}"]
        if is_pinned and lines:
            note = (
                f"{name} pins {len(lines)} projects; add those that your own code "
                "imports, the others are their dependencies"
            )
            return "polylock add NAME ...", [note]
        if lines:
            return f"polylock add {shlex.join(lines)}", []
    return None, []


def _pins(path: Path) -> bool:
    """Return True if a requirements file consists of pins."""
    try:
        return read_requirement_lines(path)[1]
    except ForeignLockInvalid:
        return False


def _settings(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a note for each setting of another tool that has an equivalent."""
    uv = _table(document, "tool", "uv")
    for key in uv:
        if key in _UV_EQUIVALENTS:
            equivalent = _UV_EQUIVALENTS[key]
            place = "" if equivalent.startswith("[") else "[tool.polylock] "
            yield f"[tool.uv] {key} is not read; use {place}{equivalent}"
    if "workspace" in uv:
        yield "[tool.uv.workspace] is not read and has no equivalent yet"
    poetry = _table(document, "tool", "poetry")
    for group in _table(poetry, "group"):
        yield f"[tool.poetry.group.{group}] is not read; use [dependency-groups]"
    if "dependencies" in poetry:
        yield "[tool.poetry.dependencies] is not read; use [project] dependencies"
    if "source" in poetry:
        yield "[[tool.poetry.source]] is not read; use [[tool.polylock.index]]"
    pdm = _table(document, "tool", "pdm")
    if "source" in pdm:
        yield "[[tool.pdm.source]] is not read; use [[tool.polylock.index]]"
    if "dev-dependencies" in pdm:
        yield "[tool.pdm.dev-dependencies] is not read; use [dependency-groups]"


def _table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return a table, empty if it is missing or not a table."""
    for key in keys:
        found = document.get(key)
        document = found if isinstance(found, dict) else {}
    return document
