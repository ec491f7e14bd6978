"""``[[tool.polylock.index]]`` and ``[tool.polylock.sources]``: who serves whom."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast, get_args

from polylock.model.direct import DIRECT_KEYS
from polylock.model.inputs import (
    DEFAULT_INDEX,
    IndexFormat,
    IndexLocation,
    IndexSource,
)
from polylock.project.dependencies import normalized_name
from polylock.project.direct_sources import read_source
from polylock.project.setting_values import index_url_problem
from polylock.toml_tables import suggestion
from polylock.variants.properties import InvalidProperty, VariantProperty

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from polylock.toml_tables import Table

__all__ = ["read_indexes", "read_sources"]

_INDEX_KEYS = ("name", "url", "format", "explicit")
_SOURCE_KEYS = ("index", *DIRECT_KEYS, "properties", "targets")
_INDEX_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_PATH = re.compile(r"\.{0,2}[/\\]|\.{1,2}$|[A-Za-z]:[/\\](?!/)")
"""A path is told from a URL by how it begins: ``./``, ``../``, ``/`` or ``C:/``."""


def read_indexes(
    table: Table, default_index_url: str, directory: Path
) -> tuple[IndexLocation, ...]:
    """Read ``[[tool.polylock.index]]``; paths count from ``directory``.

    Raises ProjectError.
    """
    found: dict[str, IndexLocation] = {}
    for entry in table.tables("index"):
        # 2 ms that a project with the default index does not pay.
        from polylock.network.auth import credentials_variable  # noqa: PLC0415

        index = _index(entry, directory)
        variables = credentials_variable(index.name, "*")
        if variables in found:
            raise entry.error(
                f"{index.name} and {found[variables].name} are too alike: "
                f"both would take their credentials from {variables}",
                "name",
                advice="give each index a name of its own",
            )
        found[variables] = index
    indexes = tuple(found.values())
    if all(index.explicit for index in indexes):
        return (*indexes, IndexLocation(name=DEFAULT_INDEX, url=default_index_url))
    return indexes


def _index(entry: Table, directory: Path) -> IndexLocation:
    entry.refuse_unknown(_INDEX_KEYS)
    name = entry.string("name")
    url = entry.string("url")
    if name is None:
        raise entry.error("is missing", "name", advice='write: name = "internal"')
    if not _INDEX_NAME.fullmatch(name):
        raise entry.error(
            f"{name!r} is not a valid name of an index",
            "name",
            advice="letters, digits and . _ - inside; a letter or digit at both ends",
        )
    if name.lower() == DEFAULT_INDEX:
        raise entry.error(
            f"{name} is the name of the index of a project that declares none",
            "name",
            advice="choose another name",
        )
    if url is None:
        raise entry.error(
            "is missing",
            "url",
            advice='write: url = "https://wheels.example.com/simple"',
        )
    return IndexLocation(
        name=name,
        url=_location(url, entry, directory),
        explicit=entry.boolean("explicit"),
        format=_format(entry),
    )


def _location(text: str, entry: Table, directory: Path) -> str:
    """Return the URL of an index; a path becomes a ``file:`` URL."""
    if _PATH.match(text):
        # Not resolved: what a link in the path leads to may move.
        return (directory.absolute() / text).as_uri()
    problem = index_url_problem(text)
    if problem is not None:
        raise entry.error(
            problem,
            "url",
            advice="for example: https://wheels.example.com/simple or ./wheels",
        )
    return text


def _format(entry: Table) -> IndexFormat | None:
    if "format" not in entry:
        return None
    return cast("IndexFormat", entry.choice("format", get_args(IndexFormat), ""))


def read_sources(
    table: Table, indexes: Collection[str], targets: Collection[str]
) -> Mapping[str, tuple[IndexSource, ...]]:
    """Read ``[tool.polylock.sources]``: entries in order, by normalized name.

    Raises ProjectError.
    """
    sources = table.table("sources")
    found: dict[str, tuple[IndexSource, ...]] = {}
    for written in sources.values:
        name = normalized_name(written, sources, written)
        if name in found:
            raise sources.error(f"the project {name} is named twice", written)
        value = sources.values[written]
        if isinstance(value, dict):  # one entry needs no list
            entries = [sources.inside(value, written)]
        else:
            entries = sources.tables(written)
        if not entries:
            raise sources.error(
                "names no index", written, advice='write: [{ index = "internal" }]'
            )
        found[name] = tuple(_source(entry, indexes, targets) for entry in entries)
    return dict(sorted(found.items()))


def _source(
    entry: Table, indexes: Collection[str], targets: Collection[str]
) -> IndexSource:
    entry.refuse_unknown(_SOURCE_KEYS)
    index = entry.string("index") or ""
    direct = None
    if "index" not in entry:
        direct = read_source(entry)
    elif key := next((key for key in DIRECT_KEYS if key in entry), None):
        raise entry.error("does not go with index", key)
    elif index not in indexes:
        raise entry.error(
            f"there is no index {index}", "index", advice=suggestion(index, indexes)
        )
    names = entry.strings("targets")
    for position, name in enumerate(names):
        if name not in targets:
            raise entry.error(
                f"there is no target {name}",
                "targets",
                position,
                advice=suggestion(name, targets),
            )
    properties = [
        _property(text, entry, "properties", position)
        for position, text in enumerate(entry.strings("properties"))
    ]
    for key in ("properties", "targets"):
        if key in entry and not entry.values[key]:
            raise entry.error(
                "is empty", key, advice=f"leave {key} out to ask nothing of a target"
            )
    return IndexSource(
        index=index,
        direct=direct,
        properties=tuple(sorted(set(properties))),
        targets=tuple(name for name in targets if name in names),
    )


def _property(text: str, table: Table, *inside: str | int) -> str:
    try:
        return str(VariantProperty.parse(text))
    except InvalidProperty as error:
        raise table.error(
            str(error),
            *inside,
            advice='for example: "nvidia :: cuda_version_lower_bound :: 13.0"',
        ) from error
