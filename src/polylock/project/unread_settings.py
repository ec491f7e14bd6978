"""Settings of other tools that change what is locked, and that polylock does not read.

Each has a counterpart in ``[tool.polylock]``, ``[project]`` or ``[dependency-groups]``.
Without it a lock would be silently different from the one of that tool: a source names
the index that a project must come from, and without it every index is asked. A setting
only counts as unread if its own tool would use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from polylock.errors import UnreadSettings
from polylock.project.tool_table import IGNORED_SETTINGS, OTHER_TOOLS
from polylock.toml_tables import key_path
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from polylock.toml_tables import Table

__all__ = ["refuse_unread"]

_UV_SAME: Mapping[str, Any] = {
    "constraint-dependencies": (),
    "override-dependencies": (),
    "exclude-dependencies": (),
    "dependency-metadata": (),
    "exclude-newer": None,
    "exclude-newer-package": {},
    "prerelease": "if-necessary-or-explicit",
    "resolution": "highest",
}
"""Keys with the same name in ``[tool.polylock]``, and the value that has no effect."""

_COUNTERPARTS = {"exclude-dependencies": "override-dependencies"}
"""Keys whose counterpart has another name."""

_Key = tuple[str | int, ...]
_POETRY_DIRECT = ("git", "path", "url", "file", "source")


def refuse_unread(
    document: Table,
    *,
    default_index_url: str,
    members: Collection[str] = frozenset(),
) -> None:
    """Raise UnreadSettings if another tool's settings have no counterpart.

    ``members`` of the workspace have their source without an entry.
    Raises ProjectError if ``ignored-settings`` is not a list of such settings.
    """
    view = _View(
        document, default_index_url, _by_torch_backend(document), frozenset(members)
    )
    ignored = _ignored(document)
    for tool, find in (("uv", _of_uv), ("poetry", _of_poetry), ("pdm", _of_pdm)):
        table = _table(document.values, "tool", tool)
        found = [key_path("tool", tool, *parts) for parts in find(table, view)]
        unread = [key for key in found if not _covered(key, ignored)]
        if unread:
            raise UnreadSettings(path=document.path, tool=tool, keys=tuple(unread))


def _by_torch_backend(document: Table) -> frozenset[str]:
    """Return the projects whose index ``torch-backend`` chooses."""
    tool = _table(document.values, "tool", "polylock")
    targets = [
        each for each in _table(tool, "targets").values() if isinstance(each, dict)
    ]
    if not any("torch-backend" in each for each in (tool, *targets)):
        return frozenset()
    # Reads the data of all backends.
    from polylock.project.torch_backends import torch_projects  # noqa: PLC0415

    return torch_projects()


def _ignored(document: Table) -> tuple[str, ...]:
    tool = document.table("tool").table("polylock")
    names = tool.strings(IGNORED_SETTINGS)
    for position, name in enumerate(names):
        if not any(_covered(name, [f"tool.{each}"]) for each in OTHER_TOOLS):
            raise tool.error(
                f"{name!r} is not a setting of uv, Poetry or PDM",
                IGNORED_SETTINGS,
                position,
                advice='for example: ignored-settings = ["tool.uv.sources.torch"]',
            )
    return names


def _covered(key: str, ignored: Sequence[str]) -> bool:
    """Return True if a key or a table that holds it is among the ignored ones."""
    return any(
        key == name or key.startswith((f"{name}.", f"{name}[")) for name in ignored
    )


class _View(Value, frozen=True):
    """What polylock reads of a document."""

    document: Table
    default_index_url: str
    torch_projects: Collection[str]
    members: Collection[str]

    @property
    def tool(self) -> Mapping[str, Any]:
        return _table(self.document.values, "tool", "polylock")

    def has_source(self, name: str) -> bool:
        """Return True if a project has a source here, or one by ``torch-backend``."""
        wanted = canonicalize_name(name)
        known = {canonicalize_name(each) for each in _table(self.tool, "sources")}
        return wanted in {*known, *self.torch_projects, *self.members}

    def has_index(self, name: object, url: object) -> bool:
        """Return True if an index is declared by this name or URL, or is the default.

        A text with a variable of the environment is compared as it is.
        """
        urls = {_bare(self.default_index_url)}
        names: set[str] = set()
        for entry in _tables(self.tool, "index"):
            urls.add(_bare(entry.get("url")))
            names.add(str(entry.get("name", "")).lower())
        return _bare(url) in urls or (isinstance(name, str) and name.lower() in names)

    def has_group(self, name: str) -> bool:
        """Return True if there is a dependency group of this name."""
        groups = _table(self.document.values, "dependency-groups")
        wanted = canonicalize_name(name)
        return any(canonicalize_name(each) == wanted for each in groups)


def _of_uv(table: Mapping[str, Any], view: _View) -> Iterator[_Key]:
    for name, entry in _table(table, "sources").items():
        is_member = entry == {"workspace": True} and "workspace" in view.tool
        if not is_member and not view.has_source(name):
            yield ("sources", name)
    yield from _indexes_of_uv(table, view)
    for key, without_effect in _UV_SAME.items():
        value = table.get(key, without_effect)
        if value in (without_effect, [], {}):
            continue
        if _COUNTERPARTS.get(key, key) not in view.tool:
            yield (key,)
    if table.get("dev-dependencies") and not view.has_group("dev"):
        yield ("dev-dependencies",)


def _indexes_of_uv(table: Mapping[str, Any], view: _View) -> Iterator[_Key]:
    for position, entry in enumerate(_tables(table, "index")):
        # An explicit index only counts where a source names it.
        if not entry.get("explicit") and not view.has_index(
            entry.get("name"), entry.get("url")
        ):
            yield ("index", position)
    for key in ("index-url", "extra-index-url", "find-links"):
        if not all(view.has_index(None, url) for url in _list(table.get(key))):
            yield (key,)


def _of_poetry(table: Mapping[str, Any], view: _View) -> Iterator[_Key]:
    project = _table(view.document.values, "project")
    required = dict(_table(table, "dependencies"))
    required.pop("python", None)
    if {"dependencies", "optional-dependencies"} & project.keys():
        # Beside these Poetry's own dependencies only add sources.
        yield from _without_source(required, view, "dependencies")
    elif required:
        yield ("dependencies",)
    for group in _table(table, "group"):
        inside = _table(table, "group", group)
        if view.has_group(group):
            keys = ("group", group, "dependencies")
            yield from _without_source(_table(inside, "dependencies"), view, *keys)
        elif inside.get("dependencies") or inside.get("include-groups"):
            yield ("group", group)
    if table.get("dev-dependencies") and not view.has_group("dev"):
        yield ("dev-dependencies",)
    for position, entry in enumerate(_tables(table, "source")):
        name, url = entry.get("name"), entry.get("url")
        counts = entry.get("priority") != "explicit" and str(name).lower() != "pypi"
        if counts and not view.has_index(name, url):
            yield ("source", position)


def _without_source(
    dependencies: Mapping[str, Any], view: _View, *keys: str
) -> Iterator[_Key]:
    """Yield Poetry's dependencies that name a source, where there is none here."""
    for name, value in dependencies.items():
        if _is_direct(value) and not view.has_source(name):
            yield (*keys, name)


