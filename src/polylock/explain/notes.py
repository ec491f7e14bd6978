"""What to know of an answer that was found: where it is less than was asked for.

A kind of note is a value, with a function that finds it in the answer and a sentence in
``polylock.explain.words``. Nothing is asked of the source that a solve has not asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from polylock.errors import PolylockError
from polylock.model.distributions import Unusable, labelled_wheels
from polylock.resolution.candidate_pool import labels_of
from polylock.values import Value
from polylock.variants.authority import unanswered
from polylock.variants.ordering import VariantPreferences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from polylock.explain.reasons import Reason
    from polylock.model.distributions import Release
    from polylock.model.inputs import Inputs
    from polylock.model.pins import Pin, Resolution
    from polylock.model.target import Target
    from polylock.ports import PackageSource
    from polylock.variants.ordering import VariantPattern
    from polylock.variants.variant_json import VariantMetadata

__all__ = [
    "ExtraMissing",
    "Finding",
    "LabelPinUnused",
    "NamespaceUnknown",
    "Note",
    "PatternUnmatched",
    "UploadTimesMissing",
    "VariantsLost",
    "notes",
]


class UploadTimesMissing(Value, frozen=True):
    """``exclude-newer`` has no effect: the index tells no upload time at all."""

    index: str


class VariantsLost(Value, frozen=True):
    """The variants of a release are left out, since their metadata is unusable."""

    because: Reason


class NamespaceUnknown(Value, frozen=True):
    """Labels ask for a namespace, and nothing says what the target supports of it."""

    namespace: str


class PatternUnmatched(Value, frozen=True):
    """A setting names a label that the release does not have; ``there`` are its own."""

    setting: Literal["exclude-variants", "prefer-variants"]
    label: str
    there: tuple[str, ...]


class LabelPinUnused(Value, frozen=True):
    """A target pins a label of a project that is not installed there."""


class ExtraMissing(Value, frozen=True):
    """The project asks for an extra that the release does not have."""

    extra: str


Finding = (
    ExtraMissing
    | LabelPinUnused
    | NamespaceUnknown
    | PatternUnmatched
    | UploadTimesMissing
    | VariantsLost
)
"""All kinds of what there is to know."""


class Note(Value, frozen=True, kw_only=True):
    """What to know of one project.

    ``versions`` and ``targets`` are those that it is about, in order; ``versions`` is
    empty where it is about none in particular. ``key`` is the setting that changes it,
    as a dotted path, empty where none does.
    """

    project: str
    finding: Finding
    versions: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    key: str = ""


class _Solved(Value, frozen=True):
    """An answer, and what it was found from."""

    resolutions: Sequence[Resolution]
    inputs: Inputs
    source: PackageSource


def notes(
    resolutions: Sequence[Resolution], inputs: Inputs, source: PackageSource
) -> tuple[Note, ...]:
    """Return what to know of an answer, kind by kind, each thing once."""
    solved = _Solved(resolutions, inputs, source)
    return tuple(note for find in _FINDERS for note in find(solved))


def _without_times(solved: _Solved) -> Iterator[Note]:
    """Yield the projects whose index gives no upload times at all."""
    if solved.inputs.exclude_newer is None:
        return
    told = set()
    for resolution in solved.resolutions:
        for name in sorted(resolution.pins):
            releases = solved.source.releases(name, resolution.target)
            if releases.has_upload_times or (name, releases.index) in told:
                continue
            if resolution.pins[name].direct is not None:
                continue  # no index has a say in it
            told.add((name, releases.index))
            yield Note(project=name, finding=UploadTimesMissing(releases.index))


def _bad_metadata(solved: _Solved) -> Iterator[Note]:
    """Yield each locked release that lost its variants, and why."""

    def find(target: Target, pin: Pin) -> Iterator[tuple[str, str, Finding]]:
        metadata = _variants(pin.release, target, solved)
        if isinstance(metadata, Unusable):
            yield pin.name, pin.version, VariantsLost(metadata.reason)

    yield from _by_target(solved, find)


def _without_answer(solved: _Solved) -> Iterator[Note]:
    """Yield each namespace that labels ask for and a target says nothing about."""

    def find(target: Target, pin: Pin) -> Iterator[tuple[str, str, Finding]]:
        for namespace in _unknown_namespaces(pin.release, target, solved):
            yield pin.name, pin.version, NamespaceUnknown(namespace)

    told: set[str] = set()
    for note in _by_target(solved, find):
        assert isinstance(note.finding, NamespaceUnknown)
        namespace = note.finding.namespace
        if namespace not in told:  # one answer serves all projects
            told.add(namespace)
            yield note


def _by_target(
    solved: _Solved,
    find: Callable[[Target, Pin], Iterable[tuple[str, str, Finding]]],
) -> Iterator[Note]:
    """Yield what ``find`` has of the pins, in the order of projects, targets gathered.

    It gives the name, the version and what there is to know of it.
    """
    found: dict[tuple[str, str, Finding], dict[str, None]] = {}
    for resolution in solved.resolutions:
        for _, pin in sorted(resolution.pins.items()):
            for key in find(resolution.target, pin):
                found.setdefault(key, {})[resolution.target.name] = None
    by_name = sorted(found.items(), key=lambda item: item[0][:2])
    for (name, version, finding), targets in by_name:
        yield Note(
            project=name,
            versions=(version,),
            finding=finding,
            targets=tuple(targets),
            key=_key(finding, next(iter(targets))),
        )


def _key(finding: Finding, target: str) -> str:
    if isinstance(finding, NamespaceUnknown):
        return f"tool.polylock.targets.{target}.properties.{finding.namespace}"
    return ""


def _without_effect(solved: _Solved) -> Iterator[Note]:
    """Yield the labels that the project file names and that are not there."""
    inputs = solved.inputs
    wishes = VariantPreferences.parse(inputs.exclude_variants, inputs.prefer_variants)
    for pattern in wishes.exclude:
        yield from _unmatched(solved, "exclude-variants", pattern)
    for pattern in wishes.prefer:
        yield from _unmatched(solved, "prefer-variants", pattern)
    for resolution in solved.resolutions:
        target = resolution.target.name
        for name in resolution.target.description.variants:
            if name not in resolution.pins:
                yield Note(
                    project=name,
                    finding=LabelPinUnused(),
                    targets=(target,),
                    key=f"tool.polylock.targets.{target}.variants.{name}",
                )


def _unmatched(
    solved: _Solved,
    setting: Literal["exclude-variants", "prefer-variants"],
    pattern: VariantPattern,
) -> Iterator[Note]:
    pins = [
        pin
        for resolution in solved.resolutions
        for name, pin in resolution.pins.items()
        if name == pattern.project
    ]
    there = {label for pin in pins for label in labels_of(pin.release)}
    if pins and pattern.label not in there:
        yield Note(
            project=pattern.project,
            versions=tuple(sorted({pin.version for pin in pins})),
            finding=PatternUnmatched(setting, pattern.label, tuple(sorted(there))),
            key=f"tool.polylock.{setting}",
        )


def _without_extra(solved: _Solved) -> Iterator[Note]:
    """Yield the extras that the project asks for and the release does not have."""
    missing = {
        (pin.name, pin.version, extra)
        for asked in (root.requirement for root in solved.inputs.requirements)
        for extra in asked.extras
        for resolution in solved.resolutions
        if (pin := resolution.pins.get(asked.normalized_name)) is not None
        and not _has_extra(pin, extra, solved.source)
    }
    for name, version, extra in sorted(missing):
        yield Note(project=name, versions=(version,), finding=ExtraMissing(extra))


def _has_extra(pin: Pin, extra: str, source: PackageSource) -> bool:
    """Say whether metadata provides an extra, or has a marker that names it."""
    try:
        metadata = source.core_metadata(pin.release, pin.file)
    except PolylockError:
        return True  # as below, for variants
    if isinstance(metadata, Unusable):
        return True
    markers = (requirement.marker for requirement in metadata.requires_dist)
    return extra in metadata.provides_extra or any(
        extra in canonicalize_name(marker) for marker in markers
    )


def _unknown_namespaces(release: Release, target: Target, solved: _Solved) -> list[str]:
    """Return the namespaces that nobody answers for, of labels that fit by tags."""
    metadata = _variants(release, target, solved)
    if metadata is None or isinstance(metadata, Unusable):
        return []
    used = {
        namespace
        for label in _labels(release, target)
        for namespace in metadata.variants.get(label, ())
    }
    inputs = solved.inputs
    return [
        namespace
        for namespace in unanswered(
            metadata, stated=target.stated, enabled_providers=inputs.enable_providers
        )
        if namespace in used and namespace not in inputs.exclude_variants
    ]


def _variants(
    release: Release, target: Target, solved: _Solved
) -> VariantMetadata | Unusable | None:
    """Return the variant metadata, None where no label was in question."""
    if release.name in solved.inputs.no_binary_packages or not _labels(release, target):
        return None
    try:
        return solved.source.variant_metadata(release)
    except PolylockError:
        return None  # what was not needed to solve is not worth a failure now


def _labels(release: Release, target: Target) -> set[str]:
    return {
        name.variant_label
        for name in labelled_wheels(release)
        if name.variant_label is not None and target.tag_rank(name) is not None
    }


_FINDERS: tuple[Callable[[_Solved], Iterator[Note]], ...] = (
    _without_times,
    _bad_metadata,
    _without_answer,
    _without_effect,
    _without_extra,
)
"""One for each kind, in the order in which they are shown."""
