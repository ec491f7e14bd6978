"""Read a project file as text, and complete targets to be added to it."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from polylock.cache.regular_files import read_regular
from polylock.environment.discovery import pinned_python
from polylock.errors import ProjectError, UsageError
from polylock.model.target import PythonRelease, TargetDescription
from polylock.project.pyproject import PROJECT_FILE
from polylock.project.required_version import check_required_version
from polylock.project.script import is_script
from polylock.project.target_values import parse_python
from polylock.project.targets import parse_targets
from polylock.toml_tables import InvalidToml, Table, key_path, parse_toml

if TYPE_CHECKING:
    from polylock.project.settings import Settings

__all__ = [
    "complete_targets",
    "directory_name",
    "fitting_python",
    "is_admitted",
    "parse_document",
    "parse_release",
    "pinned_release",
    "project_to_write",
    "read_text",
    "running_python",
]

_MINORS = (10, 16)
"""Minor versions tried for one that ``requires-python`` admits: 3.10 to 3.15."""


def project_to_write(settings: Settings) -> Path:
    """Return the path of the project file of ``init``, which may not exist.

    It is that of the settings or of the current directory, not of one above.
    """
    if settings.project is None:
        return Path.cwd() / PROJECT_FILE
    named = settings.project.absolute()
    return named / PROJECT_FILE if named.is_dir() else named


def directory_name(path: Path) -> str:
    """Return the name of a project's directory as a valid project name."""
    name = canonicalize_name(path.resolve().parent.name)
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)
    return canonicalize_name(kept).strip("-") or "project"


def fitting_python(requires_python: str, directory: Path) -> str:
    """Return a Python for new targets.

    It is the first that ``requires-python`` admits of: the one in ``.python-version``,
    the one that runs polylock, the minor versions from the oldest on.
    """
    running = str(running_python())
    others = [f"3.{minor}" for minor in range(*_MINORS)]
    for text in (pinned_release(directory), running, *others):
        if text is not None and is_admitted(requires_python, text):
            return text
    return running


def pinned_release(directory: Path) -> str | None:
    """Return the minor version in a ``.python-version``, if any."""
    pinned = pinned_python(directory / ".python-version")
    release = None if pinned is None else parse_python(pinned)
    return None if release is None else release.minor_version


def is_admitted(requires_python: str, python: str) -> bool:
    """Return True if ``requires-python`` admits a Python; an invalid one admits all."""
    release = parse_release(python)
    try:
        specifiers = SpecifierSet(requires_python)
    except ValueError:
        return True  # reading the targets reports the error
    return specifiers.contains(release.newest)


def read_text(path: Path) -> str:
    """Return the text of a project file with its line endings; raises ProjectError."""
    if is_script(path):
        problem = "is a script: polylock reads its block and does not edit it"
        raise ProjectError(str(path), "", problem, "edit the block by hand")
    try:
        return read_regular(path).decode()
    except FileNotFoundError as error:
        raise ProjectError(
            str(path), "", "does not exist", "`polylock init` writes a project file"
        ) from error
    except UnicodeDecodeError as error:
        raise ProjectError(str(path), "", "is not UTF-8", "save it as UTF-8") from error
    except OSError as error:
        problem = error.strerror or str(error)
        raise ProjectError(str(path), "", f"cannot be read: {problem}") from error


def running_python() -> PythonRelease:
    """Return the Python that runs polylock, without its patch release."""
    return PythonRelease(
        implementation=sys.implementation.name,
        major=sys.version_info.major,
        minor=sys.version_info.minor,
        free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    )


def parse_release(text: str | None) -> PythonRelease:
    """Return the Python that a text names, with None the one that runs polylock.

    Raises UsageError if the text does not name a Python.
    """
    if text is None:
        return running_python()
    release = parse_python(text)
    if release is None:
        raise UsageError(
            f"{text!r} is not a Python that a target can have",
            "write 3.12, 3.12.7, 3.13t or pypy3.11",
        )
    return release


def complete_targets(
    text: str | None,
    tables: Mapping[str, Mapping[str, Any]],
    *,
    python: str | None,
    path: Path,
) -> dict[str, tuple[dict[str, Any], tuple[TargetDescription, ...]]]:
    """Return the tables with their Python, and the targets that each expands to.

    ``text`` is the project file that they will be added to, None for a new one. If
    ``python`` is None and the project has no default, the Python that runs polylock is
    written. Raises ProjectError if reading the project would refuse a target,
    UsageError if ``python`` does not name a Python.
    """
    document = Table(parse_document(text or "", path), path=str(path))
    project = document.table("project")
    default = document.table("tool").table("polylock").values.get("python")
    own: dict[str, Any] = {}
    if python is not None or default is None:
        own = {"python": str(parse_release(python))}
    reserved = [
        canonicalize_name(name)
        for table in (
            project.table("optional-dependencies"),
            document.table("dependency-groups"),
        )
        for name in table.values
    ]
    found = {}
    for name, table in tables.items():
        complete = _with_python(table, own)
        descriptions = parse_targets(
            {name: complete},
            path=str(path),
            default_python=default,
            reserved=reserved,
            requires_python=project.string("requires-python") or "",
        )
        found[name] = complete, descriptions
    return found


def _with_python(table: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Insert the Python after the keys that name the machine."""
    rest = {key: value for key, value in table.items() if key != "python"}
    leading: dict[str, Any] = {
        key: rest.pop(key)
        for key in ("preset", "platform", "libc", "macos")
        if key in rest
    }
    return {**leading, **own, **rest}


def parse_document(text: str, path: Path) -> dict[str, Any]:
    """Return a project file's tables.

    Raises ProjectError if it is not TOML, or is for another version of polylock.
    """
    try:
        found = parse_toml(text.removeprefix("\ufeff"))
    except InvalidToml as error:
        raise ProjectError(str(path), key_path(*error.parts), str(error)) from error
    document = Table(found, path=str(path))
    check_required_version(document.table("tool").table("polylock"))
    return found