def _of_pdm(table: Mapping[str, Any], view: _View) -> Iterator[_Key]:
    for position, entry in enumerate(_tables(table, "source")):
        if not view.has_index(entry.get("name"), entry.get("url")):
            yield ("source", position)
    for group, items in _table(table, "dev-dependencies").items():
        if items and not view.has_group(group):
            yield ("dev-dependencies", group)
    resolution = _table(table, "resolution")
    for key in ("overrides", "excludes"):
        if resolution.get(key) and "override-dependencies" not in view.tool:
            yield ("resolution", key)
    if resolution.get("allow-prereleases") and "prerelease" not in view.tool:
        yield ("resolution", "allow-prereleases")


def _is_direct(value: object) -> bool:
    """Return True if a dependency of Poetry names a source."""
    if isinstance(value, list):
        return any(map(_is_direct, value))
    return isinstance(value, dict) and any(key in value for key in _POETRY_DIRECT)


def _bare(url: object) -> str:
    """Return a URL without its final slash, to compare it."""
    return str(url).rstrip("/")


def _table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return a table, empty if it is missing or not a table: its tool reports that."""
    for key in keys:
        found = document.get(key)
        document = found if isinstance(found, dict) else {}
    return document


def _tables(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return an array of tables without what is not one."""
    return [each for each in _list(document.get(key)) if isinstance(each, dict)]


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
