"""What other tools have left beside a project file, and the steps that follow.

Nothing of it is taken over unasked. A project that another tool describes is told
what polylock reads instead, as far as possible as command lines.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polylock.errors import ForeignLockInvalid, UsageError
from polylock.operations.lock.imported_pins import read_requirement_lines
from polylock.values import Value

__all__ = ["Surroundings", "look_around", "refuse_unready"]

_REQUIREMENTS = "requirements.txt"
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", _REQUIREMENTS)
_INPUTS = ("requirements.in", _REQUIREMENTS)
_SETUPTOOLS = ("setup.py", "setup.cfg")
_CONDA = ("environment.yml", "environment.yaml", "conda-lock.yml")
_UV_EQUALS = {
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
"""Keys of ``[tool.uv]`` and their equals; a bare one is of ``[tool.polylock]``."""


class Surroundings(Value, frozen=True, kw_only=True):
    """What to tell whoever has just written a project file.

    ``notes`` are sentences, a line each; ``steps`` the command lines to run next.
    """

    notes: tuple[str, ...]
    steps: tuple[str, ...]


def refuse_unready(directory: Path, document: Mapping[str, Any]) -> None:
    """Raise UsageError where what the project requires is not in ``[project]``.

    An empty ``[project]`` beside it would be the one that counts, for build backends
    as well.
    """
    if {"project", "dependency-groups"} & document.keys():
        return
    poetry = _table(document, "tool", "poetry")
    if poetry:
        raise UsageError(
            "[tool.poetry] says what this project requires, and only Poetry reads that",
            "move name, version, requires-python and dependencies to [project], which "
            "Poetry 2 reads too, and groups to [dependency-groups]; then run "
            "`polylock init` again",
        )
    present = [name for name in _SETUPTOOLS if (directory / name).is_file()]
    if present:
        raise UsageError(
            f"{' and '.join(present)} may say what this project requires, and polylock "
            "reads [project] of pyproject.toml",
            "write [project] with name, version, requires-python and dependencies "
            "(install_requires), then run `polylock init` again; where they say "
            "nothing of it, `polylock init --name NAME` writes a new [project]",
        )


def look_around(directory: Path, document: Mapping[str, Any]) -> Surroundings:
    """Look at what lies beside a project file of which the tables are given."""
    notes = list(_above(directory))
    steps: list[str] = []
    locks = [name for name in _LOCKS if (directory / name).is_file()]
    if not _requires(document):
        wanted, told = _wanted(directory)
        notes += told
        if wanted is not None:
            steps.append(wanted)
        elif not locks:
            steps.append("polylock add NAME ...")
    notes += _settings(document)
    notes += (
        f"{name} is not read: `polylock add` what it names of Python packages; others "
        "stay with conda"
        for name in _CONDA
        if (directory / name).is_file()
    )
    source = _pinned(directory, locks)
    steps.append(f"polylock lock --pins-from {source}" if source else "polylock lock")
    return Surroundings(notes=tuple(notes), steps=tuple(steps))


def _above(directory: Path) -> Iterator[str]:
    """Tell of a project file in a directory above: this one is another project."""
    place = directory.resolve()
    for parent in place.parents:
        if (parent / "pyproject.toml").is_file():
            yield (
                f"{parent} has a pyproject.toml as well, which stays as it is: this is "
                "another project, with a lock file of its own"
            )
            return
        if (parent / ".git").exists():
            return


def _pinned(directory: Path, locks: Sequence[str]) -> str | None:
    """Return the lock file of another tool to begin with, None with one of ours."""
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
    """Say whether the project requires anything yet."""
    project = _table(document, "project")
    return bool(
        project.get("dependencies")
        or project.get("optional-dependencies")
        or document.get("dependency-groups")
    )


def _wanted(directory: Path) -> tuple[str | None, list[str]]:
    """Return the command that adds what a requirements file asks for, and notes."""
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
                "needs, the others come with them"
            )
            return "polylock add NAME ...", [note]
        if lines:
            return f"polylock add {shlex.join(lines)}", []
    return None, []


def _pins(path: Path) -> bool:
    """Say whether a requirements file pins anything."""
    try:
        return read_requirement_lines(path)[1]
    except ForeignLockInvalid:
        return False


def _settings(document: Mapping[str, Any]) -> Iterator[str]:
    """Tell of the settings of other tools that have an equal."""
    uv = _table(document, "tool", "uv")
    for key in uv:
        if key in _UV_EQUALS:
            equal = _UV_EQUALS[key]
            place = "" if equal.startswith("[") else "[tool.polylock] "
            yield f"[tool.uv] {key} is not read; its equal is {place}{equal}"
    if "workspace" in uv:
        yield "[tool.uv.workspace] is not read, and there is no equal yet"
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
    """Return a table, an empty one where it is missing or none."""
    for key in keys:
        found = document.get(key)
        document = found if isinstance(found, dict) else {}
    return document
