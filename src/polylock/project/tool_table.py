"""Reads ``[tool.polylock]`` except ``targets``, checked and normalized."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast, get_args

from polylock.model.build_settings import BuildSettings
from polylock.model.direct import DIRECT_KEYS
from polylock.model.inputs import (
    DEFAULT_INDEX,
    Alignment,
    BuildPolicy,
    IndexFormat,
    IndexLocation,
    IndexSource,
    Inputs,
    PrereleasePolicy,
    ResolutionMode,
)
from polylock.model.torch_backends import AUTO, NO_BACKEND
from polylock.project.dependencies import normalized_name, read_requirement
from polylock.project.direct_sources import read_source
from polylock.project.setting_values import index_url_problem
from polylock.project.variant_values import read_patterns, read_required
from polylock.toml_tables import Table, suggestion
from polylock.variants.properties import (
    InvalidProperty,
    VariantProperty,
    is_namespace,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from polylock.model.requirements import Requirement

__all__ = [
    "IGNORED_SETTINGS",
    "KEYS",
    "OTHER_TOOLS",
    "read_options",
    "read_torch_backend",
    "read_torch_index",
]

_INDEX_KEYS = ("name", "url", "format", "explicit", "absent")
_SOURCE_KEYS = ("index", *DIRECT_KEYS, "properties", "targets")
_INDEX_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_PATH = r"\.{0,2}[/\\]|\.{1,2}$|[A-Za-z]:[/\\](?!/)"
"""The beginning of a path, which is not a URL: ``./``, ``../``, ``/`` or ``C:/``."""


def read_indexes(
    table: Table, default_index_url: str, directory: Path
) -> tuple[IndexLocation, ...]:
    """Return the indexes of ``[[tool.polylock.index]]``, or the default one.

    Paths are relative to ``directory``. Raises ProjectError.
    """
    found: dict[str, IndexLocation] = {}
    for entry in table.tables("index"):
        # 2 ms, and only for a project that declares indexes.
        from polylock.network.auth import credentials_variable  # noqa: PLC0415

        index = _index(entry, directory)
        variables = credentials_variable(index.name, "*")
        if variables in found:
            raise entry.error(
                f"{index.name} and {found[variables].name} differ too little: "
                f"both would read their credentials from {variables}",
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
    if not re.fullmatch(_INDEX_NAME, name):
        raise entry.error(
            f"{name!r} is not a valid name of an index",
            "name",
            advice="letters, digits and . _ - inside; a letter or digit at both ends",
        )
    if name.lower() == DEFAULT_INDEX:
        raise entry.error(
            f"{name} is reserved for the index of a project that declares none",
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
        absent=_absent(entry),
    )


def _absent(entry: Table) -> tuple[int, ...]:
    """Return the statuses by which the index says that it lacks a project.

    An index that responds with 5xx may have the project: to ask the next one would
    allow dependency confusion.
    """
    statuses = entry.array("absent")
    for position, status in enumerate(statuses):
        if isinstance(status, bool) or not isinstance(status, int):
            raise entry.wrong_type("an integer", "absent", position, found=status)
        if not 400 <= status < 500:
            raise entry.error(
                f"must be a status from 400 to 499, not {status}", "absent", position
            )
    if statuses and entry.string("format") == "flat":
        problem = "is for indexes with a page for each project, and this one is flat"
        raise entry.error(problem, "absent")
    return tuple(sorted(set(statuses)))


def _location(text: str, entry: Table, directory: Path, key: str = "url") -> str:
    """Return the URL of an index; a path becomes a ``file:`` URL."""
    if re.match(_PATH, text):
        # Not resolved: the target of a symbolic link in the path may change.
        return (directory.absolute() / text).as_uri()
    problem = index_url_problem(text)
    if problem is not None:
        raise entry.error(
            problem,
            key,
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
    """Return ``[tool.polylock.sources]``: entries in order, by normalized name.

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
        raise entry.error("conflicts with index", key)
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
                "is empty", key, advice=f"leave {key} out if it does not matter"
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


CUTOFF_KEYS = ("exclude-newer", "exclude-newer-package")
"""The keys that ``polylock.project.cutoff_values`` reads."""

BUILD_KEYS = (
    "extra-build-dependencies",
    "no-build-isolation-package",
    "config-settings",
    "config-settings-package",
    "dependency-metadata",
)
"""The keys that ``polylock.project.build_values`` reads."""

OTHER_TOOLS = ("uv", "poetry", "pdm")
"""The tools whose settings are not passed over in silence, by their tables."""

IGNORED_SETTINGS = "ignored-settings"
"""The key that names settings of other tools to pass over."""

KEYS = (
    "python",
    "required-version",
    *CUTOFF_KEYS,
    "constraint-dependencies",
    "override-dependencies",
    "resolution",
    "prerelease",
    "align",
    "default-target",
    "default-groups",
    "exclude-variants",
    "prefer-variants",
    "require-variants",
    "enable-providers",
    "build",
    "build-package",
    "no-build-package",
    "no-binary-package",
    *BUILD_KEYS,
    "index",
    "sources",
    "torch-backend",
    "torch-index",
    "workspace",
    IGNORED_SETTINGS,
    "targets",
)
"""The keys of ``[tool.polylock]``, in the order in which they are documented."""


