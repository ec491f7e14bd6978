"""Reads TOML as ``Pylock``; an error names the key, ``packages[3].wheels[0].hashes``.

Lock files of other tools are read as well: everything that PEP 751 allows is accepted,
and unknown keys are ignored. The types of ``pylock`` check the types of values; names,
versions, markers and conflicting keys are checked here. In ``[tool.polylock]`` unknown
keys are ignored too, for a later polylock may add some, but wrong types are errors: a
record that is read in part would give `check` a wrong result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from packaging.utils import InvalidName, canonicalize_name
from packaging.version import Version

from polylock.errors import LockFileInvalid
from polylock.lockfile.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    PinnedFile,
    Pylock,
    last_component,
)
from polylock.lockfile.record import (
    LIST_SETTINGS,
    TEXT_SETTINGS,
    InvalidRecord,
    LockedFeature,
    LockedIndex,
    LockedInputs,
    LockedSource,
    LockedTarget,
    Record,
    VariantChoice,
    describe,
    microseconds_of,
)
from polylock.model.build_settings import BuildSettings, StatedMetadata
from polylock.model.cutoffs import LONGEST_SPAN, parse_span
from polylock.model.direct import (
    DIRECT_KEYS,
    DirectSource,
    InvalidDirectSource,
    source_of_table,
)
from polylock.model.filenames import (
    InvalidFilename,
    SdistFilename,
    WheelFilename,
    check_file_name,
)
from polylock.model.inputs import EVERY_PROJECT
from polylock.model.markers import Atom, InvalidMarker, MarkerExpression, parse_marker
from polylock.model.requirements import InvalidRequirement, Requirement, is_specifier
from polylock.model.visible_text import has_control_character
from polylock.toml_tables import (
    InvalidToml,
    Table,
    conflict_marker,
    key_path,
    parse_toml,
)
from polylock.values import Value, replace
from polylock.variants.properties import InvalidProperty, is_label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["read_pylock"]

_CONFLICT_ADVICE = (
    "keep either side as it is and run `polylock lock`, which repairs the rest; "
    "`polylock merge --install` lets git do so the next time"
)
_VCS_TEXTS = ("type", "url", "path", "requested-revision", "commit-id")
_HASH = re.compile(r"[!-9;-~]+:[!-~]+")
_TARGET_NAME = re.compile(r"[A-Za-z0-9]+([._-]+[A-Za-z0-9]+)*")
_MAJOR = 1
_LONGEST_SHOWN = 80
_PINNED = ("sdist", "wheels")
_DIRECT = ("vcs", "directory", "archive")

_File = TypeVar("_File", PackageWheel, PackageSdist, PackageArchive)


def read_pylock(content: bytes | str, path: str) -> Pylock:
    """Return a lock file from its content; ``path`` is for errors.

    Raises LockFileInvalid.
    """
    document = _document(content, path)
    try:
        return _pylock(Table(document, path=path, refusal=_refusal))
    except RecursionError as error:
        raise LockFileInvalid(path, "", "is nested too deeply") from error


def _refusal(path: str, key: str, problem: str, _advice: str | None) -> LockFileInvalid:
    # Advice says what to write, and lock files are not written by hand.
    return LockFileInvalid(path, key, problem)


def _document(content: bytes | str, path: str) -> Mapping[str, Any]:
    try:
        # TOML has no byte order mark, but editors on Windows write one.
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bad_line = error.object.count(b"\n", 0, error.start) + 1
        raise LockFileInvalid(path, "", f"line {bad_line} is not UTF-8") from error
    # git may check out a file with CRLF on Windows; no value here has a newline.
    text = text.replace("\r\n", "\n")
    try:
        return parse_toml(text)
    except InvalidToml as error:
        number = conflict_marker(text)
        if number is not None:
            problem = f"line {number} is a merge conflict marker of git"
            raise LockFileInvalid(path, "", problem, _CONFLICT_ADVICE) from error
        raise LockFileInvalid(path, key_path(*error.parts), str(error)) from error


def _pylock(top: Table) -> Pylock:
    _check_lock_version(top)
    if "packages" not in top:
        raise top.error("is missing", "packages")
    packages = tuple(_package(table) for table in top.tables("packages"))
    tool, ours = _tool(top)
    pylock = top.convert(
        Pylock,
        {
            **top.values,
            "environments": _environments(top),
            "packages": packages,
            "polylock": None if ours is None else _record(ours),
            "tool": tool,
        },
    )
    _check_specifier(top, pylock.requires_python)
    for position, name in enumerate(pylock.extras or ()):
        if _normalized(name) != name:
            raise top.error(f"{name!r} is not normalized", "extras", position)
    return pylock


def _check_lock_version(top: Table) -> None:
    """Raise for an unknown major version; a newer minor version is accepted."""
    text = top.text("lock-version")
    if _version(top, text, "lock-version").major != _MAJOR:
        raise top.error(
            f"version {text} is not supported, only {_MAJOR}.x is", "lock-version"
        )


def _environments(top: Table) -> tuple[MarkerExpression, ...] | None:
    if "environments" not in top:
        return None
    return tuple(
        _marker(top, text, "environments", position)
        for position, text in enumerate(top.strings("environments"))
    )


def _marker(table: Table, text: str, *key: str | int) -> MarkerExpression:
    try:
        marker = parse_marker(text)
    except InvalidMarker as error:
        reason = str(error).splitlines()[0]
        raise table.error(f"is not a marker: {reason}", *key) from error
    if "variant_" in text and _has_variant_field(marker):
        # PEP 825: "they cannot occur in packages.marker or in the top-level
        # environments key, neither of which is scoped to a selected wheel".
        raise table.error("must not use a variant marker", *key)
    return marker


def _has_variant_field(marker: MarkerExpression) -> bool:
    if isinstance(marker, Atom):
        return marker.field.startswith("variant_")
    return any(_has_variant_field(operand) for operand in marker.operands)


def _check_specifier(table: Table, text: str | None) -> None:
    if text is not None and not is_specifier(text):
        problem = f"{text!r} is not a version specifier"
        raise table.error(problem, "requires-python")


def _version(table: Table, text: str, key: str) -> Version:
    version = _parsed_version(text)
    if version is None:
        raise table.error(f"{_shortened(text)!r} is not a version", key)
    return version


def _parsed_version(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or a number of 5,000 digits
        return None


def _shortened(text: str) -> str:
    return text if len(text) < _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _normalized(name: str) -> str | None:
    """Return the normalized form of a name, None if it is not a valid name."""
    try:
        return canonicalize_name(name, validate=True)
    except InvalidName:
        return None


def _tool(table: Table) -> tuple[dict[str, Any], Table | None]:
    """Return the tables of other tools, and ``tool.polylock``."""
    if "tool" not in table:
        return {}, None
    tool = table.table("tool")
    others = {key: value for key, value in tool.values.items() if key != "polylock"}
    return others, tool.table("polylock") if "polylock" in tool else None


def _package(table: Table) -> Package:
    tool, ours = _tool(table)
    marker = table.string("marker")
    package = table.convert(
        Package,
        {
            **table.values,
            "marker": None if marker is None else _marker(table, marker, "marker"),
            "variants": () if ours is None else ours.convert(_Choices).variants,
            "tool": tool,
        },
    )
    name, version = package.name, package.version
    if _normalized(name) != name:
        raise table.error(f"{name!r} is not a normalized name", "name")
    if version is not None:
        _version(table, version, "version")
    _check_specifier(table, package.requires_python)
    for identity in table.tables("attestation-identities"):
        identity.text("kind")
    _check_sources(package, table)
    return _with_files(package, table)


class _Choices(Value, frozen=True, kw_only=True):
    """``[packages.tool.polylock]``."""

    variants: tuple[VariantChoice, ...] = ()


class _Refused(ValueError):
    """An error in a part of a package; ``parts`` is the key path within it.

    The full key path is made only for an error: a lock file has thousands of wheels.
    """

    def __init__(self, problem: str, *parts: str | int) -> None:
        super().__init__(problem)
        self.parts = parts


def _check_sources(package: Package, table: Table) -> None:
    """Raise unless the sources are files of an index, or one direct one (PEP 751)."""
    given = [key for key in (*_PINNED, *_DIRECT) if getattr(package, key)]
    direct = [key for key in given if key in _DIRECT]
    if len(direct) > 1 or (direct and len(given) > 1):
        raise table.error(f"{package.name} has conflicting sources: {given}")
    if not given:
        raise table.error(f"{package.name} has no source to install from")
    parts: tuple[str, ...] = ()
    try:
        _check_texts(package, "index")
        _check_url(package.index, "index")
        if package.vcs is not None:
            parts = ("vcs",)
            _check_location(package.vcs)
            _check_texts(package.vcs, *_VCS_TEXTS)
            _check_subdirectory(package.vcs)
        if package.directory is not None:
            parts = ("directory",)
            _check_texts(package.directory, "path")
            _check_subdirectory(package.directory)
    except _Refused as error:
        raise table.error(str(error), *parts, *error.parts) from error


def _check_location(source: PackageVcs | PackageArchive | PinnedFile) -> None:
    if not source.url and not source.path:
        raise _Refused("has neither url nor path")
    _check_url(source.url, "url")


def _check_url(url: str | None, key: str) -> None:
    """Raise for a text that nobody can split into the parts of a URL.

    Only brackets and letters beyond ASCII can make it one.
    """
    if url is None or (url.isascii() and "[" not in url and "]" not in url):
        return
    try:
        urlsplit(url)
    except ValueError as error:
        raise _Refused(f"{url!r} is not a URL", key) from error


def _check_texts(value: Value, *keys: str) -> None:
    """Raise for characters that would end a line in a command, log or exported file.

    No file name, revision or URL needs one.
    """
    for key in keys:
        text = getattr(value, key.replace("-", "_"))
        if text is not None and has_control_character(text):
            raise _Refused(f"{text!r} has a control character", key)


def _check_subdirectory(source: PackageVcs | PackageDirectory | PackageArchive) -> None:
    """Raise unless it is "the subdirectory within the source tree" (PEP 751)."""
    _check_texts(source, "subdirectory")
    text = source.subdirectory or ""
    place = PureWindowsPath(text)
    if place.anchor or text.startswith("/") or ".." in place.parts:
        raise _Refused(f"{text!r} is not inside the tree", "subdirectory")


def _with_files(package: Package, table: Table) -> Package:
    """Return a package with its files checked and normalized."""
    wheels = []
    sdist, archive = package.sdist, package.archive
    parts: tuple[str | int, ...] = ()
    try:
        for position, wheel in enumerate(package.wheels):
            parts = ("wheels", position)
            wheels.append(_wheel(wheel, package))
        if sdist is not None:
            parts = ("sdist",)
            sdist = _file(sdist)
            _check_filename(SdistFilename.parse, sdist, package)
        if archive is not None:
            parts = ("archive",)
            archive = _file(archive)
            _check_subdirectory(archive)
            check_file_name(last_component(archive.path, archive.url))
    except InvalidFilename as error:
        raise table.error(str(error), *parts) from error
    except _Refused as error:
        raise table.error(str(error), *parts, *error.parts) from error
    return replace(package, wheels=tuple(wheels), sdist=sdist, archive=archive)


def _wheel(wheel: PackageWheel, package: Package) -> PackageWheel:
    found = _file(wheel)
    if found.name is not None and found.name == last_component(found.path, found.url):
        found = replace(found, name=None)
    _check_filename(WheelFilename.parse, found, package)
    return found


def _check_fragment(url: str, hashes: Mapping[str, str]) -> None:
    """Refuse a URL whose fragment has another hash than the file (PEP 503)."""
    algorithm, equals, value = url.partition("#")[2].partition("=")
    value = value.partition("&")[0]
    known = hashes.get(algorithm.lower())
    if equals and known is not None and known.lower() != value.lower():
        raise _Refused(f"has another {algorithm} than {known} of its hashes", "url")


def _file(file: _File) -> _File:
    _check_location(file)
    if not file.hashes:
        raise _Refused("is empty; every file needs a hash", "hashes")
    if not f"{file.url}{file.path}".isprintable():
        _check_texts(file, "url", "path")
    for algorithm, value in file.hashes.items():
        if not (value.isalnum() and algorithm.isalnum()) and not _HASH.fullmatch(
            f"{algorithm}:{value}"
        ):
            raise _Refused(f"{value!r} is not a hash", "hashes", algorithm)
    if file.url is not None and "#" in file.url:
        _check_fragment(file.url, file.hashes)
    moment = file.upload_time
    if moment is None or moment.tzinfo is UTC:
        return file
    return replace(file, upload_time=_in_utc(moment))


def _in_utc(moment: datetime) -> datetime:
    """Return a time in UTC, as PEP 751 requires; a local time is taken to be UTC."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def _check_filename(
    parse: Callable[[str], WheelFilename | SdistFilename],
    file: PinnedFile,
    package: Package,
) -> None:
    filename = file.filename
    try:
        parsed = parse(filename)
    except InvalidFilename as error:
        raise _Refused(str(error), "name") from error
    name, version = package.name, package.version
    if parsed.name != name:
        raise _Refused(f"{filename} is not a file of {name}", "name")
    if version is None or parsed.version == version:
        return
    found = _parsed_version(parsed.version)
    if found is None:
        raise _Refused(f"{_shortened(parsed.version)!r} is not a version", "name")
    if found != _parsed_version(version):
        raise _Refused(f"{filename} is not a file of {name} {version}", "name")


