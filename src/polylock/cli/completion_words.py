"""The completions for the value of an option or argument.

They are read from the project file and the lock file. A file that is missing, or
invalid while it is being edited, gives no completions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from click.shell_completion import CompletionItem

from polylock.cache.regular_files import read_regular
from polylock.environment.discovery import environment_python
from polylock.errors import PolylockError
from polylock.operations.workspace import environment_path
from polylock.project.presets import preset_names
from polylock.project.pyproject import ProjectFile, load_project, project_path
from polylock.project.settings import Settings, default_user_file, load_settings
from polylock.toml_tables import parse_toml

__all__ = ["words"]

_PLACES = ("project", "lock_file", "venv")


def words(
    kind: str, parameters: Mapping[str, Any], incomplete: str
) -> list[CompletionItem[str]]:
    """Return the words of a kind that begin with an incomplete word.

    ``parameters`` are those given before it on the command line, as text.
    """
    if kind in {"file", "dir"}:
        return [CompletionItem(incomplete, type=kind)]
    given = {name: parameters[name] for name in _PLACES if parameters.get(name)}
    with suppress(PolylockError, OSError, ValueError, KeyError, TypeError):
        settings = load_settings(given, os.environ, default_user_file(os.environ))
        if kind == "program" and parameters.get("arguments"):
            return [CompletionItem(incomplete, type="file")]
        found = dict.fromkeys(_KINDS[kind](settings))
        return [CompletionItem(word) for word in found if word.startswith(incomplete)]
    return []


def _targets(settings: Settings) -> Iterable[str]:
    """Yield the values of ``--target``: ``auto`` and the targets."""
    yield "auto"
    yield from _declared_targets(settings)


def _declared_targets(settings: Settings) -> Iterable[str]:
    project = _project(settings)
    if project is not None:
        return [description.name for description in project.descriptions]
    record = _lock(settings).get("tool", {}).get("polylock", {})
    return [target["name"] for target in record.get("targets", ())]


def _groups(settings: Settings) -> Iterable[str]:
    project = _project(settings)
    if project is not None:
        return project.inputs.groups
    lock = _lock(settings)
    targets = set(_declared_targets(settings))
    return [name for name in lock.get("dependency-groups", ()) if name not in targets]


def _members(settings: Settings) -> Iterable[str]:
    project = _project(settings)
    return project.inputs.members if project else ()


def _extras(settings: Settings) -> Iterable[str]:
    project = _project(settings)
    extras: Iterable[str] = (
        project.inputs.extras if project else _lock(settings).get("extras", ())
    )
    return extras


def _locked(settings: Settings) -> Iterable[str]:
    return sorted(package["name"] for package in _lock(settings).get("packages", ()))


def _required(settings: Settings) -> Iterable[str]:
    project = _project(settings)
    roots = project.inputs.requirements if project else ()
    return sorted(root.requirement.name for root in roots)


def _presets(settings: Settings) -> Iterable[str]:
    del settings
    return preset_names()


def _programs(settings: Settings) -> Iterable[str]:
    place = environment_path(settings, _project(settings))
    return sorted(path.name for path in environment_python(place).parent.iterdir())


_KINDS: dict[str, Callable[[Settings], Iterable[str]]] = {
    "target": _targets,
    "declared-target": _declared_targets,
    "group": _groups,
    "member": _members,
    "extra": _extras,
    "locked": _locked,
    "required": _required,
    "preset": _presets,
    "program": _programs,
}


def _project(settings: Settings) -> ProjectFile | None:
    with suppress(PolylockError):
        return load_project(project_path(settings), settings=settings)
    return None


def _lock_path(settings: Settings) -> Path:
    if settings.lock_file is not None:
        return settings.lock_file
    with suppress(PolylockError):
        return settings.lock_path(project_path(settings))
    return Path("pylock.toml").absolute()


def _lock(settings: Settings) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        return parse_toml(read_regular(_lock_path(settings)).decode())
    return {}
