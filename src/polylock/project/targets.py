"""Reads ``[tool.polylock.targets]`` as descriptions, in the order of the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from polylock.errors import ProjectError
from polylock.model.target import PythonRelease, TargetDescription
from polylock.project.target_values import (
    PYTHON_ADVICE,
    preset_advice,
    read_amd,
    read_ascend,
    read_cpu,
    read_dependencies,
    read_intel,
    read_libc,
    read_macos,
    read_nvidia,
    read_platform,
    read_properties,
    read_python,
    read_runs_on,
    read_tpu,
    read_venv,
    refuse,
)
from polylock.project.tool_table import read_torch_backend
from polylock.project.variant_values import (
    read_patterns,
    read_required,
    read_variants,
)
from polylock.toml_tables import Table, suggestion
from polylock.values import replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


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
    "venv",
    "dependencies",
    "extends",
    "preset",
    "properties",
    "variants",
    "exclude-variants",
    "prefer-variants",
    "require-variants",
    "torch-backend",
)
"""The keys of a target's table."""

_PROCESSORS = frozenset({"microarchitecture", "level"})
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_GPU = 'nvidia = { driver = "13.0", compute = ["9.0"] }'
_MEANT = {
    "cuda": f"the CUDA version of the driver goes under nvidia: {_GPU}",
    "gpu": f"name the maker: {_GPU}, amd = … or intel = …",
    "rocm": 'ROCm goes under amd: amd = { rocm = "7.1", gfx = ["gfx942"] }',
    "os": 'write platform = "linux-x86_64"',
    "arch": 'write platform = "linux-x86_64"',
    "glibc": 'write libc = "glibc-2.28"',
    "musl": 'write libc = "musl-1.2"',
}
"""Advice for keys that do not exist although people expect them."""


def parse_targets(
    tables: Mapping[str, object],
    *,
    path: str,
    default_python: object | None,
    reserved: Collection[str],
    requires_python: str,
    key: str = "tool.polylock.targets",
) -> tuple[TargetDescription, ...]:
    """Return the targets of a project file; a list of Pythons makes a target for each.

    ``path`` is the file's name for messages and ``key`` the path of the tables in it;
    ``default_python`` is the raw value of ``tool.polylock.python``; ``reserved`` are
    the normalized names of groups and extras. Raises ProjectError.
    """
    root = Table(tables, path=path, parts=tuple(key.split(".")))
    supported = _supported_pythons(requires_python, path)
    found: dict[str, TargetDescription] = {}
    for name in tables:
        table = _resolve(root, name)
        for description in _describe(name, table, default_python):
            _check_name(description.name, table, reserved, found)
            _check_python(description.python, supported, table)
            found[description.name] = description
    return tuple(found.values())


def _resolve(root: Table, name: str) -> Table:
    """Return the table of a target with all inherited keys."""
    chain = [name]
    while (parent := _parent(root, chain)) is not None:
        chain.append(parent)
    values: Mapping[str, Any] = {}
    preset = _own(root, chain[-1]).string("preset")
    if preset is not None:
        values = _preset(root, chain[-1], preset)
    for link in reversed(chain):
        values = _inherit(values, _own(root, link).values)
    return root.inside(values, name)


def _preset(root: Table, target: str, name: str) -> Mapping[str, Any]:
    # 0.6 ms, and only for a project with a preset.
    from polylock.project.presets import preset_names, preset_table  # noqa: PLC0415

    table = preset_table(name)
    if table is None:
        advice = preset_advice(name, preset_names())
        refuse(root, f"there is no preset {name!r}", target, "preset", advice=advice)
    return table


def _own(root: Table, name: str) -> Table:
    """Return a target's own table, with its keys and its name checked."""
    table = root.table(name)
    if not _NAME.fullmatch(name):
        normal = canonicalize_name(name)
        advice = "a name consists of a-z and 0-9, with single hyphens inside"
        if _NAME.fullmatch(normal):
            advice = f"call it {normal}: {advice}"
        refuse(table, "is not a valid name for a target", advice=advice)
    for key in table.values:
        if key in _MEANT:
            refuse(table, "is not a known key", key, advice=_MEANT[key])
    table.refuse_unknown(TARGET_KEYS)
    if "extends" in table and "preset" in table:
        refuse(table, "give either extends or preset, not both", "preset")
    return table


