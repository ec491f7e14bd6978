"""``[tool.polylock.targets]`` → descriptions, in the order of the file."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from polylock.errors import ProjectError
from polylock.model.target import TargetDescription
from polylock.project.presets import PRESETS
from polylock.project.target_table import TargetTable, parse_python, unknown_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from polylock.model.target import PythonRelease

__all__ = ["TARGET_KEYS", "parse_targets"]

TARGET_KEYS = (
    "platform",
    "libc",
    "macos",
    "python",
    "cpu",
    "nvidia",
    "amd",
    "intel",
    "ascend",
    "tpu",
    "runs-on",
    "dependencies",
    "extends",
    "preset",
    "properties",
)
"""The keys of a target's table."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PYTHON_ADVICE = 'write python = "3.12", "3.12.7", "3.13t" or "pypy3.11", or a list'
_NEWEST_PATCH = 999
"""Stands for the newest patch release of a minor version."""


def parse_targets(  # noqa: PLR0913  # each is one fact of the project file
    tables: Mapping[str, object],
    *,
    path: str,
    default_python: object | None,
    reserved: Collection[str],
    requires_python: str,
    key: str = "tool.polylock.targets",
) -> tuple[TargetDescription, ...]:
    """Return the targets of a project file, a target for each Python of a list.

    ``path`` is the file's name for messages and ``key`` the path of the tables in it;
    ``default_python`` is the raw value of ``tool.polylock.python``; ``reserved`` are
    the normalized names of groups and extras. Raises ProjectError.
    """
    reader = _Reader(path, key, tables)
    supported = _supported_pythons(requires_python, path)
    found: dict[str, TargetDescription] = {}
    for name in tables:
        table = reader.resolve(name)
        for description in _describe(name, table, default_python):
            _check_name(description.name, table, reserved, found)
            _check_python(description.python, supported, table)
            found[description.name] = description
    return tuple(found.values())


class _Reader:
    """Works ``extends`` and ``preset`` into the tables."""

    def __init__(self, path: str, key: str, tables: Mapping[str, object]) -> None:
        self._path = path
        self._key = key
        self._tables = tables

    def resolve(self, name: str) -> TargetTable:
        """Return the table of a target with all that it inherits."""
        chain = [name]
        merged = self._own(name).values
        while "extends" in merged:
            parent = self._parent(chain)
            merged = _inherit(self._own(parent).values, merged)
            chain.append(parent)
        if "preset" in merged:
            merged = _inherit(self._preset(chain[-1]).table, merged)
        return replace(self._own(name), values=merged)

    def _own(self, name: str) -> TargetTable:
        key = f"{self._key}.{_quoted(name)}"
        value = self._tables[name]
        if not isinstance(value, dict):
            raise ProjectError(self._path, key, "must be a table")
        table = TargetTable(path=self._path, key=key, values=value)
        if not _NAME.fullmatch(name):
            advice = f"call it {canonicalize_name(name)}"
            if not _NAME.fullmatch(canonicalize_name(name)):
                advice = "a name is of a-z and 0-9, with single hyphens inside"
            table.fail("", "is not a valid name for a target", advice)
        table.check_keys(TARGET_KEYS)
        if "extends" in value and "preset" in value:
            table.fail("preset", "a target has either extends or a preset")
        return table

    def _parent(self, chain: list[str]) -> str:
        table = self._own(chain[-1])
        parent = table.string("extends") or ""
        if parent not in self._tables:
            others = [name for name in self._tables if name != chain[-1]]
            advice = unknown_name(parent, others)
            table.fail("extends", f"no target named {parent!r}", advice)
        if parent in chain:
            circle = " → ".join([*chain, parent])
            table.fail("extends", f"targets extend each other in a circle: {circle}")
        return parent

    def _preset(self, name: str) -> Any:  # noqa: ANN401
        table = self._own(name)
        preset = table.string("preset") or ""
        if preset not in PRESETS:
            advice = unknown_name(preset, PRESETS)
            table.fail("preset", f"no preset named {preset!r}", advice)
        return PRESETS[preset]


