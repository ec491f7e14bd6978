"""The keys of ``[tool.polylock]`` that say how projects are built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from polylock.model.build_settings import BuildSettings, StatedMetadata
from polylock.project.dependencies import normalized_name, read_requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from polylock.model.build_settings import ConfigSettings
    from polylock.toml_tables import Table

__all__ = ["read_builds"]

_EXTRA = "extra-build-dependencies"
_METADATA = "dependency-metadata"
_NOT_ISOLATED = "no-build-isolation-package"
_CONFIG = "config-settings"
_CONFIG_OF = "config-settings-package"

_METADATA_KEYS = (
    "name",
    "version",
    "requires-dist",
    "requires-python",
    "provides-extra",
)


def read_builds(table: Table) -> BuildSettings:
    """Return the settings of builds; raises ProjectError."""
    return BuildSettings(
        extra_requires=_extra_requires(table),
        not_isolated=tuple(sorted(set(_names(table, _NOT_ISOLATED)))),
        config_settings=_config(table.table(_CONFIG)),
        config_settings_of=_config_of(table),
        metadata=_metadata(table),
    )


def _names(table: Table, key: str) -> Iterator[str]:
    for position, text in enumerate(table.array(key)):
        yield normalized_name(text, table, key, position)


def _by_name(table: Table, key: str) -> Iterator[tuple[str, str]]:
    """Yield the keys of a table as written and as normalized names."""
    inside = table.table(key)
    found: set[str] = set()
    for written in inside.values:
        name = normalized_name(written, inside, written)
        if name in found:
            raise inside.error(f"the project {name} is named twice", written)
        found.add(name)
        yield written, name


def _extra_requires(table: Table) -> Mapping[str, tuple[str, ...]]:
    inside = table.table(_EXTRA)
    return {
        name: _requirements(inside, written)
        for name, written in sorted(
            (name, written) for written, name in _by_name(table, _EXTRA)
        )
    }


def _requirements(table: Table, key: str) -> tuple[str, ...]:
    """Return requirements as sorted text, markers in one spelling."""
    found = set()
    for position, text in enumerate(table.array(key)):
        requirement = read_requirement(text, table, key, position)
        if requirement.url is not None:
            name = requirement.name
            raise table.error(
                f"{name} is a direct reference",
                key,
                position,
                advice=f"write {name}, and name its source under "
                "[tool.polylock.sources]",
            )
        expression = requirement.marker_expression
        marker = "" if expression is None else str(expression)
        found.add(str(msgspec.structs.replace(requirement, marker=marker)))
    return tuple(sorted(found))


def _config_of(table: Table) -> Mapping[str, ConfigSettings]:
    inside = table.table(_CONFIG_OF)
    names = _by_name(table, _CONFIG_OF)
    return dict(
        sorted((name, _config(inside.table(written))) for written, name in names)
    )


def _config(table: Table) -> ConfigSettings:
    found: dict[str, str | tuple[str, ...]] = {}
    for key, value in sorted(table.values.items()):
        if isinstance(value, str):
            found[key] = value
        elif isinstance(value, list):
            found[key] = table.strings(key)
        else:
            wanted = "a string or an array of strings"
            raise table.wrong_type(wanted, key, found=value)
    return found


def _metadata(table: Table) -> tuple[StatedMetadata, ...]:
    found: dict[tuple[str, str], StatedMetadata] = {}
    for entry in table.tables(_METADATA):
        entry.refuse_unknown(_METADATA_KEYS)
        stated = _stated(entry)
        key = stated.name, stated.version or ""
        if key in found:
            raise entry.error(
                f"{' '.join(filter(None, key))} is described twice", "name"
            )
        found[key] = stated
    return tuple(found[key] for key in sorted(found))


def _stated(entry: Table) -> StatedMetadata:
    if "name" not in entry:
        raise entry.error("is missing", "name", advice='write: name = "flash-attn"')
    extras = [
        normalized_name(text, entry, "provides-extra", position)
        for position, text in enumerate(entry.array("provides-extra"))
    ]
    return StatedMetadata(
        name=normalized_name(entry.values["name"], entry, "name"),
        version=_version(entry),
        requires_dist=_requirements(entry, "requires-dist"),
        requires_python=_requires_python(entry),
        provides_extra=tuple(sorted(set(extras))),
    )


def _version(entry: Table) -> str | None:
    text = entry.string("version")
    try:
        return None if text is None else str(Version(text))
    except InvalidVersion as error:
        raise entry.error(f"{text!r} is not a version", "version") from error


def _requires_python(entry: Table) -> str | None:
    text = entry.string("requires-python")
    try:
        return None if text is None else str(SpecifierSet(text))
    except InvalidSpecifier as error:
        problem = f"{text!r} is not a version specifier"
        raise entry.error(problem, "requires-python") from error
