"""Edit a project file, its comments, order and layout kept.

Everything here goes from text to text: reading and writing the file is the caller's
business.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name, is_normalized_name

from polylock.errors import ProjectError, UsageError
from polylock.model.direct import InvalidDirectSource, parse_direct_url
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.project.editable_document import Edit
from polylock.toml_tables import key_path, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["add_dependency", "add_target", "init", "remove_dependency"]

_INITIAL_VERSION = "0.1.0"
_BARE_URL = re.compile(r"(git\+)?[a-z]{2,5}://", re.IGNORECASE)
_BARE_PATH = re.compile(r"\.{0,2}[/\\]|\.{1,2}$|~|[A-Za-z]:[/\\]")


def add_dependency(
    text: str,
    requirements: Sequence[str],
    *,
    group: str | None = None,
    extra: str | None = None,
    target: str | None = None,
    path: str = "pyproject.toml",
) -> str:
    """Return the text with requirements added to the one place that is named.

    Without a place they go to ``[project] dependencies``. A requirement of the same
    project under the same marker is replaced where it stands; a bare name changes
    nothing where the project is required already. ``path`` is for errors. Raises
    ProjectError, and UsageError for text that is no requirement.
    """
    wanted = [(item.strip(), _parse(item)) for item in requirements]
    edit = Edit(text, path)
    keys = edit.place(group, extra, target)

    def add(entries: list[Any]) -> None:
        for written, requirement in wanted:
            _add_entry(entries, written, requirement)

    edit.change_array(keys, add)
    return edit.finish()


def remove_dependency(
    text: str,
    names: Sequence[str],
    *,
    group: str | None = None,
    extra: str | None = None,
    target: str | None = None,
    path: str = "pyproject.toml",
) -> str:
    """Return the text without the requirements of these projects in one place.

    Raises ProjectError where one of them is not required there.
    """
    edit = Edit(text, path)
    keys = edit.place(group, extra, target)
    entries = edit.look_up(keys)
    present = [_name(entry) for entry in entries] if isinstance(entries, list) else []
    for name in names:
        if canonicalize_name(name) not in present:
            raise ProjectError(
                path,
                key_path(*keys),
                f"{name} is not required here",
                suggestion(name, sorted({found for found in present if found})),
            )
    unwanted = {canonicalize_name(name) for name in names}

    def remove(entries: list[Any]) -> None:
        for position in reversed(range(len(entries))):
            if _name(entries[position]) in unwanted:
                del entries[position]

    edit.change_array(keys, remove)
    return edit.finish()


def add_target(
    text: str,
    name: str,
    table: Mapping[str, Any],
    *,
    comments: Mapping[str, str] | None = None,
    path: str = "pyproject.toml",
) -> str:
    """Return the text with a target added after those that are there.

    ``table`` holds the keys of ``[tool.polylock.targets.NAME]`` as plain data. Where
    it has a preset, ``comments`` stand behind the keys that they are for. Raises
    ProjectError where the target exists.
    """
    edit = Edit(text, path)
    edit.add_target(name, table, _of_preset(table, comments))
    return edit.finish()


def init(
    text: str | None,
    *,
    name: str,
    requires_python: str,
    targets: Mapping[str, Mapping[str, Any]],
    comments: Mapping[str, str] | None = None,
    path: str = "pyproject.toml",
) -> str:
    """Return a project file with these targets.

    ``text`` is the file that is there, None where there is none: then it gets a
    ``[project]`` of this name, and so it does where the text has neither
    ``[project]`` nor ``[dependency-groups]``. ``comments`` are as for ``add_target``.
    Raises ProjectError.
    """
    if not is_normalized_name(canonicalize_name(name)):
        raise UsageError(f"{name!r} is not a valid name of a project")
    edit = Edit(text or "", path)
    if not {"project", "dependency-groups"} & edit.data.keys():
        edit.add_table(
            ("project",),
            {
                "name": name,
                "version": _INITIAL_VERSION,
                "requires-python": requires_python,
                "dependencies": [],
            },
        )
    for target, table in targets.items():
        edit.add_target(target, table, _of_preset(table, comments))
    return edit.finish()


def _of_preset(
    table: Mapping[str, Any], comments: Mapping[str, str] | None
) -> Mapping[str, str]:
    """Return the comments that a table gets: what it says without a preset is known."""
    return (comments or {}) if "preset" in table else {}


def _parse(text: str) -> Requirement:
    _refuse_unnamed(text.strip())
    try:
        requirement = Requirement.parse(text)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{text!r} is not a requirement: {reason}") from error
    if requirement.url is not None:
        _check_url(requirement.name, requirement.url)
    return requirement


def _refuse_unnamed(text: str) -> None:
    """Refuse a bare URL or path: a requirement begins with the project's name."""
    if _BARE_URL.match(text):
        # It is not repeated: it may hold a password.
        problem = "a URL alone is not a requirement, for it does not name its project"
        raise UsageError(problem, 'write the name before it: "NAME @ URL"')
    is_file = "@" not in text and text.endswith((".whl", ".tar.gz", ".zip"))
    if is_file or _BARE_PATH.match(text):
        path = text.replace("\\", "/")
        raise UsageError(
            f"{text!r} is a path, and a requirement begins with its project's name",
            _source_advice("NAME", path),
        )


def _check_url(name: str, url: str) -> None:
    """Refuse a direct reference that no lock file could hold, or one to this disk."""
    if url.removeprefix("git+").startswith("file:"):
        raise UsageError(
            f"{name} lies on this machine, and its URL would be right here alone",
            _source_advice(name, f"../{name}"),
        )
    try:
        parse_direct_url(url)
    except InvalidDirectSource as error:
        raise UsageError(f"{name} is a direct reference, and {error}") from error


def _source_advice(name: str, path: str) -> str:
    return (
        f"run `polylock add {name}` with the project's name, and write under "
        f'[tool.polylock.sources] {name} = {{ path = "{path}" }}'
    )


def _entry(value: object) -> Requirement | None:
    """Return an entry of a list parsed, None for what is no requirement."""
    try:
        return Requirement.parse(value) if isinstance(value, str) else None
    except InvalidRequirement:
        return None


def _name(value: object) -> str | None:
    requirement = _entry(value)
    return requirement.name if requirement else None


def _add_entry(entries: list[Any], written: str, requirement: Requirement) -> None:
    bare = requirement == Requirement(name=requirement.name)
    for position, value in enumerate(entries):
        found = _entry(value)
        if found is None or found.name != requirement.name:
            continue
        if bare:
            return
        if found.marker == requirement.marker:
            entries[position] = written
            return
    entries.append(written)
