"""Writes a ``Pylock`` as TOML, in a fixed order and layout.

Keys are in the order of PEP 751, with one item on a line, so that a changed pin changes
only its own lines and two branches merge like text.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from polylock.lockfile.record import (
    LIST_SETTINGS,
    TEXT_SETTINGS,
    LockedFeature,
    LockedIndex,
    LockedInputs,
    LockedSource,
    LockedTarget,
    Record,
    VariantChoice,
    moment_of,
)
from polylock.lockfile.toml_values import (
    array,
    inline_table,
    key_text,
    moment,
    string,
    value_text,
)
from polylock.model.cutoffs import span_text
from polylock.model.direct import table_of_source
from polylock.model.inputs import EVERY_PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from polylock.lockfile.pylock import (
        Package,
        PackageSdist,
        PackageVcs,
        PackageWheel,
        Pylock,
    )
    from polylock.model.build_settings import BuildSettings, StatedMetadata

__all__ = ["package_order", "pylock_text"]


def pylock_text(pylock: Pylock) -> str:
    """Return the text of the lock file, which ends in a newline.

    Packages are sorted by ``package_order``.
    """
    lines = list(_top(pylock))
    for package in sorted(pylock.packages, key=package_order):
        lines.append("")
        lines.extend(_package(package))
    ours = () if pylock.polylock is None else _record(pylock.polylock)
    lines.extend(_tools("tool", pylock.tool, ours))
    return "\n".join(lines) + "\n"


def package_order(package: Package) -> tuple[str, object, str]:
    """Return the sort key of an entry: name, version, marker."""
    marker = "" if package.marker is None else str(package.marker)
    return package.name, _version_key(package.version), marker


def _version_key(version: str | None) -> object:
    """Return the key that sorts by PEP 440, an entry without version first."""
    from packaging.version import Version  # noqa: PLC0415 - only to write

    return Version("0.dev0") if version is None else Version(version)


def _top(pylock: Pylock) -> Iterator[str]:
    yield f"lock-version = {string(pylock.lock_version)}"
    if pylock.environments is not None:
        yield from _strings("environments", map(str, pylock.environments))
    yield from _optional("requires-python", pylock.requires_python)
    for key, names in (
        ("extras", pylock.extras),
        ("dependency-groups", pylock.dependency_groups),
        ("default-groups", pylock.default_groups),
    ):
        if names is not None:
            yield from _strings(key, names)
    yield f"created-by = {string(pylock.created_by)}"
    if not pylock.packages:
        yield "packages = []"


def _package(package: Package) -> Iterator[str]:
    yield "[[packages]]"
    yield f"name = {string(package.name)}"
    yield from _optional("version", package.version)
    if package.marker is not None:
        yield f"marker = {string(str(package.marker))}"
    yield from _optional("requires-python", package.requires_python)
    if package.dependencies is not None:
        tables = (value_text(table) for table in package.dependencies)
        yield from array("dependencies", tables)
    yield from _sources(package)
    if package.attestation_identities is not None:
        identities = (value_text(table) for table in package.attestation_identities)
        yield from array("attestation-identities", identities)
    if package.variants_json is not None:
        yield ""
        yield from _variants_json(package.variants_json)
    yield from _tools("packages.tool", package.tool, _variants(package))


def _sources(package: Package) -> Iterator[str]:
    if package.vcs is not None:
        yield f"vcs = {_vcs(package.vcs)}"
    if (directory := package.directory) is not None:
        table = inline_table(
            [
                ("path", directory.path),
                ("editable", directory.editable),
                ("subdirectory", directory.subdirectory),
            ]
        )
        yield f"directory = {table}"
    if (archive := package.archive) is not None:
        table = inline_table(
            [
                ("url", archive.url),
                ("path", archive.path),
                ("size", archive.size),
                ("upload-time", archive.upload_time),
                ("hashes", dict(sorted(archive.hashes.items()))),
                ("subdirectory", archive.subdirectory),
            ]
        )
        yield f"archive = {table}"
    yield from _optional("index", package.index)
    if package.sdist is not None:
        yield f"sdist = {_file(package.sdist)}"
    if package.wheels:
        yield from array("wheels", map(_file, package.wheels))


def _vcs(vcs: PackageVcs) -> str:
    return inline_table(
        [
            ("type", vcs.type),
            ("url", vcs.url),
            ("path", vcs.path),
            ("requested-revision", vcs.requested_revision),
            ("commit-id", vcs.commit_id),
            ("subdirectory", vcs.subdirectory),
        ]
    )


def _file(file: PackageWheel | PackageSdist) -> str:
    """Return the table of a wheel or sdist; a large file has thousands of them."""
    parts: list[str] = []
    if file.name is not None:
        parts.append(f"name = {string(file.name)}")
    if file.upload_time is not None:
        parts.append(f"upload-time = {moment(file.upload_time)}")
    if file.url is not None:
        parts.append(f"url = {string(file.url)}")
    if file.path is not None:
        parts.append(f"path = {string(file.path)}")
    if file.size is not None:
        parts.append(f"size = {file.size}")
    hashes = ", ".join(
        f"{key_text(algorithm)} = {string(value)}"
        for algorithm, value in sorted(file.hashes.items())
    )
    parts.append(f"hashes = {{ {hashes} }}")
    return f"{{ {', '.join(parts)} }}"


def _variants_json(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the document, one for each label; null is left out."""
    header = "packages.variants-json"
    yield f"[{header}]"
    tables: list[tuple[str, Mapping[str, Any]]] = []
    for key, value in sorted(document.items()):
        if isinstance(value, dict):
            tables.append((key, value))
        elif value is not None:
            yield f"{key_text(key)} = {value_text(_sorted(value))}"
    for key, table in tables:
        yield ""
        yield f"[{header}.{key_text(key)}]"
        for name, value in sorted(table.items()):
            if value is not None:
                yield f"{key_text(name)} = {value_text(_sorted(value))}"