class _FeatureTable(Value, frozen=True, kw_only=True):
    """One feature or, with ``features``, several with the same values."""

    namespace: str
    feature: str | None = None
    features: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class _TargetTable(Value, frozen=True, kw_only=True, rename="kebab"):
    """``[[tool.polylock.targets]]``."""

    name: str
    platform: str
    python: str
    libc: str | None = None
    macos: str | None = None
    properties: tuple[_FeatureTable, ...] = ()
    derived_properties: tuple[_FeatureTable, ...] = ()
    variants: tuple[str, ...] = ()
    exclude_variants: tuple[str, ...] | None = None
    prefer_variants: tuple[str, ...] | None = None
    require_variants: Mapping[str, tuple[str, ...]] = {}
    torch_backend: str | None = None


class _SourceTable(Value, frozen=True, kw_only=True):
    """An entry of ``[tool.polylock.sources]`` for one project."""

    index: str = ""
    path: str | None = None
    url: str | None = None
    git: str | None = None
    rev: str | None = None
    tag: str | None = None
    branch: str | None = None
    subdirectory: str | None = None
    editable: bool | None = None
    properties: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


class _RecordTable(Value, frozen=True, kw_only=True, rename="kebab"):
    """``[tool.polylock]`` without the settings, which are read by name."""

    exclude_newer: datetime | None = None
    exclude_newer_span: str | None = None
    exclude_newer_package: Mapping[str, datetime | bool] = {}
    exclude_newer_package_span: Mapping[str, str] = {}
    indexes: tuple[LockedIndex, ...] = ()
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    extras: Mapping[str, tuple[str, ...]] = {}
    groups: Mapping[str, tuple[str, ...]] = {}
    target_dependencies: Mapping[str, tuple[str, ...]] = {}
    require_variants: Mapping[str, tuple[str, ...]] = {}
    sources: Mapping[str, tuple[_SourceTable, ...]] = {}
    trees: Mapping[str, tuple[str, ...]] = {}
    extra_build_dependencies: Mapping[str, tuple[str, ...]] = {}
    no_build_isolation_package: tuple[str, ...] = ()
    config_settings: Mapping[str, str | tuple[str, ...]] = {}
    config_settings_package: Mapping[str, Mapping[str, str | tuple[str, ...]]] = {}
    dependency_metadata: tuple[StatedMetadata, ...] = ()
    targets: tuple[_TargetTable, ...] = ()


