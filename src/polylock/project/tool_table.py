"""``[tool.polylock]``: every key but ``targets``, checked and normalized."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, cast, get_args

from polylock.model.inputs import (
    Alignment,
    BuildPolicy,
    Inputs,
    PrereleasePolicy,
    ResolutionMode,
)
from polylock.project.dependencies import normalized_name, read_requirement
from polylock.project.indexes import read_indexes, read_sources
from polylock.toml_tables import suggestion
from polylock.variants.properties import (
    InvalidProperty,
    is_namespace,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from polylock.model.requirements import Requirement
    from polylock.toml_tables import Table

__all__ = ["KEYS", "read_options"]

KEYS = (
    "python",
    "exclude-newer",
    "constraint-dependencies",
    "override-dependencies",
    "resolution",
    "prerelease",
    "align",
    "default-target",
    "exclude-variants",
    "prefer-variants",
    "enable-providers",
    "build",
    "build-package",
    "no-build-package",
    "no-binary-package",
    "index",
    "sources",
    "targets",
)
"""The keys of ``[tool.polylock]``, in the order in which they are documented."""

_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DURATION = re.compile(
    r"\s*(?:P[\dYMWDTHS.]+|[\d.]+\s*[a-z]+(\s+ago)?)\s*", re.IGNORECASE
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXAMPLE = 'for example: exclude-newer = "2026-11-01T00:00:00Z"'


def read_options(
    table: Table,
    *,
    targets: Collection[str],
    default_index_url: str,
    directory: Path,
) -> Inputs:
    """Read the wishes that stand in ``[tool.polylock]``; the rest is left empty.

    ``default_index_url`` is the address of the index that counts where the project
    declares none, or none that serves every project. ``directory`` is that of the
    project file, from which paths count. Raises ProjectError.
    """
    indexes = read_indexes(table, default_index_url, directory)
    build, no_build, no_binary = _build_packages(table)
    return Inputs(
        constraints=_constraints(table),
        overrides=_requirements(table, "override-dependencies"),
        indexes=indexes,
        sources=read_sources(table, [index.name for index in indexes], targets),
        exclude_newer=_exclude_newer(table),
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
        exclude_variants=tuple(sorted(_variant_patterns(table, "exclude-variants"))),
        prefer_variants=_variant_patterns(table, "prefer-variants"),
        enable_providers=_providers(table),
        build=cast(
            "BuildPolicy", table.choice("build", get_args(BuildPolicy), Inputs().build)
        ),
        build_packages=tuple(sorted(set(build))),
        no_build_packages=tuple(sorted(set(no_build))),
        no_binary_packages=tuple(sorted(set(no_binary))),
    )


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
                "and a constraint limits versions alone",
                name,
                position,
                advice=f"name it under [tool.polylock.sources]: {constraint.name}",
            )
        if constraint.extras:
            raise table.error(
                "a constraint takes no extras: it limits versions and asks for nothing",
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


def _exclude_newer(table: Table) -> int | None:
    """Return the cutoff in microseconds since 1970 UTC.

    Files uploaded at the cutoff still count. A date means its whole day in UTC, so its
    cutoff is the last microsecond of that day. A time without an offset is refused:
    it would mean another moment elsewhere.
    """
    value = table.values.get("exclude-newer")
    match value:
        case None:
            return None
        case str():
            moment = _parse_moment(value, table)
        case datetime():
            moment = value
        case date():
            moment = value
        case _:
            raise table.wrong_type("a date and time", "exclude-newer", found=value)
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.max, UTC)
    if moment.tzinfo is None:
        raise table.error(
            "has no offset from UTC, so it would mean another time on another machine",
            "exclude-newer",
            advice="add Z for UTC, or an offset such as +02:00",
        )
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _parse_moment(text: str, table: Table) -> datetime | date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
        if _TIMESTAMP.fullmatch(text):
            return datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise table.error(
            f"{text!r} is not a time that exists: {error}", "exclude-newer"
        ) from error
    if _DURATION.fullmatch(text):
        raise table.error(
            f"{text!r} is relative to the day of locking, "
            "so the same project would lock differently tomorrow",
            "exclude-newer",
            advice=f"write the moment itself, {_EXAMPLE}",
        )
    raise table.error(
        f"{text!r} is neither an RFC 3339 date and time with an offset nor a date",
        "exclude-newer",
        advice=_EXAMPLE,
    )


def _variant_patterns(table: Table, name: str) -> tuple[str, ...]:
    """Return namespaces, features, properties and name@label, normalized."""
    found = [
        _variant_pattern(text, table, name, position)
        for position, text in enumerate(table.strings(name))
    ]
    return tuple(dict.fromkeys(found))


def _variant_pattern(text: str, table: Table, *inside: str | int) -> str:
    from polylock.variants.ordering import VariantPattern  # noqa: PLC0415 - 3 ms, rare

    try:
        pattern = VariantPattern.parse(text)
    except InvalidProperty as error:
        raise table.error(
            str(error),
            *inside,
            advice='for example: "nvidia", "nvidia :: sm_arch", '
            '"nvidia :: sm_arch :: 90_real", "torch@cu130"',
        ) from error
    if pattern.label:
        project = text.partition("@")[0].strip()
        name = normalized_name(project, table, *inside)
        return f"{name}@{pattern.label}"
    parts = (pattern.namespace, pattern.feature, pattern.value)
    return " :: ".join(part for part in parts if part)


def _providers(table: Table) -> tuple[str, ...]:
    names = table.strings("enable-providers")
    for position, name in enumerate(names):
        if not is_namespace(name):
            raise table.error(
                f"{name!r} is not a namespace",
                "enable-providers",
                position,
                advice="a namespace has a-z, 0-9 and _ alone",
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