def _sorted(value: Any) -> Any:  # noqa: ANN401 - any TOML value
    """Return the value with its tables in key order, at any depth."""
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [_sorted(inner) for inner in value]
    return value


def _tools(
    header: str, tools: Mapping[str, Any], polylock: Iterable[str]
) -> Iterator[str]:
    """Yield the lines of ``[tool]``: polylock's own, and the tables of other tools.

    Those keep their values, but not their layout.
    """
    plain = {key: tools[key] for key in sorted(tools) if not _is_table(tools[key])}
    if plain:
        yield ""
        yield from _plain_table(header, plain)
    ours = list(polylock)
    names = {key for key in tools if key not in plain}
    for name in sorted({*names, "polylock"} if ours else names):
        yield ""
        if ours and name == "polylock":
            yield from ours
        else:
            yield from _plain_table(f"{header}.{key_text(name)}", tools[name])


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _plain_table(header: str, table: Mapping[str, Any]) -> Iterator[str]:
    yield f"[{header}]"
    for key, value in sorted(table.items()):
        yield f"{key_text(key)} = {value_text(_sorted(value))}"


def _variants(package: Package) -> Iterator[str]:
    if package.variants:
        yield "[packages.tool.polylock]"
        yield from array("variants", map(_choice, package.variants))


def _choice(choice: VariantChoice) -> str:
    return inline_table(
        [
            ("target", choice.target),
            ("label", choice.label),
            ("decided-by", choice.decided_by or None),
        ]
    )


def _record(record: Record) -> Iterator[str]:
    yield from _inputs(record.inputs)
    for target in record.targets:
        yield ""
        yield from _target(target)


def _inputs(inputs: LockedInputs) -> Iterator[str]:
    """Yield the settings that differ from their default, then the requirements."""
    yield "[tool.polylock]"
    if inputs.exclude_newer is not None:
        yield f"exclude-newer = {_cutoff(inputs.exclude_newer)}"
    spans = {
        name: string(span_text(span))
        for name, span in inputs.exclude_newer_spans.items()
    }
    if EVERY_PROJECT in spans:
        yield f"exclude-newer-span = {spans.pop(EVERY_PROJECT)}"
    for key in TEXT_SETTINGS:
        yield from _optional(key, inputs.settings.get(key))
    for key in LIST_SETTINGS:
        if key in inputs.lists:
            yield from _strings(key, inputs.lists[key])
    if inputs.indexes:
        yield from array("indexes", map(_index, inputs.indexes))
    yield from _build_lists(inputs.builds)
    yield from _strings("requirements", inputs.requirements)
    for key, values in (
        ("constraints", inputs.constraints),
        ("overrides", inputs.overrides),
    ):
        if values:
            yield from _strings(key, values)
    for key, table in (
        ("extras", inputs.extras),
        ("groups", inputs.groups),
        ("target-dependencies", inputs.targets),
    ):
        quoted = {name: map(string, table[name]) for name in table}
        yield from _table_of_arrays(key, quoted)
    required = inputs.require_variants
    yield from _table_of_arrays(
        "require-variants", {name: map(string, required[name]) for name in required}
    )
    entries = {name: map(_source, inputs.sources[name]) for name in inputs.sources}
    yield from _table_of_arrays("sources", entries)
    trees = {path: map(string, inputs.trees[path]) for path in inputs.trees}
    yield from _table_of_arrays("trees", trees)
    yield from _build_tables(inputs.builds)
    moments = inputs.exclude_newer_package
    yield from _table_of_texts(
        "exclude-newer-package", {name: _cutoff(moments[name]) for name in moments}
    )
    yield from _table_of_texts("exclude-newer-package-span", spans)