def _record(table: Table) -> Record:
    found = table.convert(_RecordTable)
    cutoff = found.exclude_newer
    inputs = LockedInputs(
        requirements=found.requirements,
        extras=found.extras,
        groups=found.groups,
        targets=found.target_dependencies,
        constraints=found.constraints,
        overrides=found.overrides,
        indexes=found.indexes,
        sources={
            name: tuple(
                _source(table.inside({}, "sources", name, position), entry)
                for position, entry in enumerate(entries)
            )
            for name, entries in found.sources.items()
        },
        exclude_newer=None if cutoff is None else microseconds_of(_in_utc(cutoff)),
        exclude_newer_package={
            name: _cutoff(table, name, found.exclude_newer_package[name])
            for name in found.exclude_newer_package
        },
        exclude_newer_spans=_spans(table, found),
        settings={key: table.text(key) for key in TEXT_SETTINGS if key in table},
        lists={key: table.strings(key) for key in LIST_SETTINGS if key in table},
        require_variants=found.require_variants,
        trees=found.trees,
        builds=_builds(table, found),
    )
    for key in ("exclude-variants", "prefer-variants"):
        _check_patterns(table, inputs.lists.get(key, ()), key)
    for name, texts in found.require_variants.items():
        _check_patterns(table, texts, "require-variants", name)
    for position, index in enumerate(found.indexes):
        if has_control_character(index.name):
            problem = f"{index.name!r} has a control character"
            raise table.error(problem, "indexes", position, "name")
    targets = (
        _target(table.inside({}, "targets", position), entry)
        for position, entry in enumerate(found.targets)
    )
    return Record(inputs=inputs, targets=tuple(targets))


