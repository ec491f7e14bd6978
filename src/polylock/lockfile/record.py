"""The data that polylock adds to a lock file: ``[tool.polylock]``, variant choices.

PEP 751 says that data under ``[tool]`` must not affect installation, and it does not:
it is used by ``check``, to choose a target for a machine, and by people. It has one
item on a line and no digest of the whole, so that two branches merge like text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from polylock.model.build_settings import BuildSettings
from polylock.model.direct import ArchiveSource, DirectSource, GitSource
from polylock.model.inputs import DEFAULT_INDEX, EVERY_PROJECT, Inputs, RootRequirement
from polylock.model.platforms import compatibility_tags, marker_environment
from polylock.model.requirements import InvalidRequirement, Requirement
from polylock.model.target import (
    Architecture,
    OperatingSystem,
    PythonRelease,
    Target,
    TargetDescription,
)
from polylock.model.url_secrets import without_secrets
from polylock.values import Value, field, replace
from polylock.variants.properties import SupportedProperties

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "LIST_SETTINGS",
    "TEXT_SETTINGS",
    "VARIANT_LISTS",
    "InvalidRecord",
    "LockedFeature",
    "LockedIndex",
    "LockedInputs",
    "LockedSource",
    "LockedTarget",
    "Record",
    "VariantChoice",
    "describe",
    "inputs_of_record",
    "locked_target",
    "microseconds_of",
    "moment_of",
    "record_inputs",
    "record_target",
    "requirement_text",
    "supported_of",
    "without_credentials",
]

TEXT_SETTINGS = ("resolution", "prerelease", "align", "build", "torch-backend")
VARIANT_LISTS = ("exclude-variants", "prefer-variants", "enable-providers")
LIST_SETTINGS = (
    *VARIANT_LISTS,
    "build-package",
    "no-build-package",
    "no-binary-package",
    "default-groups",
    "members",
    "member-groups",
)
_FIELDS = {
    "build-package": "build_packages",
    "no-build-package": "no_build_packages",
    "no-binary-package": "no_binary_packages",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORDERED = {"prefer-variants"}
_DEFAULTS = Inputs()
_PYTHON = (
    r"(?P<implementation>[a-z]*)(?P<major>[0-9]{1,4})\.(?P<minor>[0-9]{1,4})"
    r"(?:\.(?P<patch>[0-9]{1,4}))?(?P<threads>t?)"
)
_LIBC = r"(glibc|musl)-[0-9]{1,4}\.[0-9]{1,4}"
_MACOS = r"[0-9]{1,4}(\.[0-9]{1,4})?"
_IMPLEMENTATIONS = {"cpython", "pypy"}
_ARCHITECTURES = {"arm64": "aarch64", "amd64": "x86_64"}


class LockedFeature(Value, frozen=True, kw_only=True):
    """The supported values of one feature, the most preferred first.

    ``feature`` is None for a namespace that is known to have no features: an empty list
    from the user is not the same as no list.
    """

    namespace: str
    feature: str | None = None
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.feature is None:
            return self.namespace
        return f"{self.namespace} :: {self.feature}"


class LockedTarget(Value, frozen=True, kw_only=True):
    """A target as it was locked.

    ``platform`` is for example ``linux-x86_64``, ``python`` the text of a
    PythonRelease. ``stated`` and ``derived`` are sorted by namespace; within a
    namespace features are in the order of preference. ``variants`` maps projects to
    their pinned labels, sorted. The last four are as in a TargetDescription.
    """

    name: str
    platform: str
    python: str
    libc: str | None = None
    macos: str | None = None
    stated: tuple[LockedFeature, ...] = ()
    derived: tuple[LockedFeature, ...] = ()
    variants: Mapping[str, str] = field(default_factory=dict)
    exclude_variants: tuple[str, ...] | None = None
    prefer_variants: tuple[str, ...] | None = None
    require_variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    torch_backend: str | None = None


class LockedIndex(Value, frozen=True, kw_only=True, rename="kebab"):
    """An index by name; its URL may differ from machine to machine."""

    name: str
    explicit: bool = False


class LockedSource(Value, frozen=True, kw_only=True):
    """One entry of ``[tool.polylock.sources]`` for one project.

    ``index`` is empty where there is a ``direct`` source; its paths are relative to
    the project file, and its URL has no credentials.
    """

    index: str = ""
    direct: DirectSource | None = None
    properties: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


class LockedInputs(Value, frozen=True, kw_only=True):
    """The inputs that the lock file was made from, as normalized text.

    Requirements are sorted; ``extras``, ``groups`` and ``targets`` map a name to its
    requirements. ``indexes`` is in the order of priority, empty for the one default
    index. ``sources`` keeps the order of a project's entries. ``require_variants``
    maps projects to patterns, both sorted. ``trees`` has texts on source trees on disk
    by path.
    ``exclude_newer`` and the two fields after it are as in ``Inputs``, sorted.
    ``settings`` and ``lists``
    hold the settings of TEXT_SETTINGS and LIST_SETTINGS that differ from their
    default, by key.
    """

    requirements: tuple[str, ...] = ()
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    indexes: tuple[LockedIndex, ...] = ()
    sources: Mapping[str, tuple[LockedSource, ...]] = field(default_factory=dict)
    exclude_newer: int | None = None
    exclude_newer_package: Mapping[str, int | None] = field(default_factory=dict)
    exclude_newer_spans: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    require_variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trees: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    builds: BuildSettings = BuildSettings()

    def kept_cutoffs(self) -> dict[str, tuple[int, int]]:
        """Return the span and the time of each cutoff that was a span, by project."""
        moments = {EVERY_PROJECT: self.exclude_newer, **self.exclude_newer_package}
        return {
            name: (span, moment)
            for name, span in self.exclude_newer_spans.items()
            if (moment := moments.get(name)) is not None
        }


class Record(Value, frozen=True, kw_only=True):
    """``[tool.polylock]``: the inputs, and the targets in the order of priority."""

    inputs: LockedInputs
    targets: tuple[LockedTarget, ...]


class VariantChoice(Value, frozen=True, kw_only=True, rename="kebab"):
    """The variant of a package that was chosen for a target, and why.

    ``label`` is empty for the non-variant wheel, as in the marker ``variant_label``.
    ``decided_by`` are properties, the most significant first.
    """

    target: str
    label: str
    decided_by: tuple[str, ...] = ()


def moment_of(microseconds: int) -> datetime:
    """Return the time from microseconds since 1970 UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def microseconds_of(moment: datetime) -> int:
    """Return a time as microseconds since 1970 UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def without_credentials(url: str) -> str:
    """Return a URL without user name, password, and secrets in its query."""
    url = without_secrets(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    user, at, host = parts.netloc.rpartition("@")
    if at and parts.scheme.endswith("ssh"):
        # The user name of an ssh URL is part of the address (PEP 610).
        host = f"{user.partition(':')[0]}@{host}"
    return urlunsplit(parts._replace(netloc=host)) if at else url


def requirement_text(requirement: Requirement) -> str:
    """Return a requirement with normalized white space and quotes."""
    url = requirement.url
    expression = requirement.marker_expression
    return str(
        replace(
            requirement,
            marker="" if expression is None else str(expression),
            url=None if url is None else without_credentials(url),
        )
    )


def record_inputs(inputs: Inputs) -> LockedInputs:
    """Return inputs as a lock file records them."""
    roots = inputs.requirements
    indexes = tuple(
        LockedIndex(name=index.name, explicit=index.explicit)
        for index in inputs.indexes
    )
    return LockedInputs(
        requirements=_sorted_texts(
            root.requirement
            for root in roots
            if root.extra is None and root.group is None and root.target is None
        ),
        extras=_by_name(roots, lambda root: root.extra),
        groups=_by_name(roots, lambda root: root.group),
        targets=_by_name(roots, lambda root: root.target),
        constraints=_sorted_texts(inputs.constraints),
        overrides=_sorted_texts(inputs.overrides),
        indexes=() if indexes == (LockedIndex(name=DEFAULT_INDEX),) else indexes,
        sources={
            name: tuple(
                LockedSource(
                    index=entry.index,
                    direct=_without_secrets(entry.direct),
                    properties=entry.properties,
                    targets=tuple(sorted(entry.targets)),
                )
                for entry in inputs.sources[name]
            )
            for name in sorted(inputs.sources)
        },
        exclude_newer=inputs.exclude_newer,
        exclude_newer_package=dict(sorted(inputs.exclude_newer_package.items())),
        exclude_newer_spans=dict(sorted(inputs.exclude_newer_spans.items())),
        settings={
            key: value
            for key in TEXT_SETTINGS
            if (value := _setting(inputs, key)) != _setting(_DEFAULTS, key)
        },
        lists={
            key: tuple(values) if key in _ORDERED else tuple(sorted(set(values)))
            for key in LIST_SETTINGS
            if (values := _setting(inputs, key)) != _setting(_DEFAULTS, key)
        },
        require_variants=dict(sorted(inputs.require_variants.items())),
        trees=dict(sorted(inputs.trees.items())),
        builds=inputs.builds,
    )


def _without_secrets(source: DirectSource | None) -> DirectSource | None:
    if isinstance(source, ArchiveSource | GitSource) and source.url is not None:
        return replace(source, url=without_credentials(source.url))
    return source


def _setting(inputs: Inputs, key: str) -> Any:  # noqa: ANN401 - text or texts by key
    return getattr(inputs, _field(key))


def _field(key: str) -> str:
    """Return the field of Inputs for a key."""
    return _FIELDS.get(key, key.replace("-", "_"))


def _sorted_texts(requirements: Iterable[Requirement]) -> tuple[str, ...]:
    return tuple(sorted({requirement_text(each) for each in requirements}))


def _by_name(
    roots: Sequence[RootRequirement], name_of: Callable[[RootRequirement], str | None]
) -> dict[str, tuple[str, ...]]:
    names = sorted({name for root in roots if (name := name_of(root)) is not None})
    return {
        name: _sorted_texts(root.requirement for root in roots if name_of(root) == name)
        for name in names
    }


def inputs_of_record(recorded: LockedInputs, others: Inputs = _DEFAULTS) -> Inputs:
    """Return ``others`` with the settings, constraints and overrides of a record.

    A requirement that is invalid in a lock file edited by hand is left out: ``check``
    reports it.
    """
    found = {
        **{
            key: getattr(_DEFAULTS, _field(key))
            for key in (*TEXT_SETTINGS, *LIST_SETTINGS)
        },
        **recorded.settings,
        **recorded.lists,
    }
    return replace(
        others,
        constraints=_valid_requirements(recorded.constraints),
        overrides=_valid_requirements(recorded.overrides),
        exclude_newer=recorded.exclude_newer,
        exclude_newer_package=recorded.exclude_newer_package,
        exclude_newer_spans=recorded.exclude_newer_spans,
        require_variants=recorded.require_variants,
        trees=recorded.trees,
        builds=recorded.builds,
        **{_field(key): value for key, value in found.items()},
    )


def _valid_requirements(texts: Iterable[str]) -> tuple[Requirement, ...]:
    found = []
    for text in texts:
        with suppress(InvalidRequirement):
            found.append(Requirement.parse(text))
    return tuple(found)


class InvalidRecord(ValueError):
    """A recorded target that describes no machine; the text is the reason."""


def record_target(target: Target) -> LockedTarget:
    """Return a target as a lock file records it."""
    description = target.description
    return LockedTarget(
        name=description.name,
        platform=f"{description.system}-{description.architecture}",
        python=str(description.python),
        libc=description.libc,
        macos=description.macos,
        stated=_features(target.stated),
        derived=_features(target.derived),
        variants=description.variants,
        exclude_variants=description.exclude_variants,
        prefer_variants=description.prefer_variants,
        require_variants=dict(sorted(description.require_variants.items())),
        torch_backend=description.torch_backend,
    )


def describe(record: LockedTarget) -> TargetDescription:
    """Return the description of a recorded target.

    It has no hardware: the lists that follow from the hardware were derived when the
    lock file was written. The stated lists are its ``properties``.

    Raises InvalidRecord if a value describes no machine.
    """
    system, architecture = _platform(record.platform)
    if record.libc is not None and not re.fullmatch(_LIBC, record.libc):
        raise InvalidRecord(f"unknown libc {record.libc!r}")
    if record.macos is not None and not re.fullmatch(_MACOS, record.macos):
        raise InvalidRecord(f"unknown macOS version {record.macos!r}")
    return TargetDescription(
        name=record.name,
        system=system,
        architecture=architecture,
        python=_python(record.python),
        libc=record.libc,
        macos=record.macos,
        properties=supported_of(record.stated).namespaces,
        variants=record.variants,
        exclude_variants=record.exclude_variants,
        prefer_variants=record.prefer_variants,
        require_variants=record.require_variants,
        torch_backend=record.torch_backend,
    )


def locked_target(record: LockedTarget) -> Target:
    """Return the target as it was locked, derived lists included.

    Raises InvalidRecord if a value describes no machine.
    """
    description = describe(record)
    return Target(
        description=description,
        marker_environment=marker_environment(description),
        tags=compatibility_tags(description),
        stated=supported_of(record.stated),
        derived=supported_of(record.derived),
    )


def supported_of(features: Iterable[LockedFeature]) -> SupportedProperties:
    """Return the ordered lists of recorded features."""
    namespaces: dict[str, dict[str, tuple[str, ...]]] = {}
    for entry in features:
        known = namespaces.setdefault(entry.namespace, {})
        if entry.feature is not None:
            known[entry.feature] = entry.values
    return SupportedProperties(namespaces)


def _features(supported: SupportedProperties) -> tuple[LockedFeature, ...]:
    entries: list[LockedFeature] = []
    for namespace in sorted(supported.namespaces):
        features = supported.namespaces[namespace]
        if not features:
            entries.append(LockedFeature(namespace=namespace))
        entries.extend(
            LockedFeature(namespace=namespace, feature=feature, values=tuple(values))
            for feature, values in features.items()
        )
    return tuple(entries)


def _platform(text: str) -> tuple[OperatingSystem, Architecture]:
    system, _, architecture = text.partition("-")
    try:
        return OperatingSystem(system), Architecture(
            _ARCHITECTURES.get(architecture, architecture)
        )
    except ValueError as error:
        raise InvalidRecord(f"unknown platform {text!r}") from error


def _python(text: str) -> PythonRelease:
    match = re.fullmatch(_PYTHON, text)
    implementation = "" if match is None else match["implementation"] or "cpython"
    if match is None or implementation not in _IMPLEMENTATIONS:
        raise InvalidRecord(f"unknown Python {text!r}")
    patch = match["patch"]
    return PythonRelease(
        implementation=implementation,
        major=int(match["major"]),
        minor=int(match["minor"]),
        patch=None if patch is None else int(patch),
        free_threaded=bool(match["threads"]),
    )