def read_options(
    table: Table,
    *,
    targets: Collection[str],
    default_index_url: str,
    directory: Path,
) -> Inputs:
    """Return the inputs that are in ``[tool.polylock]``; all others are left empty.

    ``default_index_url`` is the URL of the default index, which is used if the project
    declares no index, or only explicit ones. Paths are relative to ``directory``, that
    of the project file. Raises ProjectError.
    """
    indexes = read_indexes(table, default_index_url, directory)
    build, no_build, no_binary = _build_packages(table)
    return Inputs(
        constraints=_constraints(table),
        overrides=_requirements(table, "override-dependencies"),
        indexes=indexes,
        sources=read_sources(table, [index.name for index in indexes], targets),
        **_cutoffs(table),
        resolution=cast(
            "ResolutionMode",
            table.choice("resolution", get_args(ResolutionMode), Inputs().resolution),
        ),
        prerelease=cast(
            "PrereleasePolicy",
            table.choice("prerelease", get_args(PrereleasePolicy), Inputs().prerelease),
        ),
        align=cast(
            "Alignment", table.choice("align", get_args(Alignment), Inputs().align)
        ),
        default_target=_default_target(table, targets),
        exclude_variants=tuple(sorted(read_patterns(table, "exclude-variants"))),
        prefer_variants=read_patterns(table, "prefer-variants"),
        require_variants=read_required(table),
        enable_providers=_providers(table),
        build=cast(
            "BuildPolicy", table.choice("build", get_args(BuildPolicy), Inputs().build)
        ),
        build_packages=tuple(sorted(set(build))),
        no_build_packages=tuple(sorted(set(no_build))),
        no_binary_packages=tuple(sorted(set(no_binary))),
        builds=_builds(table),
        torch_backend=read_torch_backend(table),
    )


def _cutoffs(table: Table) -> dict[str, Any]:
    if not any(key in table for key in CUTOFF_KEYS):
        return {}
    # Only for a project that has one of these keys.
    from polylock.project.cutoff_values import read_cutoffs  # noqa: PLC0415 - see above

    return read_cutoffs(table)


def _builds(table: Table) -> BuildSettings:
    if not any(key in table for key in BUILD_KEYS):
        return BuildSettings()
    # Only for a project that has one of these keys.
    from polylock.project.build_values import read_builds  # noqa: PLC0415 - see above

    return read_builds(table)


def read_torch_backend(table: Table) -> str | None:
    """Return ``torch-backend`` of the project or of a target; raises ProjectError."""
    value = table.string("torch-backend")
    if value in {None, AUTO, NO_BACKEND}:
        return value
    # Reads the data of all backends.
    from polylock.project.torch_backends import backend_names  # noqa: PLC0415

    names = backend_names()
    if value not in names:
        raise table.error(
            f"there is no backend {value!r}",
            "torch-backend",
            advice=suggestion(value, (AUTO, *names, NO_BACKEND)),
        )
    return value


def read_torch_index(table: Table, directory: Path) -> str | None:
    """Return ``torch-index``, the URL of a mirror; a path becomes a ``file:`` URL."""
    text = table.string("torch-index")
    if text is None:
        return None
    return _location(text, table, directory, "torch-index")


def _requirements(table: Table, name: str) -> tuple[Requirement, ...]:
    found = [
        read_requirement(text, table, name, position)
        for position, text in enumerate(table.array(name))
    ]
    return tuple(dict.fromkeys(found))


def _constraints(table: Table) -> tuple[Requirement, ...]:
    name = "constraint-dependencies"
    for position, text in enumerate(table.array(name)):
        constraint = read_requirement(text, table, name, position)
        if constraint.url is not None:
            raise table.error(
                f"{constraint.name} is a direct reference, "
                "and a constraint can only limit versions",
                name,
                position,
                advice=f"name it under [tool.polylock.sources]: {constraint.name}",
            )
        if constraint.extras:
            raise table.error(
                "a constraint cannot have extras: it only limits versions",
                name,
                position,
                advice=f"write {constraint.name}{constraint.specifier}",
            )
    return _requirements(table, name)


def _default_target(table: Table, targets: Collection[str]) -> str | None:
    name = table.string("default-target")
    if name is not None and name not in targets:
        raise table.error(
            f"there is no target {name}",
            "default-target",
            advice=suggestion(name, targets),
        )
    return name


def _providers(table: Table) -> tuple[str, ...]:
    names = table.strings("enable-providers")
    for position, name in enumerate(names):
        if not is_namespace(name):
            raise table.error(
                f"{name!r} is not a namespace",
                "enable-providers",
                position,
                advice="a namespace consists of a-z, 0-9 and _",
            )
    return tuple(sorted(set(names)))


def _build_packages(table: Table) -> tuple[list[str], list[str], list[str]]:
    """Return the names in build-package, no-build-package and no-binary-package."""
    build, no_build, no_binary = (
        [
            normalized_name(name, table, key, position)
            for position, name in enumerate(table.array(key))
        ]
        for key in ("build-package", "no-build-package", "no-binary-package")
    )
    for position, name in enumerate(no_build):
        if name in build:
            raise table.error(
                f"{name} is in build-package too", "no-build-package", position
            )
        if name in no_binary:
            raise table.error(
                f"{name} is in no-binary-package too, so no file of it could be used",
                "no-build-package",
                position,
            )
    return list(build), list(no_build), list(no_binary)