def _cutoff(table: Table, name: str, value: object) -> int | None:
    """Return the cutoff of a project, None for false."""
    if isinstance(value, datetime):
        return microseconds_of(_in_utc(value))
    if value:
        problem = "must be a date-time or false"
        raise table.error(problem, "exclude-newer-package", name)
    return None


def _spans(table: Table, found: _RecordTable) -> dict[str, int]:
    """Return the spans that cutoffs were made from, in seconds."""
    key = "exclude-newer-package-span"
    texts = {
        (key, name): text for name, text in found.exclude_newer_package_span.items()
    }
    if found.exclude_newer_span is not None:
        texts["exclude-newer-span", EVERY_PROJECT] = found.exclude_newer_span
    spans = {}
    for (place, name), text in texts.items():
        span = parse_span(text)
        if span is None or span > LONGEST_SPAN:
            raise table.error(
                f"{text!r} is not a span", place, *([name] if name else ())
            )
        spans[name] = span
    return dict(sorted(spans.items()))


def _builds(table: Table, found: _RecordTable) -> BuildSettings:
    key = "extra-build-dependencies"
    for name, texts in found.extra_build_dependencies.items():
        _check_requirements(table, texts, key, name)
    for position, stated in enumerate(found.dependency_metadata):
        place = ("dependency-metadata", position, "requires-dist")
        _check_requirements(table, stated.requires_dist, *place)
    return BuildSettings(
        extra_requires=found.extra_build_dependencies,
        not_isolated=found.no_build_isolation_package,
        config_settings=found.config_settings,
        config_settings_of=found.config_settings_package,
        metadata=found.dependency_metadata,
    )