def _inherit(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base with own keys in place of its, links resolved by one step.

    What belongs to the base's operating system or processor does not outlive a
    platform of one's own: a macOS target that extends a Linux one has no glibc.
    """
    kept = dict(base)
    if "platform" in own and own["platform"] != base.get("platform"):
        system, _, architecture = str(base.get("platform", "")).partition("-")
        own_system, _, own_architecture = str(own["platform"]).partition("-")
        if system != own_system:
            kept.pop("libc", None)
            kept.pop("macos", None)
        if architecture != own_architecture:
            kept.pop("cpu", None)
    links = {"extends", "preset"}
    return kept | {name: value for name, value in own.items() if name not in links}


def _describe(
    name: str, table: TargetTable, default_python: object | None
) -> Iterator[TargetDescription]:
    system, architecture = table.platform()
    pythons = list(_pythons(table, default_python))
    description = TargetDescription(
        name=name,
        system=system,
        architecture=architecture,
        python=pythons[0][1],
        libc=table.libc(system),
        macos=table.macos(system, architecture),
        cpu=table.cpu(architecture),
        nvidia=table.nvidia(system),
        amd=table.amd(system),
        intel=table.intel(system),
        ascend=table.ascend(system),
        tpu=table.tpu(system),
        properties=table.properties(),
        runs_on=table.runs_on(),
        dependencies=table.dependencies(),
    )
    for suffix, python in pythons:
        yield replace(description, name=f"{name}{suffix}", python=python)


def _pythons(
    table: TargetTable, default: object | None
) -> Iterator[tuple[str, PythonRelease]]:
    """Yield a suffix for the name and a Python; no suffix where it is the only one."""
    value = table.values.get("python", default)
    if value is None:
        advice = f"{_PYTHON_ADVICE}; python under [tool.polylock] is for all targets"
        table.fail("python", "is missing", advice)
    if isinstance(value, list):
        if not value:
            table.fail("python", "must not be an empty list", _PYTHON_ADVICE)
        for position, item in enumerate(value):
            python = _python(item, table, f"python[{position}]")
            yield _suffix(python), python
    else:
        yield "", _python(value, table, "python")


def _python(value: object, table: TargetTable, key: str) -> PythonRelease:
    if not isinstance(value, str):
        advice = f'write "{value}"' if isinstance(value, float) else _PYTHON_ADVICE
        table.fail(key, "must be a string", advice)
    python = parse_python(value)
    if python is None:
        table.fail(key, f"{value!r} is not a Python", _PYTHON_ADVICE)
    return python


def _suffix(python: PythonRelease) -> str:
    prefix = "py" if python.implementation == "cpython" else python.implementation
    threads = "t" if python.free_threaded else ""
    patch = "" if python.patch is None else f"-{python.patch}"
    return f"-{prefix}{python.major}{python.minor}{threads}{patch}"


def _check_name(
    name: str,
    table: TargetTable,
    reserved: Collection[str],
    found: Mapping[str, TargetDescription],
) -> None:
    if name in reserved:
        table.fail(
            "",
            f"the target {name} shares its name with a dependency group or an extra",
            "rename one of them: a target is a dependency group in the lock file",
        )
    if name in found:
        table.fail("", f"there are two targets named {name}", "rename one of them")


def _supported_pythons(requires_python: str, path: str) -> SpecifierSet:
    try:
        return SpecifierSet(requires_python)
    except InvalidSpecifier as error:
        problem = f"{requires_python!r} is not a version specifier"
        raise ProjectError(
            path, "project.requires-python", problem, 'write ">=3.11"'
        ) from error


def _check_python(
    python: PythonRelease, supported: SpecifierSet, table: TargetTable
) -> None:
    patch = _NEWEST_PATCH if python.patch is None else python.patch
    if not supported.contains(f"{python.minor_version}.{patch}", prereleases=True):
        table.fail(
            "python",
            f"Python {python} is outside requires-python {supported}",
            "change one of them",
        )


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'