def _cutoff(microseconds: int | None) -> str:
    """Return a cutoff as a TOML value; false for a project without one."""
    return "false" if microseconds is None else moment(moment_of(microseconds))


def _build_lists(builds: BuildSettings) -> Iterator[str]:
    if builds.not_isolated:
        yield from _strings("no-build-isolation-package", builds.not_isolated)
    if builds.metadata:
        yield from array("dependency-metadata", map(_metadata, builds.metadata))


def _build_tables(builds: BuildSettings) -> Iterator[str]:
    extra = builds.extra_requires
    yield from _table_of_arrays(
        "extra-build-dependencies", {name: map(string, extra[name]) for name in extra}
    )
    if builds.config_settings:
        yield ""
        yield from _plain_table("tool.polylock.config-settings", builds.config_settings)
    for name, settings in sorted(builds.config_settings_of.items()):
        yield ""
        header = f"tool.polylock.config-settings-package.{key_text(name)}"
        yield from _plain_table(header, settings)


def _metadata(stated: StatedMetadata) -> str:
    return inline_table(
        [
            ("name", stated.name),
            ("version", stated.version),
            ("requires-dist", stated.requires_dist or None),
            ("requires-python", stated.requires_python),
            ("provides-extra", stated.provides_extra or None),
        ]
    )


def _table_of_arrays(key: str, table: Mapping[str, Iterable[str]]) -> Iterator[str]:
    if table:
        yield ""
        yield f"[tool.polylock.{key}]"
        for name, values in sorted(table.items(), key=itemgetter(0)):
            yield from array(key_text(name), values)


def _table_of_texts(key: str, table: Mapping[str, str]) -> Iterator[str]:
    if table:
        yield ""
        yield f"[tool.polylock.{key}]"
        for name in sorted(table):
            yield f"{key_text(name)} = {table[name]}"


def _index(index: LockedIndex) -> str:
    return inline_table([("name", index.name), ("explicit", index.explicit or None)])


def _source(source: LockedSource) -> str:
    direct = {} if source.direct is None else table_of_source(source.direct)
    return inline_table(
        [
            ("index", source.index or None),
            *direct.items(),
            ("properties", source.properties or None),
            ("targets", source.targets or None),
        ]
    )


def _target(target: LockedTarget) -> Iterator[str]:
    yield "[[tool.polylock.targets]]"
    yield f"name = {string(target.name)}"
    yield f"platform = {string(target.platform)}"
    yield from _optional("libc", target.libc)
    yield from _optional("macos", target.macos)
    yield f"python = {string(target.python)}"
    if target.stated:
        yield from array("properties", _features(target.stated))
    if target.derived:
        yield from array("derived-properties", _features(target.derived))
    if target.variants:
        pins = sorted(f"{name}@{label}" for name, label in target.variants.items())
        yield from array("variants", map(string, pins))
    for key, patterns in (
        ("exclude-variants", target.exclude_variants),
        ("prefer-variants", target.prefer_variants),
    ):
        if patterns is not None:
            yield from _strings(key, patterns)
    if target.require_variants:
        required = inline_table(sorted(target.require_variants.items()))
        yield f"require-variants = {required}"
    yield from _optional("torch-backend", target.torch_backend)


def _features(features: Iterable[LockedFeature]) -> Iterator[str]:
    """Yield the lines of features; neighbours with the same values share a line.

    A processor has dozens of instructions whose only value is ``on``: with a line for
    each, the differences between two machines would be hard to see.
    """
    for (namespace, values), run in groupby(features, key=_place):
        names = [found.feature for found in run]
        if values is None:
            yield from (inline_table([("namespace", namespace)]) for _ in names)
            continue
        yield inline_table(
            [
                ("namespace", namespace),
                ("feature", names[0] if len(names) == 1 else None),
                ("features", names if len(names) > 1 else None),
                ("values", values),
            ]
        )


def _place(feature: LockedFeature) -> tuple[str, tuple[str, ...] | None]:
    return feature.namespace, None if feature.feature is None else feature.values


def _optional(key: str, text: str | None) -> Iterator[str]:
    if text is not None:
        yield f"{key} = {string(text)}"


def _strings(key: str, values: Iterable[str]) -> Iterator[str]:
    yield from array(key, map(string, values))
