"""What is wrong with the variants of a published release (PEP 825, PEP 850).

Each rule yields findings, which are data; ``lint_words`` has their words. A rule is of
a PEP, or says what no installer can take. What only looks unusual is not found.
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, Any

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from polylock.model.filenames import InvalidFilename, WheelFilename
from polylock.model.folding import SelectedVariant, fold_variant
from polylock.model.hashes import hash_value, strongest
from polylock.model.impossible_tags import impossible_tag
from polylock.model.markers import Combination, MarkerExpression
from polylock.values import Value, field, replace
from polylock.variants.abi import is_release
from polylock.variants.catalogue import CUDA_MAJORS
from polylock.variants.properties import NULL_LABEL
from polylock.variants.property_checks import (
    FeatureUnknown,
    PropertyFault,
    SeveralValues,
    ValuesUnknown,
    ValuesUnlisted,
    property_faults,
)
from polylock.variants.variant_json import InvalidVariantMetadata, VariantMetadata
from polylock.variants.variant_schema import (
    ABI_DEPENDENCY,
    is_draft,
    key_path,
    schema_version,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from polylock.model.core_metadata import CoreMetadata
    from polylock.model.distributions import RemoteFile
    from polylock.model.requirements import Requirement
    from polylock.variants.provider_information import ProviderInformation

__all__ = [
    "MOST_FINDINGS",
    "Finding",
    "FindingKind",
    "OpenedFile",
    "PublishedRelease",
    "lint_release",
    "published_releases",
]

MOST_FINDINGS = 500
"""Most findings on one release; the largest real one has 9."""

_MOST_VALUES = 12
"""Most values of a feature in a finding."""

_INDEX_LEVEL = "-variants.json"
_INDEX_LEVEL_NAME = re.compile(r"([^-]+)-([^-]+)-variants\.json")
_SCHEMA_HOST = "https://packaging.python.org/"
_ACCELERATOR_BUILD = re.compile(
    r"(?:cu|cuda|rocm|hip|cann)[0-9][0-9a-z.]*|cpu|gpu|xpu|npu|tpu|metal|avx[0-9a-z_]*"
)
"""A local version that names a build for a machine, such as ``cu130``."""

_CUDA_LABEL = re.compile(r"cu(?:da)?_?(1[0-9])(?![0-9]{3})")
_CUDA_PROJECT = re.compile(r"-cu(?:da)?(1[0-9])x?(?=-|$)")
_CUDA_VERSIONED = frozenset(
    """
    cuda-bindings cuda-python cuda-toolkit nvidia-cuda-cupti nvidia-cuda-nvcc
    nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-nvjitlink nvidia-nvtx
    """.split()  # noqa: SIM905 - as a table
)
"""Projects whose version is that of CUDA."""

_TOP_KEYS = frozenset({"$schema", "default-priorities", "variants"})
_DRAFT_KEYS = _TOP_KEYS | {"providers", "static-properties"}
_ORDERS = frozenset({"namespace", "feature", "property"})


class FindingKind(enum.StrEnum):
    """What is wrong; the value is its name in the output."""

    FILE_NAME = "file-name"
    FILE_UNREADABLE = "file-unreadable"
    INDEX_FILE_MISSING = "index-file-missing"
    INDEX_FILE_NAME = "index-file-name"
    INDEX_FILE_TWICE = "index-file-twice"
    INDEX_FILE_HASH = "index-file-hash"
    INDEX_FILE_UNUSED = "index-file-unused"
    METADATA_INVALID = "metadata-invalid"
    WHEEL_METADATA_MISSING = "wheel-metadata-missing"
    WHEEL_DIFFERS = "wheel-differs"
    PRIORITIES_DIFFER = "priorities-differ"
    PROVIDERS_DIFFER = "providers-differ"
    LABEL_MISSING = "label-missing"
    LABEL_UNUSED = "label-unused"
    LABEL_EMPTY = "label-empty"
    LABELS_ALIKE = "labels-alike"
    NAMESPACE_UNLISTED = "namespace-unlisted"
    NAMESPACE_RESERVED = "namespace-reserved"
    PROVIDERS_INCOMPLETE = "providers-incomplete"
    FEATURE_UNKNOWN = "feature-unknown"
    VALUES_IMPOSSIBLE = "values-impossible"
    VALUES_UNKNOWN = "values-unknown"
    VALUES_SEVERAL = "values-several"
    VALUES_UNSORTED = "values-unsorted"
    ABI_VALUE = "abi-value"
    KEY_UNKNOWN = "key-unknown"
    SCHEMA_URL = "schema-url"
    LOCAL_VERSION = "local-version"
    TAG_IMPOSSIBLE = "tag-impossible"
    CUDA_MAJOR = "cuda-major"
    SCHEMA_DRAFT = "schema-draft"
    VALUES_UNLISTED = "values-unlisted"
    ABI_SPELLING = "abi-spelling"
    WHEEL_NOT_OPENED = "wheel-not-opened"
    TOO_MANY = "too-many"


class Finding(Value, frozen=True, kw_only=True):
    """One finding; ``detail`` has what its words need, by name.

    ``files`` are all that have it, in the order in which they were checked. ``key`` is
    the path in variant metadata, empty for a file as a whole.
    """

    kind: FindingKind
    project: str
    version: str = ""
    files: tuple[str, ...] = ()
    key: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


class OpenedFile(Value, frozen=True, kw_only=True):
    """A file of an index, and what was read of it.

    ``content`` is the variant metadata of it, None if it has none or was not read.
    ``problem`` says why a file cannot be read, ``unopened`` why it was not opened.
    """

    file: RemoteFile
    is_read: bool = False
    content: bytes | None = None
    requires: CoreMetadata | None = None
    problem: str = ""
    unopened: str = ""


class PublishedRelease(Value, frozen=True, kw_only=True):
    """The files of one version; wheels and index-level files in the order of names.

    ``on_index`` is false for a folder of files, which needs no index-level file.
    """

    name: NormalizedName
    version: str
    wheels: tuple[OpenedFile, ...] = ()
    index_level: tuple[OpenedFile, ...] = ()
    on_index: bool = True


class _Check(Value, frozen=True):
    """Makes findings of one release."""

    release: PublishedRelease

    def found(
        self,
        kind: FindingKind,
        files: Iterable[str] = (),
        key: str = "",
        **detail: str,
    ) -> Finding:
        return Finding(
            kind=kind,
            project=self.release.name,
            version=self.release.version,
            files=tuple(files),
            key=key,
            detail=detail,
        )


def published_releases(
    name: NormalizedName, rows: Iterable[RemoteFile], *, on_index: bool
) -> tuple[list[PublishedRelease], list[Finding]]:
    """Return the releases of a page, the oldest first, and files without a release."""
    wheels: dict[Version, list[OpenedFile]] = {}
    index_level: dict[Version, list[OpenedFile]] = {}
    findings: list[Finding] = []
    for row in sorted(rows, key=lambda row: (row.filename, row.url)):
        is_wheel = row.filename.endswith(".whl")
        if not is_wheel and not row.filename.endswith(_INDEX_LEVEL):
            continue
        try:
            version = _wheel_version(row, name) if is_wheel else _version_of(row, name)
        except ValueError as error:
            kind = FindingKind.FILE_NAME if is_wheel else FindingKind.INDEX_FILE_NAME
            findings.append(
                Finding(
                    kind=kind,
                    project=name,
                    files=(row.filename,),
                    detail={"problem": str(error)},
                )
            )
            continue
        group = wheels if is_wheel else index_level
        group.setdefault(version, []).append(OpenedFile(file=row))
    releases = [
        PublishedRelease(
            name=name,
            version=str(version),
            wheels=tuple(_distinct(wheels.get(version, ()))),
            index_level=tuple(_distinct(index_level.get(version, ()))),
            on_index=on_index,
        )
        for version in sorted({*wheels, *index_level})
    ]
    return releases, findings


def _distinct(files: Iterable[OpenedFile]) -> Iterator[OpenedFile]:
    seen: set[tuple[str, str]] = set()
    for each in files:
        if (each.file.filename, each.file.url) not in seen:
            seen.add((each.file.filename, each.file.url))
            yield each


def _wheel_version(row: RemoteFile, name: NormalizedName) -> Version:
    filename = WheelFilename.parse(row.filename)
    if filename.name != name:
        raise InvalidFilename(f"it is a wheel of {filename.name}")
    return Version(filename.version)


def _version_of(row: RemoteFile, name: NormalizedName) -> Version:
    found = _INDEX_LEVEL_NAME.fullmatch(row.filename)
    if found is None:
        raise InvalidFilename("it has not the form NAME-VERSION-variants.json")
    if canonicalize_name(found[1]) != name:
        raise InvalidFilename(f"it names {canonicalize_name(found[1])[:80]}")
    text = found[2] if "+" in found[2] else found[2].replace("_", "+", 1)
    return Version(text)


def lint_release(release: PublishedRelease) -> list[Finding]:
    """Return the findings on a release, in the order of the rules, each once."""
    merged: dict[tuple[object, ...], Finding] = {}
    for found in _findings(_Check(release)):
        key = (found.kind, found.key, tuple(sorted(found.detail.items())))
        before = merged.get(key)
        if before is None:
            merged[key] = found
        else:
            files = dict.fromkeys((*before.files, *found.files))
            merged[key] = replace(before, files=tuple(files))
    all_findings = list(merged.values())
    if len(all_findings) <= MOST_FINDINGS:
        return all_findings
    further = f"{len(all_findings) - MOST_FINDINGS:,}"
    kept = all_findings[:MOST_FINDINGS]
    return [*kept, _Check(release).found(FindingKind.TOO_MANY, further=further)]


def _findings(check: _Check) -> Iterator[Finding]:
    release = check.release
    yield from _index_level_files(check)
    yield from _wheel_names(check)
    decoded: dict[str, VariantMetadata] = {}
    at_index: VariantMetadata | None = None
    for opened in release.index_level:
        found = yield from _decoded(check, opened, label=None)
        if found is not None:
            yield from _metadata_rules(check, opened.file.filename, found)
            at_index = at_index or found
    for opened in release.wheels:
        label = _label(opened)
        if label is None:
            continue
        if opened.unopened:
            yield check.found(
                FindingKind.WHEEL_NOT_OPENED,
                [opened.file.filename],
                reason=opened.unopened,
            )
        found = yield from _decoded(check, opened, label=label)
        if found is not None:
            decoded[opened.file.filename] = found
            yield from _metadata_rules(check, opened.file.filename, found)
    if at_index is not None:
        yield from _labels_and_wheels(check, at_index)
    yield from _consistency(check, at_index, decoded)
    yield from _cuda_majors(check, at_index, decoded)


def _label(opened: OpenedFile) -> str | None:
    return WheelFilename.parse(opened.file.filename).variant_label


def _index_level_files(check: _Check) -> Iterator[Finding]:
    """Yield findings on the names and the number of index-level files."""
    release = check.release
    labelled = [w.file.filename for w in release.wheels if _label(w) is not None]
    names = [opened.file.filename for opened in release.index_level]
    expected = f"{release.name.replace('-', '_')}-{release.version}{_INDEX_LEVEL}"
    if labelled and not names and release.on_index:
        yield check.found(FindingKind.INDEX_FILE_MISSING, labelled, expected=expected)
    if len(names) > 1:
        yield check.found(FindingKind.INDEX_FILE_TWICE, names)
    for name in names:
        if name != expected:
            yield check.found(
                FindingKind.INDEX_FILE_NAME,
                [name],
                problem=f"the normalized name is {expected}",
            )
    if names and release.wheels and not labelled:
        yield check.found(FindingKind.INDEX_FILE_UNUSED, names)


def _wheel_names(check: _Check) -> Iterator[Finding]:
    local = Version(check.release.version).local or ""
    names = [opened.file.filename for opened in check.release.wheels]
    if names and _ACCELERATOR_BUILD.fullmatch(local):
        yield check.found(FindingKind.LOCAL_VERSION, names, local=local)
    for name in names:
        found = impossible_tag(WheelFilename.parse(name))
        if found is not None:
            tag, fault = found
            # Of a tag the platform alone is wrong, and is so for each Python.
            shown = tag if fault == "abi" else tag.rpartition("-")[2]
            yield check.found(
                FindingKind.TAG_IMPOSSIBLE, [name], tag=shown, fault=fault.value
            )


def _decoded(
    check: _Check, opened: OpenedFile, *, label: str | None
) -> Generator[Finding, None, VariantMetadata | None]:
    """Yield the findings on a file; return its metadata if it can be read."""
    name = opened.file.filename
    if opened.problem:
        yield check.found(FindingKind.FILE_UNREADABLE, [name], problem=opened.problem)
        return None
    if not opened.is_read:
        return None
    if opened.content is None:
        yield check.found(FindingKind.WHEEL_METADATA_MISSING, [name], label=label or "")
        return None
    if label is None:
        wanted = strongest(opened.file.hashes)
        if wanted is not None:
            actual = hash_value(wanted[0], opened.content)
            if actual != wanted[1]:
                yield check.found(
                    FindingKind.INDEX_FILE_HASH,
                    [name],
                    wanted=f"{wanted[0]}:{wanted[1]}",
                    actual=f"{wanted[0]}:{actual}",
                )
    try:
        if label is None:
            return VariantMetadata.decode(opened.content)
        return VariantMetadata.decode_wheel(opened.content, label)
    except InvalidVariantMetadata as error:
        yield check.found(
            FindingKind.METADATA_INVALID, [name], error.key, problem=error.problem
        )
        return None


def _metadata_rules(
    check: _Check, name: str, metadata: VariantMetadata
) -> Iterator[Finding]:
    yield from _schema_rules(check, name, metadata)
    yield from _namespace_rules(check, name, metadata)
    yield from _label_rules(check, name, metadata)
    yield from _abi_rules(check, name, metadata)
    for fault in property_faults(metadata):
        yield _of_fault(check, name, fault)
    for label, properties in metadata.variants.items():
        for namespace, features in properties.items():
            for feature, values in features.items():
                if list(values) != sorted(values):
                    yield check.found(
                        FindingKind.VALUES_UNSORTED,
                        [name],
                        _path("variants", label, namespace, feature),
                        sorted=", ".join(sorted(values)[:3]),
                    )


def _path(*keys: str) -> str:
    path = ""
    for key in keys:
        path = key_path(path, key)
    return path


def _schema_rules(
    check: _Check, name: str, metadata: VariantMetadata
) -> Iterator[Finding]:
    document = metadata.document
    version = schema_version(document)
    if version[0] == 0:
        schema = metadata.schema.rpartition("/")[2].removesuffix(".json")
        yield check.found(FindingKind.SCHEMA_DRAFT, [name], "$schema", schema=schema)
    elif not metadata.schema.startswith(_SCHEMA_HOST):
        yield check.found(
            FindingKind.SCHEMA_URL, [name], "$schema", schema=metadata.schema
        )
    known = _known_keys(version)
    if known is None:
        return
    top, orders = known
    priorities = document["default-priorities"]
    for key in sorted(set(document) - top):
        yield check.found(FindingKind.KEY_UNKNOWN, [name], key_path("", key))
    for key in sorted(set(priorities) - orders):
        path = key_path("default-priorities", key)
        yield check.found(FindingKind.KEY_UNKNOWN, [name], path)


def _known_keys(
    version: tuple[int, int],
) -> tuple[frozenset[str], frozenset[str]] | None:
    """Return the top keys and those of the priorities, None if not known."""
    if is_draft(version):
        return _DRAFT_KEYS, _ORDERS
    if version == (0, 1):  # PEP 825
        return _TOP_KEYS, frozenset({"namespace"})
    if version == (0, 2):  # PEP 850
        return _TOP_KEYS | {"providers"}, _ORDERS
    return None


def _namespace_rules(
    check: _Check, name: str, metadata: VariantMetadata
) -> Iterator[Finding]:
    listed = set(metadata.namespace_priorities)
    used = {space for properties in metadata.variants.values() for space in properties}
    path = "default-priorities.namespace"
    for namespace in sorted(used - listed - {ABI_DEPENDENCY}):
        yield check.found(
            FindingKind.NAMESPACE_UNLISTED, [name], path, namespace=namespace
        )
    providers = set(metadata.providers or {})
    for place, names in ((path, listed), ("providers", providers)):
        if ABI_DEPENDENCY in names:
            yield check.found(FindingKind.NAMESPACE_RESERVED, [name], place)
    # PEP 825 alone has no providers; PEP 850, "Provider information", adds them.
    has_providers = schema_version(metadata.document) >= (0, 2)
    if metadata.providers is None and not has_providers:
        return
    for namespace in sorted((listed ^ providers) - {ABI_DEPENDENCY}):
        yield check.found(
            FindingKind.PROVIDERS_INCOMPLETE,
            [name],
            key_path("providers", namespace),
            namespace=namespace,
            where="providers" if namespace in providers else path,
        )


def _label_rules(
    check: _Check, name: str, metadata: VariantMetadata
) -> Iterator[Finding]:
    alike: dict[str, list[str]] = {}
    for label in metadata.variants:
        properties = metadata.properties(label)
        if properties:
            key = repr(sorted((n, sorted(f.items())) for n, f in properties.items()))
            alike.setdefault(key, []).append(label)
        elif label != NULL_LABEL:
            yield check.found(
                FindingKind.LABEL_EMPTY, [name], _path("variants", label), label=label
            )
    for first, *others in alike.values():
        for other in others:
            yield check.found(
                FindingKind.LABELS_ALIKE,
                [name],
                _path("variants", other),
                label=other,
                first=first,
            )


def _abi_rules(
    check: _Check, name: str, metadata: VariantMetadata
) -> Iterator[Finding]:
    for label, properties in metadata.variants.items():
        for feature, values in properties.get(ABI_DEPENDENCY, {}).items():
            path = _path("variants", label, ABI_DEPENDENCY, feature)
            wrong = [value for value in values if not is_release(value)]
            if wrong:
                yield check.found(
                    FindingKind.ABI_VALUE, [name], path, values=", ".join(wrong[:3])
                )
            if "-" in feature:
                yield check.found(
                    FindingKind.ABI_SPELLING,
                    [name],
                    path,
                    feature=feature,
                    spelled=feature.replace("-", "_"),
                )


def _of_fault(check: _Check, name: str, fault: PropertyFault) -> Finding:
    kind: FindingKind
    detail = {"namespace": fault.namespace, "feature": fault.feature}
    match fault:
        case FeatureUnknown():
            kind = FindingKind.FEATURE_UNKNOWN
            detail |= {"close": fault.close, "static": _yes(fault.is_static)}
        case ValuesUnknown():
            kind = (
                FindingKind.VALUES_IMPOSSIBLE
                if fault.is_all
                else FindingKind.VALUES_UNKNOWN
            )
            detail |= {
                "values": _few(fault.values),
                "static": _yes(fault.is_static),
            }
        case ValuesUnlisted():
            kind = FindingKind.VALUES_UNLISTED
            detail |= {"values": _few(fault.values)}
        case SeveralValues():
            kind = FindingKind.VALUES_SEVERAL
            detail |= {"values": _few(fault.values)}
    path = _path("variants", fault.label, fault.namespace, fault.feature)
    return check.found(kind, [name], path, **detail)


def _few(values: Sequence[str]) -> str:
    """Return the first values, and how many others there are."""
    shown = ", ".join(values[:_MOST_VALUES])
    others = len(values) - _MOST_VALUES
    return f"{shown} and {others:,} others" if others > 0 else shown


def _yes(flag: bool) -> str:  # noqa: FBT001 - a fact as text
    return "yes" if flag else ""


def _labels_and_wheels(check: _Check, metadata: VariantMetadata) -> Iterator[Finding]:
    """Yield labels without wheels, and wheels whose label the index does not list."""
    release = check.release
    index_level = release.index_level[0].file.filename
    used: dict[str, list[str]] = {}
    for opened in release.wheels:
        label = _label(opened)
        if label is not None:
            used.setdefault(label, []).append(opened.file.filename)
    for label, names in sorted(used.items()):
        if label not in metadata.variants:
            yield check.found(
                FindingKind.LABEL_MISSING, names, label=label, index_file=index_level
            )
    if used:
        for label in sorted(set(metadata.variants) - set(used)):
            yield check.found(
                FindingKind.LABEL_UNUSED,
                [index_level],
                _path("variants", label),
                label=label,
            )


def _consistency(
    check: _Check,
    at_index: VariantMetadata | None,
    decoded: Mapping[str, VariantMetadata],
) -> Iterator[Finding]:
    """Yield the differences of metadata from that of the index or the first wheel.

    PEP 825, "Metadata consistency": "the same variant label MUST always map to the same
    set of properties", and of the namespaces "the longer MUST start with the elements
    of the shorter one".
    """
    known: dict[str, tuple[str, Any]] = {}
    longest: tuple[str, tuple[str, ...]] = ("", ())
    providers: dict[str, tuple[str, object]] = {}
    every: list[tuple[str, VariantMetadata]] = list(decoded.items())
    if at_index is not None:
        every.insert(0, (check.release.index_level[0].file.filename, at_index))
    for name, metadata in every:
        for label in metadata.variants:
            properties = metadata.properties(label)
            first, wanted = known.setdefault(label, (name, properties))
            if wanted != properties:
                yield check.found(
                    FindingKind.WHEEL_DIFFERS,
                    [name],
                    _path("variants", label),
                    label=label,
                    first=first,
                )
        order = metadata.namespace_priorities
        shorter = min(len(order), len(longest[1]))
        if order[:shorter] != longest[1][:shorter]:
            yield check.found(
                FindingKind.PRIORITIES_DIFFER,
                [name],
                "default-priorities.namespace",
                first=longest[0],
            )
        elif len(order) > len(longest[1]):
            longest = (name, order)
        for namespace, provider in (metadata.providers or {}).items():
            first, other = providers.setdefault(namespace, (name, _same(provider)))
            if other != _same(provider):
                yield check.found(
                    FindingKind.PROVIDERS_DIFFER,
                    [name],
                    key_path("providers", namespace),
                    first=first,
                )


def _same(provider: ProviderInformation) -> object:
    """Return the identity of a provider, without its versions."""
    static = provider.static_properties
    return (
        tuple(requirement.name for requirement in provider.requires),
        provider.plugin_api,
        provider.builtin,
        None if static is None else sorted(static.items()),
    )


def _cuda_majors(
    check: _Check,
    at_index: VariantMetadata | None,
    decoded: Mapping[str, VariantMetadata],
) -> Iterator[Finding]:
    """Yield the requirements of variant wheels that are for another CUDA major."""
    for opened in check.release.wheels:
        label = _label(opened)
        if label is None or opened.requires is None:
            continue
        metadata = decoded.get(opened.file.filename) or at_index
        properties = None if metadata is None else metadata.variants.get(label)
        if properties is None:
            continue
        major = _cuda_major(label, properties)
        if major is None:
            continue
        variant = SelectedVariant(
            label,
            frozenset(
                (namespace, feature, value)
                for namespace, features in properties.items()
                for feature, values in features.items()
                for value in values
            ),
        )
        wrong = [
            replace(each, marker="", extras=())
            for each in opened.requires.requires_dist
            if _applies(each, variant) and _is_for_other_cuda(each, major)
        ]
        if wrong:
            yield check.found(
                FindingKind.CUDA_MAJOR,
                [opened.file.filename],
                label=label,
                major=str(major),
                requires=", ".join(str(each) for each in wrong[:3]),
            )


def _cuda_major(
    label: str, properties: Mapping[str, Mapping[str, Sequence[str]]]
) -> int | None:
    """Return the CUDA major that a label is for, None if that is not one."""
    bounds = properties.get("nvidia", {}).get("cuda_version_lower_bound")
    if bounds is not None:
        majors = {bound.partition(".")[0] for bound in bounds}
        only = majors.pop() if len(majors) == 1 else ""
        return int(only) if only in map(str, CUDA_MAJORS) else None
    named = _CUDA_LABEL.match(label)
    return None if named is None else int(named[1])


def _applies(requirement: Requirement, variant: SelectedVariant) -> bool:
    """Return True if a requirement without extras may hold for a label."""
    marker = requirement.marker_expression
    if marker is None:
        return True
    left = fold_variant(marker, variant)
    return left if isinstance(left, bool) else not _names_extra(left)


def _names_extra(marker: MarkerExpression) -> bool:
    if isinstance(marker, Combination):
        return any(map(_names_extra, marker.operands))
    return marker.field in {"extra", "extras"}


def _is_for_other_cuda(requirement: Requirement, major: int) -> bool:
    named = _CUDA_PROJECT.search(requirement.name)
    if named is not None:
        return int(named[1]) != major
    if requirement.name not in _CUDA_VERSIONED or not requirement.specifier:
        return False
    wanted = SpecifierSet(requirement.specifier)
    return (wanted & SpecifierSet(f"=={major}.*")).is_unsatisfiable()