def _parent(root: Table, chain: list[str]) -> str | None:
    """Return the target that the last of a chain extends, None if it extends none."""
    table = _own(root, chain[-1])
    parent = table.string("extends")
    if parent is None:
        return None
    if parent in chain:
        circle = " extends ".join([*chain, parent])
        refuse(table, f"extends itself: {circle}", "extends")
    if parent not in root:
        others = [name for name in root.values if name not in chain]
        advice = suggestion(parent, others)
        refuse(table, f"there is no target {parent!r}", "extends", advice=advice)
    return parent


def _inherit(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return a base table overridden by a target's own keys, inside tables too.

    With another platform, keys for the base's system or processor are not inherited: a
    macOS target that extends a Linux one has no glibc.
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
    for name, value in own.items():
        if name not in {"extends", "preset"}:
            kept[name] = _merged(kept.get(name), value)
    return kept


def _merged(base: object, own: object) -> object:
    """Return a target's own value; a table also has the base's other keys."""
    if not isinstance(base, dict) or not isinstance(own, dict):
        return own
    kept = dict(base)
    if _PROCESSORS & own.keys():
        # A processor has either a name or a level.
        kept = {key: value for key, value in kept.items() if key not in _PROCESSORS}
    return kept | {key: _merged(kept.get(key), value) for key, value in own.items()}


def _describe(
    name: str, table: Table, default_python: object | None
) -> Iterator[TargetDescription]:
    system, architecture = read_platform(table)
    pythons = list(_pythons(table, default_python))
    description = TargetDescription(
        name=name,
        system=system,
        architecture=architecture,
        python=pythons[0][1],
        libc=read_libc(table, system),
        macos=read_macos(table, system, architecture),
        cpu=read_cpu(table, architecture),
        nvidia=read_nvidia(table, system),
        amd=read_amd(table, system),
        intel=read_intel(table, system),
        ascend=read_ascend(table, system),
        tpu=read_tpu(table, system),
        properties=read_properties(table),
        runs_on=read_runs_on(table),
        venv=read_venv(table),
        dependencies=read_dependencies(table),
        variants=read_variants(table),
        exclude_variants=_excluded(table),
        prefer_variants=_preferred(table),
        require_variants=read_required(table),
        torch_backend=read_torch_backend(table),
    )
    for suffix, python in pythons:
        yield replace(description, name=f"{name}{suffix}", python=python)


def _excluded(table: Table) -> tuple[str, ...] | None:
    key = "exclude-variants"
    return tuple(sorted(read_patterns(table, key))) if key in table else None


def _preferred(table: Table) -> tuple[str, ...] | None:
    key = "prefer-variants"
    return read_patterns(table, key) if key in table else None


def _pythons(
    table: Table, default: object | None
) -> Iterator[tuple[str, PythonRelease]]:
    """Yield each Python with a suffix for the target's name, empty for a single one."""
    value = table.values.get("python", default)
    if value is None:
        advice = f"{PYTHON_ADVICE}; python under [tool.polylock] is for all targets"
        refuse(table, "is missing", "python", advice=advice)
    if not isinstance(value, list):
        yield "", read_python(value, table, "python")
        return
    if not value:
        refuse(table, "must not be an empty list", "python", advice=PYTHON_ADVICE)
    for position, item in enumerate(value):
        python = read_python(item, table, "python", position)
        yield _suffix(python), python


def _suffix(python: PythonRelease) -> str:
    prefix = "py" if python.implementation == "cpython" else python.implementation
    threads = "t" if python.free_threaded else ""
    patch = "" if python.patch is None else f"-{python.patch}"
    return f"-{prefix}{python.major}{python.minor}{threads}{patch}"


def _check_name(
    name: str,
    table: Table,
    reserved: Collection[str],
    found: Mapping[str, TargetDescription],
) -> None:
    if name in reserved:
        problem = f"{name} is also the name of a dependency group or an extra"
        advice = "rename one: a target is a dependency group in the lock file"
        refuse(table, problem, advice=advice)
    if name in found:
        refuse(table, f"two targets are named {name}", advice="rename one of them")


def _supported_pythons(requires_python: str, path: str) -> SpecifierSet:
    try:
        return SpecifierSet(requires_python)
    except ValueError as error:
        problem = f"{requires_python!r} is not a version specifier"
        raise ProjectError(
            path, "project.requires-python", problem, 'write ">=3.11"'
        ) from error


def _check_python(python: PythonRelease, supported: SpecifierSet, table: Table) -> None:
    if not supported.contains(python.newest, prereleases=True):
        problem = f"Python {python} is outside requires-python {supported}"
        refuse(table, problem, "python", advice="change one of them")
