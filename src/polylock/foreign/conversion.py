"""A project file in the course of its conversion from another tool.

The document is plain data. What it has for polylock already is never replaced, so a
second conversion changes nothing. Each setting ends as converted, or as listed with the
reason and what to do.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from packaging.utils import canonicalize_name

from polylock.errors import ProjectError
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.project.build_values import read_builds
from polylock.project.tool_table import (
    BUILD_KEYS,
    IGNORED_SETTINGS,
    read_options,
)
from polylock.toml_tables import Table
from polylock.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Conversion",
    "ConversionDefaults",
    "Converted",
    "Files",
    "Listed",
    "as_list",
    "as_table",
    "as_tables",
    "requirement_name",
]

_VARIABLE = re.compile(r"\$\{?[A-Za-z_]")
_INDEX_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


class Converted(Value, frozen=True, kw_only=True):
    """A setting of another tool, and what it became."""

    origin: str
    into: str


class Listed(Value, frozen=True, kw_only=True):
    """A setting that was not converted: a clause with the reason, and what to do."""

    origin: str
    reason: str
    advice: str = ""


class Files(Protocol):
    """Reads files near the project file; paths are relative to it."""

    def read(self, path: str) -> str | None:
        """Return the text of a file, None if it does not exist."""
        ...

    def matching(self, pattern: str) -> Sequence[str]:
        """Return the files that match a pattern of a path, sorted."""
        ...


class ConversionDefaults(Value, frozen=True, kw_only=True):
    """The values for a conversion that the files of the other tool do not decide.

    ``targets`` are the tables of the machines that were named, ``here`` that of this
    machine, which is used if none was and the project names no environment. ``python``
    returns the Python for a ``requires-python``. ``index_url`` is the default index,
    ``directory_name`` the project name without another.
    """

    targets: Mapping[str, Mapping[str, Any]]
    here: tuple[str, Mapping[str, Any]]
    python: Callable[[str], str]
    index_url: str
    directory_name: str


class Conversion:
    """The document of a project file, and what was converted and listed so far."""

    def __init__(self, document: Mapping[str, Any], path: str) -> None:
        self.path = path
        self.document: dict[str, Any] = copy.deepcopy(dict(document))
        self.converted: list[Converted] = []
        self.listed: list[Listed] = []
        self.aliases: dict[str, str] = {}  # of indexes with the URL of another
        self._target_names: tuple[str, ...] = ()
        self._urls: dict[str, str] = {
            _bare(entry.get("url")): str(entry.get("name"))
            for entry in as_tables(self.tool.get("index"))
        }

    @property
    def tool(self) -> dict[str, Any]:
        """Return ``[tool.polylock]``, empty if there is none."""
        return as_table(as_table(self.document.get("tool")).get("polylock"))

    @property
    def project(self) -> dict[str, Any]:
        """Return ``[project]``, empty if there is none."""
        return as_table(self.document.get("project"))

    def other(self, tool: str) -> dict[str, Any]:
        """Return the table of another tool, empty if there is none."""
        return as_table(as_table(self.document.get("tool")).get(tool))

    @property
    def target_names(self) -> tuple[str, ...]:
        """Return the names of the targets, those of a list of Pythons included."""
        return self._target_names or tuple(as_table(self.tool.get("targets")))

    @target_names.setter
    def target_names(self, names: tuple[str, ...]) -> None:
        self._target_names = names

    def place(self, *keys: str) -> dict[str, Any]:
        """Return the table at a key path; it is made if it is missing."""
        table = self.document
        for key in keys:
            found = table.setdefault(key, {})
            if not isinstance(found, dict):
                raise ProjectError(self.path, ".".join(keys), "must be a table")
            table = found
        return table

    def note(self, origin: str, into: str) -> None:
        """Record what a setting became."""
        self.converted.append(Converted(origin=origin, into=into))

    def leave(self, origin: str, reason: str, advice: str = "") -> None:
        """Record a setting that was not converted."""
        self.listed.append(Listed(origin=origin, reason=reason, advice=advice))

    def ignore(self, origin: str) -> None:
        """Write that a setting has no effect on the targets of this project."""
        names = self.place("tool", "polylock").setdefault(IGNORED_SETTINGS, [])
        if origin not in names:
            names.append(origin)

    def option(self, key: str, value: object, origin: str) -> None:
        """Write a key of ``[tool.polylock]``, unless it is there.

        It is listed instead if polylock refuses the value.
        """
        if key in self.tool:
            return
        problem = _problem(key, value)
        if problem is not None:
            self.leave(
                origin,
                problem,
                f"write {key} in [tool.polylock], or name the setting "
                f"in {IGNORED_SETTINGS}",
            )
            return
        self.place("tool", "polylock")[key] = value
        self.note(origin, f"tool.polylock.{key}")

    def add_index(
        self,
        url: str,
        origin: str,
        *,
        name: str | None = None,
        **more: object,
    ) -> str | None:
        """Write an index, unless its URL is declared; return its name.

        None means that it cannot be written. Credentials are left out.
        """
        known = self._urls.get(_bare(url))
        if known is not None:
            if name is not None:
                self.aliases[name.lower()] = known
            return known
        if _VARIABLE.search(url.rpartition("@")[2]):
            self.leave(
                origin,
                "its URL has a variable of the environment",
                "write [[tool.polylock.index]] with the URL itself",
            )
            return None
        plain = _without_user(url)
        written = self._index_name(name, plain)
        entry: dict[str, object] = {"name": written, "url": plain}
        entry.update({key: value for key, value in more.items() if value})
        self.place("tool", "polylock").setdefault("index", []).append(entry)
        self._urls[_bare(url)] = self._urls[_bare(plain)] = written
        self.note(origin, f"tool.polylock.index {written}")
        if plain != url:
            variable = re.sub(r"[^A-Z0-9]", "_", written.upper())
            self.leave(
                origin,
                "the user name or password in its URL was left out",
                f"set POLYLOCK_INDEX_{variable}_USERNAME and _PASSWORD, or use netrc",
            )
        return written

    def _index_name(self, name: str | None, url: str) -> str:
        """Return a name for an index that no other one has."""
        parts = urlsplit(url)
        wanted = name or parts.hostname or parts.path.strip("./").replace("/", "-")
        wanted = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted or "").strip("-._")
        if not _INDEX_NAME.fullmatch(wanted) or wanted.lower() == "default":
            wanted = f"index-{wanted}".strip("-")
        taken = {each.lower() for each in self._urls.values()}
        number, found = 2, wanted
        while found.lower() in taken:
            found, number = f"{wanted}-{number}", number + 1
        return found

    def has_source(self, name: str) -> bool:
        """Return True if a project has a source."""
        wanted = canonicalize_name(name)
        sources = as_table(self.tool.get("sources"))
        return any(canonicalize_name(each) == wanted for each in sources)

    def add_source(
        self, name: str, entries: Sequence[Mapping[str, Any]], origin: str
    ) -> None:
        """Write the source of a project, unless it has one."""
        if self.has_source(name) or not entries:
            return
        value = dict(entries[0]) if len(entries) == 1 else [dict(e) for e in entries]
        self.place("tool", "polylock", "sources")[name] = value
        self.note(origin, f"tool.polylock.sources.{name}")

    def add_requirements(
        self, keys: tuple[str, ...], texts: Sequence[object], origin: str
    ) -> None:
        """Append requirements to a list, without projects that it names already."""
        table = self.place(*keys[:-1])
        written = next(
            (
                key
                for key in table
                if canonicalize_name(key) == canonicalize_name(keys[-1])
            ),
            keys[-1],
        )
        items = table.setdefault(written, [])
        present = [str(item) for item in items]
        known = {requirement_name(item) for item in present} - {None}
        added = [
            text
            for text in texts
            if str(text) not in present and requirement_name(text) not in known
        ]
        items.extend(added)
        if added or not items:
            self.note(origin, ".".join((*keys[:-1], written)))

    def has_group(self, name: str) -> bool:
        """Return True if there is a dependency group of this name."""
        groups = as_table(self.document.get("dependency-groups"))
        wanted = canonicalize_name(name)
        return any(canonicalize_name(each) == wanted for each in groups)

    def requirements(self) -> Iterator[str]:
        """Yield the requirements of the project, its extras, groups and targets."""
        yield from as_list(self.project.get("dependencies"))
        for table in (
            as_table(self.project.get("optional-dependencies")),
            as_table(self.document.get("dependency-groups")),
        ):
            for items in table.values():
                yield from (item for item in as_list(items) if isinstance(item, str))
        for target in as_table(self.tool.get("targets")).values():
            yield from as_list(as_table(target).get("dependencies"))


def requirement_name(text: object) -> str | None:
    """Return the project of a requirement, None if the text is not one."""
    try:
        return Requirement.parse(text).name if isinstance(text, str) else None
    except InvalidRequirement:
        return None


def as_table(value: object) -> dict[str, Any]:
    """Return a table, an empty one for any other value: its own tool refuses that."""
    return value if isinstance(value, dict) else {}


def as_tables(value: object) -> list[dict[str, Any]]:
    """Return the tables of an array."""
    return [each for each in as_list(value) if isinstance(each, dict)]


def as_list(value: object) -> list[Any]:
    """Return an array; a single value counts as an array of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _problem(key: str, value: object) -> str | None:
    """Return the reason why ``[tool.polylock]`` cannot have a value, None if it can."""
    table = Table({key: value}, path="", parts=("tool", "polylock"))
    try:
        if key in BUILD_KEYS:
            read_builds(table)
        read_options(table, targets=(), default_index_url="", directory=Path())
    except ProjectError as error:
        return error.problem
    return None


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _bare(url: object) -> str:
    return _without_user(str(url)).rstrip("/")