def _check_requirements(table: Table, texts: Sequence[str], *inside: str | int) -> None:
    for position, text in enumerate(texts):
        try:
            Requirement.parse(text)
        except InvalidRequirement as error:
            problem = f"{text!r} is not a requirement"
            raise table.error(problem, *inside, position) from error


def _source(table: Table, entry: _SourceTable) -> LockedSource:
    return LockedSource(
        index=entry.index,
        direct=None if entry.index else _direct(table, entry),
        properties=entry.properties,
        targets=entry.targets,
    )


def _direct(table: Table, entry: _SourceTable) -> DirectSource:
    given = {key: getattr(entry, key) for key in DIRECT_KEYS}
    try:
        return source_of_table({k: v for k, v in given.items() if v is not None})
    except InvalidDirectSource as error:
        raise table.error(str(error)) from error


def _target(table: Table, entry: _TargetTable) -> LockedTarget:
    if not _TARGET_NAME.fullmatch(entry.name):
        raise table.error(f"{entry.name!r} is not a name for a target", "name")
    target = LockedTarget(
        name=entry.name,
        platform=entry.platform,
        python=entry.python,
        libc=entry.libc,
        macos=entry.macos,
        stated=_features(entry.properties),
        derived=_features(entry.derived_properties),
        variants=_pinned_labels(table, entry.variants),
        exclude_variants=entry.exclude_variants,
        prefer_variants=entry.prefer_variants,
        require_variants=entry.require_variants,
        torch_backend=entry.torch_backend,
    )
    for key, patterns in (
        ("exclude-variants", entry.exclude_variants or ()),
        ("prefer-variants", entry.prefer_variants or ()),
    ):
        _check_patterns(table, patterns, key)
    for name, texts in entry.require_variants.items():
        _check_patterns(table, texts, "require-variants", name)
    try:
        describe(target)
    except InvalidRecord as error:
        raise table.error(str(error)) from error
    return target


def _pinned_labels(table: Table, texts: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for position, text in enumerate(texts):
        name, at, label = text.partition("@")
        if not at or _normalized(name) != name or (label and not is_label(label)):
            problem = f"{text!r} is not a project and a label"
            raise table.error(problem, "variants", position)
        found[name] = label
    return found


def _check_patterns(table: Table, texts: tuple[str, ...], *inside: str) -> None:
    if not texts:
        return
    from polylock.variants.ordering import VariantPattern  # noqa: PLC0415 - 3 ms, rare

    for position, text in enumerate(texts):
        try:
            VariantPattern.parse(text)
        except InvalidProperty as error:
            raise table.error(str(error), *inside, position) from error


def _features(entries: tuple[_FeatureTable, ...]) -> tuple[LockedFeature, ...]:
    return tuple(
        LockedFeature(namespace=entry.namespace, feature=feature, values=entry.values)
        for entry in entries
        for feature in entry.features or (entry.feature,)
    )
